// How the bytes of all files lie in pieces and leaves (docs/MESH.md section 5). Pure arithmetic;
// it holds no bytes and no tree.

import { LEAF } from './merkle';

const SMALLEST_PIECE = LEAF;
const LARGEST_PIECE = 4 * 1024 * 1024;
/** What a swarm wants: with fewer pieces, peers wait for each other. */
const WANTED_PIECES = 512;

/** A run of bytes in one file: which (its place in the manifest), from where in it, how many. */
export interface Span {
  file: number;
  offset: number;
  length: number;
}

/** The bytes of a piece for so many in all: the largest power of two that gives 512 pieces, or else 64 KiB. */
export function pieceSize(total: number): number {
  let size = LARGEST_PIECE;
  while (size > SMALLEST_PIECE && Math.ceil(total / size) < WANTED_PIECES) size /= 2;
  return size;
}

/** The files, in order, as one stream, cut in pieces, these in leaves. Pieces and leaves count from 0. */
export class Layout {
  /** Bytes of all files. */
  readonly total: number;
  /** Bytes of a piece but the last. */
  readonly piece: number;
  /** How many pieces there are; none where all files are empty. */
  readonly pieces: number;
  /** Where each file ends in the stream; never falling. */
  private readonly ends: readonly number[];

  constructor(sizes: readonly number[]) {
    let total = 0;
    this.ends = sizes.map((size) => {
      total += size;
      return total;
    });
    this.total = total;
    this.piece = pieceSize(total);
    this.pieces = Math.ceil(total / this.piece);
  }

  /** Where a piece begins in the stream. */
  pieceStart(piece: number): number {
    return piece * this.piece;
  }

  /** The bytes of this piece; 0 for one that is not there. */
  pieceLength(piece: number): number {
    if (!(piece >= 0 && piece < this.pieces)) return 0;
    return Math.min(this.piece, this.total - this.pieceStart(piece));
  }

  /** How many leaves a piece has, at most 64; 0 for one that is not there. */
  leaves(piece: number): number {
    return Math.ceil(this.pieceLength(piece) / LEAF);
  }

  /** Where a leaf begins in the stream. */
  leafStart(piece: number, leaf: number): number {
    return this.pieceStart(piece) + leaf * LEAF;
  }

  /** The bytes of this leaf; 0 for one that is not there. */
  leafLength(piece: number, leaf: number): number {
    if (!(leaf >= 0 && leaf < this.leaves(piece))) return 0;
    return Math.min(LEAF, this.pieceLength(piece) - leaf * LEAF);
  }

  /**
   * The runs of files that make up so many bytes of the stream, in order. What lies outside of the
   * stream is left out; empty files have no runs.
   */
  spans(offset: number, length: number): Span[] {
    if (!(offset >= 0 && length > 0)) return [];
    const end = Math.min(this.total, offset + length);
    const out: Span[] = [];
    let at = offset;
    for (let file = this.fileAt(offset); at < end; file++) {
      const stop = Math.min(end, this.fileEnd(file));
      if (stop > at) out.push({ file, offset: at - this.fileStart(file), length: stop - at });
      at = Math.max(at, stop);
    }
    return out;
  }

  /** Where a file begins in the stream. */
  fileStart(file: number): number {
    return this.ends[file - 1] ?? 0;
  }

  /**
   * The pieces that hold a file, from first to the one before end; none for an empty file. A piece
   * at the border of two files holds a bit of each.
   */
  filePieces(file: number): { first: number; end: number } {
    const start = this.fileStart(file);
    const stop = this.fileEnd(file);
    if (start === stop) return { first: 0, end: 0 };
    return { first: Math.floor(start / this.piece), end: Math.ceil(stop / this.piece) };
  }

  private fileEnd(file: number): number {
    const end = this.ends[file];
    if (end === undefined) throw new RangeError('a file that is not in the manifest');
    return end;
  }

  /** The first file that ends behind this byte of the stream, by halves. */
  private fileAt(offset: number): number {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.fileEnd(middle) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
