// Only what is wanted, without the gaps of what is not: a place of its own for single files of a large
// transfer needs their room and no more. Pieces lie one behind the other, and all of a file is together.

import type { Bytes } from '../mesh/bytes';
import type { Layout } from '../mesh/layout';
import type { Sink } from '../mesh/peer/sink';

/** Pieces that hold these files, ascending. Those at the border of two files hold a bit of each. */
export function piecesOf(layout: Layout, files: Iterable<number>): number[] {
  const pieces = new Set<number>();
  for (const file of files) {
    const { first, end } = layout.filePieces(file);
    for (let i = first; i < end; i++) pieces.add(i);
  }
  return [...pieces].sort((a, b) => a - b);
}

/** Bytes of all of these pieces. */
export const sizeOf = (layout: Layout, pieces: readonly number[]): number =>
  pieces.reduce((sum, piece) => sum + layout.pieceLength(piece), 0);

export class Packed implements Sink {
  readonly lasting: boolean;
  readonly placed: boolean;
  private readonly under: Sink;
  private readonly layout: Layout;
  /** Where each wanted piece begins in the place under this one. */
  private readonly starts = new Map<number, number>();

  /** under: as large as all of the pieces, which ascend. */
  constructor(under: Sink, layout: Layout, pieces: readonly number[]) {
    this.under = under;
    this.layout = layout;
    this.lasting = under.lasting;
    this.placed = under.placed;
    let at = 0;
    for (const piece of pieces) {
      this.starts.set(piece, at);
      at += layout.pieceLength(piece);
    }
  }

  async read(at: number, length: number): Promise<Bytes> {
    return this.under.read(this.place(at), length);
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    await this.under.write(this.place(at), bytes);
  }

  flush(): Promise<boolean> {
    return this.under.flush();
  }

  finish(): Promise<void> {
    return this.under.finish();
  }

  async reopen(): Promise<void> {
    await this.under.reopen?.();
  }

  blob(at: number, length: number): Blob {
    return length === 0 ? new Blob() : this.under.blob(this.place(at), length);
  }

  remove(): Promise<void> {
    return this.under.remove();
  }

  /** Where a byte of the stream lies. Runs of wanted pieces stay together, so what follows it in a wanted file follows here. */
  private place(at: number): number {
    const piece = Math.floor(at / this.layout.piece);
    const start = this.starts.get(piece);
    if (start === undefined) throw new RangeError('a piece that is not wanted');
    return start + at - this.layout.pieceStart(piece);
  }
}
