// What comes in several messages put together again, and cut for sending: leaves in parts, the
// manifest's blob (docs/MESH.md section 6). It owns the bytes of one leaf or one blob, bounded by
// the leaf's size and by what came of the blob; it verifies no hash and no signature.

import type { Bytes } from './bytes';
import { HASH, proofLength } from './merkle';
import { SIGNATURE } from './sign';
import { append, type LeafFrame, type ManifestFrame, WireError } from './wire';

/** The most parts of a leaf: one of 64 KiB fits in five of the smallest messages that a peer may ask for. */
export const MAX_PARTS = 8;

const LEAF_HEAD = 1 + 4 + 2 + 4 + 4 + 1;
const MANIFEST_HEAD = 1 + 4 + 4;

/**
 * The bytes of the parts in which a leaf goes to a peer that takes messages of largest bytes: the
 * fewest parts, all of that length but the last. nodes hashes of the proof go with the first.
 */
export function partLength(size: number, nodes: number, largest: number): number {
  const room = largest - LEAF_HEAD - HASH - SIGNATURE - nodes * HASH;
  return Math.ceil(size / Math.ceil(size / room));
}

/** The frames of a leaf for a peer that takes messages of largest bytes. */
export function cutLeaf(
  leaf: Pick<LeafFrame, 'piece' | 'leaf' | 'bytes'>,
  proof: NonNullable<LeafFrame['proof']>,
  largest: number,
): LeafFrame[] {
  const size = leaf.bytes.length;
  const length = partLength(size, proof.nodes.length / HASH, largest);
  const out: LeafFrame[] = [];
  for (let offset = 0; offset < size; offset += length) {
    const bytes = leaf.bytes.subarray(offset, offset + length);
    const head = { type: 'leaf', piece: leaf.piece, leaf: leaf.leaf, size, offset } as const;
    out.push({ ...head, proof: offset === 0 ? proof : undefined, bytes });
  }
  return out;
}

/** Bytes of the largest head of a whole leaf, of a piece with so many leaves. */
export const headLength = (leaves: number): number => LEAF_HEAD + HASH + SIGNATURE + proofLength(0, leaves) * HASH;

/** A message: bytes as they lie in memory, and what goes before them. */
export interface Message {
  head: Bytes;
  bytes: Bytes;
}

/** The message of a whole leaf: the one that cutLeaf and append would make for a peer that takes it in one. */
export function wholeLeaf(
  { bytes, ...place }: Pick<LeafFrame, 'piece' | 'leaf' | 'bytes'>,
  proof: NonNullable<LeafFrame['proof']>,
): Message {
  // A frame with the first byte alone has the same head.
  const first = { type: 'leaf', ...place, size: bytes.length, offset: 0, proof, bytes: bytes.subarray(0, 1) } as const;
  return { head: append(first).subarray(0, -1), bytes };
}

/**
 * One leaf that was asked for. Its parts come in any order; all are of one length but the last,
 * which may be shorter.
 */
export class Parts {
  /** Root, signature and nodes, once the part of offset 0 came. They are copies. */
  proof: LeafFrame['proof'];
  /** The hash of the leaf, where it was begun before the leaf was read. */
  hash: Promise<Bytes> | undefined;

  private readonly piece: number;
  private readonly leaf: number;
  private readonly size: number;
  private memory: Bytes | undefined;
  private got = 0;
  /** The length of all parts but the last; 0 while none of them came. */
  private unit = 0;
  /** Where the parts begin that came, but for the last. */
  private readonly seen = new Set<number>();
  /** Where the last part begins, once it came. */
  private last: number | undefined;

  /** size: bytes of the leaf, known from the manifest, 1 or more. */
  constructor(piece: number, leaf: number, size: number) {
    this.piece = piece;
    this.leaf = leaf;
    this.size = size;
  }

