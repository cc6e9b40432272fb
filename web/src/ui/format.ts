// Numbers as people read them. Pure.

/** "1.8 Mbit/s", "640 kbit/s", "0 kbit/s". */
export function bitrate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 999_500) return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond >= 9_950_000 ? 0 : 1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

/** "0:07", "12:05", "1:02:33" of seconds. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** "3 ms" of seconds; "–" when unknown. */
export function milliseconds(seconds: number | undefined): string {
  if (seconds === undefined) return '–';
  const ms = seconds * 1000;
  return `${ms < 10 && ms > 0 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** "0.42 s", "12.5 s" of seconds. */
export function seconds(s: number): string {
  return `${s.toFixed(s < 10 ? 2 : 1)} s`;
}

/** "0 %", "0.4 %", "12 %" of a share; "–" when unknown. */
export function percent(share: number | undefined): string {
  if (share === undefined) return '–';
  const p = share * 100;
  return `${p > 0 && p < 10 ? p.toFixed(1) : Math.round(p)} %`;
}

/** "1 viewer", "2 viewers". */
export function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString('en-GB')} ${n === 1 ? one : many}`;
}

/** "12 MB" of bytes, in steps of 1,000. */
export function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** "27 Nov, 14:05" of ms since the epoch, by the clock of the reader's place. */
export function moment(at: number): string {
  const how = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const;
  return new Date(at).toLocaleString('en-GB', how);
}
