// What a receiver takes: which pieces are wanted, and how many of them may be asked for yet, where the
// place for them takes them in order.

import type { Layout } from '../layout';
import type { Scheduler } from '../schedule/schedule';
import type { Sink } from './sink';

/** What lies in front of a player is asked for first, in bytes. */
const PLAY_AHEAD = 8 * 1024 * 1024;

/** How many pieces, of those in ascending order, begin before a byte of the stream. */
export function piecesBefore(pieces: readonly number[], piece: number, byte: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle] ?? 0) * piece < byte) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Fetching {
  /** Bytes that are wanted, and those that were here from an earlier time. */
  readonly total: number;
  held: number;
  private readonly layout: Layout;
  private readonly sched: Scheduler;
  private readonly sink: Sink;
  /** Wanted pieces, ascending, and how many of them may be asked for. */
  private readonly pieces: readonly number[];
  private open = 0;
  private wished = true;

  /** Makes the scheduler want what is wanted, and know what is here (whole). Before the first peer. */
  constructor(
    sched: Scheduler,
    layout: Layout,
    sink: Sink,
    wanted: ReadonlySet<number>,
    whole: (piece: number) => boolean,
  ) {
    this.sched = sched;
    this.layout = layout;
    this.sink = sink;
    const pieces = new Set<number>();
    for (const file of wanted) {
      const { first, end } = layout.filePieces(file);
      for (let i = first; i < end; i++) pieces.add(i);
    }
    this.pieces = [...pieces].sort((a, b) => a - b);
    const bytes = (of: readonly number[]): number => of.reduce((sum, piece) => sum + layout.pieceLength(piece), 0);
    this.total = bytes(this.pieces);
    this.held = bytes(this.pieces.filter(whole));
    const now = performance.now();
    for (let i = 0; i < layout.pieces; i++) {
      if (whole(i)) sched.hold(i, 1);
      sched.select(i, 1, false, now);
    }
    this.widen(now);
  }

  /** Pieces that are wanted and not here. */
  get missing(): number {
    return this.pieces.length - this.open + this.sched.missing;
  }

  /** Lets pieces be asked for that have come into the window of the sink. */
  widen(now: number): void {
    const { window, position = 0 } = this.sink;
    const until = window === undefined ? this.layout.total : position + window;
    const open = piecesBefore(this.pieces, this.layout.piece, until);
    if (this.wished) for (const piece of this.pieces.slice(this.open, open)) this.sched.select(piece, 1, true, now);
    this.open = Math.max(this.open, open);
  }

  /** A piece that was here is not as it was. */
  lose(piece: number): void {
    if (this.sched.has(piece) && this.pieces.includes(piece)) this.held -= this.layout.pieceLength(piece);
    this.sched.lose(piece);
  }

  /** Stops asking, or goes on. */
  wish(wished: boolean, now: number): void {
    this.wished = wished;
    for (const piece of this.pieces.slice(0, this.open)) this.sched.select(piece, 1, wished, now);
  }

  /** How many bytes of the stream are here in one run from a byte on, of at most so many. */
  here(at: number, most: number): number {
    let end = at;
    while (end < at + most) {
      const piece = Math.floor(end / this.layout.piece);
      if (piece >= this.layout.pieces || !this.sched.has(piece)) break;
      end = this.layout.pieceStart(piece) + this.layout.pieceLength(piece);
    }
    return Math.max(0, Math.min(most, end - at));
  }

  /** Asks for what follows a byte of the stream before all else, for a player; undefined ends that. */
  play(at: number | undefined): void {
    if (at === undefined) {
      this.sched.play(0, 0);
      return;
    }
    const count = Math.max(2, Math.ceil(PLAY_AHEAD / this.layout.piece));
    this.sched.play(Math.floor(at / this.layout.piece), count);
  }
}