  /** The leaf, once it is whole; a view of memory with room before it, which its hash wants (bytes.ts, behind). */
  get bytes(): Bytes {
    this.memory ??= new Uint8Array(1 + this.size).subarray(1);
    return this.memory;
  }

  /**
   * Takes a part of a frame that parse gave, and tells whether the leaf is whole. The memory of a whole
   * leaf is that of its message, which nobody else may use from then on. Throws WireError
   * when the sender broke the protocol: another leaf, another size, parts of unequal length, that
   * overlap, leave gaps or come twice.
   */
  add(frame: LeafFrame): boolean {
    if (frame.piece !== this.piece || frame.leaf !== this.leaf || frame.size !== this.size) {
      throw new WireError('value', 'a leaf that is not what was asked for');
    }
    if (!this.place(frame.offset, frame.bytes.length)) {
      throw new WireError('value', 'a part that does not fit to the others');
    }
    if (frame.proof) {
      const { root, signature, nodes } = frame.proof;
      this.proof = { root: root.slice(), signature: signature.slice(), nodes: nodes.slice() };
    }
    this.got += frame.bytes.length;
    if (frame.bytes.length === this.size) this.memory = frame.bytes;
    else this.bytes.set(frame.bytes, frame.offset);
    return this.got === this.size;
  }

  /** Notes a part, or tells that it does not fit to those that came before. */
  private place(offset: number, length: number): boolean {
    if (offset + length === this.size) {
      if (this.last !== undefined || !this.lastFits(offset, this.unit)) return false;
      this.last = offset;
      return true;
    }
    if (offset % length !== 0 || this.partsOf(length) > MAX_PARTS || this.seen.has(offset)) return false;
    if (this.unit === 0 ? this.last !== undefined && !this.lastFits(this.last, length) : length !== this.unit) {
      return false;
    }
    this.unit = length;
    this.seen.add(offset);
    return true;
  }

  /**
   * Whether the last part may begin at offset where the others have unit bytes, or where none of them
   * came yet and unit is 0: then one other at least, no shorter, must fit before it, or it is the whole.
   */
  private lastFits(offset: number, unit: number): boolean {
    const length = this.size - offset;
    if (unit > 0) return offset % unit === 0 && length <= unit;
    return offset === 0 || length <= offset;
  }

  private partsOf(length: number): number {
    return Math.ceil(this.size / length);
  }
}

/** The frames in which a blob goes to a peer that takes messages of largest bytes. */
export function cutManifest(blob: Bytes, largest: number): ManifestFrame[] {
  const out: ManifestFrame[] = [];
  for (let offset = 0; offset < blob.length; offset += largest - MANIFEST_HEAD) {
    const bytes = blob.subarray(offset, offset + largest - MANIFEST_HEAD);
    out.push({ type: 'manifest', total: blob.length, offset, bytes });
  }
  return out;
}

/** A manifest's blob from its frames. Its memory grows with what came, not with what was promised. */
export class BlobParts {
  private bytes: Bytes = new Uint8Array();
  private got = 0;
  private total = 0;

  /** Takes the next frame and gives the blob once it is whole. Throws WireError when it is not the next. */
  add(frame: ManifestFrame): Bytes | undefined {
    if (frame.offset !== this.got || (this.got > 0 && frame.total !== this.total)) {
      throw new WireError('value', 'a part of the manifest that is not the next');
    }
    this.total = frame.total;
    this.grow(this.got + frame.bytes.length);
    this.bytes.set(frame.bytes, this.got);
    this.got += frame.bytes.length;
    return this.got === this.total ? this.bytes.subarray(0, this.total) : undefined;
  }

  /** To twice its size at the least, so that many small parts are not copied over and over. */
  private grow(wanted: number): void {
    if (wanted <= this.bytes.length) return;
    const larger = new Uint8Array(Math.min(this.total, Math.max(wanted, 2 * this.bytes.length)));
    larger.set(this.bytes.subarray(0, this.got));
    this.bytes = larger;
  }
}
