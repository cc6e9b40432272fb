// The viewer password of a stream, kept for this tab so that a reload does not ask again.

const key = (stream: string): string => `fanfare.password.${stream}`;

export function keptPassword(stream: string): string | undefined {
  try {
    return window.sessionStorage.getItem(key(stream)) ?? undefined;
  } catch {
    return undefined; // storage is barred here: it is asked for again
  }
}

export function keepPassword(stream: string, password: string): void {
  try {
    window.sessionStorage.setItem(key(stream), password);
  } catch {
    // see above
  }
}
