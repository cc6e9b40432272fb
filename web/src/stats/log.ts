// The raw samples behind the figures, to be taken away and looked at elsewhere: what the connection said
// (vocabulary.ts), and what each picture's way took (glass.ts). It keeps the latest. Pure.

import type { GlassSample } from './glass';
import type { Snapshot } from './vocabulary';

/** Ten minutes of snapshots at one a second, of one connection, and of pictures at thirty. */
const SNAPSHOTS = 600;
const PICTURES = 18_000;

/** A snapshot with the moment by the page's clock, ms since the epoch. */
export interface Logged {
  time: number;
  /** What was measured, for example the way of the stream. */
  what: string;
  snapshot: Snapshot;
}

export interface LoggedPicture extends GlassSample {
  what: string;
}

export class SampleLog {
  private readonly most: number;
  private snapshots: Logged[] = [];
  private pictures: LoggedPicture[] = [];

  /** connections: of how many at once ten minutes are kept; of more it is less. */
  constructor(connections = 1) {
    this.most = SNAPSHOTS * connections;
  }

  snapshot(entry: Logged): void {
    this.snapshots.push(entry);
    if (this.snapshots.length > this.most) this.snapshots.shift();
  }

  picture(entry: LoggedPicture): void {
    this.pictures.push(entry);
    // In larger steps: to shift a long list for each picture costs more than the picture.
    if (this.pictures.length > 1.1 * PICTURES) this.pictures = this.pictures.slice(-PICTURES);
  }

  get empty(): boolean {
    return this.snapshots.length === 0 && this.pictures.length === 0;
  }

  /** about: what a reader must know of the page that measured. */
  json(about: Record<string, unknown>): string {
    return JSON.stringify({ ...about, snapshots: this.snapshots, pictures: this.pictures }, undefined, 1);
  }

  /** The pictures, a line each, times in ms. */
  csv(): string {
    return csvOf(this.pictures);
  }
}

/** The snapshots of each thing that was measured, in the order in which they came. */
export function series(entries: readonly Logged[]): Logged[][] {
  const found = new Map<string, Logged[]>();
  for (const entry of entries) {
    const list = found.get(entry.what);
    if (list) list.push(entry);
    else found.set(entry.what, [entry]);
  }
  return [...found.values()];
}

/** By how much a sum has grown in a second, from the first snapshot to the last; undefined where there is one alone. */
export function perSecond(list: readonly Logged[], sum: (snapshot: Snapshot) => number): number | undefined {
  const [first, last] = [list[0], list.at(-1)];
  if (!first || !last || last.time <= first.time) return undefined;
  return (1000 * Math.max(0, sum(last.snapshot) - sum(first.snapshot))) / (last.time - first.time);
}

/** The pictures of a log as a table. */
export function csvOf(pictures: readonly LoggedPicture[]): string {
  const lines = pictures.map((p) =>
    [p.what, p.at, p.code, p.byStrip, p.byCapture, p.error].map((v) => cell(v)).join(','),
  );
  return ['what,shown_at_ms,code_ms,delay_by_strip_ms,delay_by_capture_ms,clock_error_ms', ...lines, ''].join('\n');
}

function cell(value: string | number | undefined): string {
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  return value === undefined ? '' : `"${value.replaceAll('"', '""')}"`;
}
