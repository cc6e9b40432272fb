// Not in format.ts, which every page loads: the watch page has no use for it.

/** "Viewer 1" of "viewer 1". */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
