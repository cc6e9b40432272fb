// The tree of hashes over the leaves of one piece (docs/MESH.md section 5, RFC 9162 section 2.1).
// It owns hashes, proofs and roots; it does not know what a piece is, signs nothing and keeps no
// bytes of a leaf. Leaves are hashed by WebCrypto, which is fastest there. Nodes are hashed here and
// now: their 65 bytes take less time than the way to WebCrypto's thread and back, six times a leaf.

import { sha256 as hashNow } from '@noble/hashes/sha2.js';
import { type Bytes, behind, concat, equal } from './bytes';

/** Bytes of a leaf; only the last leaf of all has fewer. */
export const LEAF = 65_536;
/** Bytes of a hash. */
export const HASH = 32;

// The first byte of what is hashed tells leaves from nodes, so that no leaf passes for a node.
const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = 0x01;

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** The hash of a leaf's bytes: of 0x00 ‖ bytes. WebCrypto has made its copy when the call is over (WebCrypto, section 14.3.5). */
export const leafHash = (bytes: Bytes): Promise<Bytes> => behind(LEAF_PREFIX, bytes, sha256);

// One hash for all nodes, put back to its beginning each time. A new one for each would be most of what a receiver
// asks memory for, which makes browsers give a page more of it for good (V8 lets new space grow by what survives).
const begun = hashNow.create();
const hashing = hashNow.create();
/** 0x01 ‖ left ‖ right: a block of SHA-256, and the byte behind it. */
const block = new Uint8Array(2 * HASH);
const rest = new Uint8Array(1);

/** The hash of the node over the hashes at these places; out may be where one of them is. */
function nodeInto(left: Bytes, leftAt: number, right: Bytes, rightAt: number, out: Bytes): Bytes {
  block[0] = NODE_PREFIX;
  for (let i = 0; i < HASH; i++) block[1 + i] = left[leftAt + i] as number;
  for (let i = 0; i < HASH - 1; i++) block[1 + HASH + i] = right[rightAt + i] as number;
  rest[0] = right[rightAt + HASH - 1] as number;
  begun._cloneInto(hashing);
  hashing.update(block).update(rest).digestInto(out);
  return out;
}

/** The hash of the node over two others. */
export const nodeHash = (left: Bytes, right: Bytes): Bytes => nodeInto(left, 0, right, 0, new Uint8Array(HASH));

/** All hashes over the leaves of a piece, so that a proof is a matter of copying. */
export class Tree {
  /** The leaves first, the root alone last. */
  private readonly levels: readonly (readonly Bytes[])[];

  /**
   * The tree over the hashes of one leaf or more. Each level pairs its neighbours from the left,
   * and one that is left over goes up unchanged: the left side then holds the largest power of two.
   */
  constructor(leaves: readonly Bytes[]) {
    if (leaves.length === 0) throw new RangeError('a tree without leaves');
    let level: readonly Bytes[] = [...leaves];
    const levels = [level];
    while (level.length > 1) {
      level = above(level);
      levels.push(level);
    }
    this.levels = levels;
  }

  get leaves(): number {
    return (this.levels[0] as readonly Bytes[]).length;
  }

  get root(): Bytes {
    return (this.levels.at(-1) as readonly Bytes[])[0] as Bytes;
  }

  leaf(leaf: number): Bytes {
    if (!(leaf >= 0 && leaf < this.leaves)) throw new RangeError('a leaf outside of the tree');
    return (this.levels[0] as readonly Bytes[])[leaf] as Bytes;
  }

  /** The hashes beside a leaf's way up, from the bottom, one behind the other (RFC 9162 section 2.1.3.1). */
  proof(leaf: number): Bytes {
    if (!(leaf >= 0 && leaf < this.leaves)) throw new RangeError('a leaf outside of the tree');
    const beside = this.levels.map((level, height) => level[(leaf >> height) ^ 1]);
    return concat(...beside.filter((hash) => hash !== undefined));
  }
}

function above(level: readonly Bytes[]): Bytes[] {
  const out: Bytes[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] as Bytes;
    const right = level[i + 1];
    out.push(right === undefined ? left : nodeHash(left, right));
  }
  return out;
}

/** How many hashes the proof of a leaf has in a tree of that many leaves. */
export function proofLength(leaf: number, leaves: number): number {
  let length = 0;
  for (let at = leaf, count = leaves; count > 1; at >>= 1, count = (count + 1) >> 1) {
    if ((at ^ 1) < count) length++;
  }
  return length;
}

/**
 * Whether the bytes of this hash, which is used up, are that leaf of a tree of so many. A proof that is longer or
 * shorter than it has to be is wrong, so that each leaf has one proof (RFC 9162 section 2.1.3.2).
 */
export async function verifyLeaf(root: Bytes, leaf: number, leaves: number, proof: Bytes, hash: Promise<Bytes>) {
  if (!(leaf >= 0 && leaf < leaves) || proof.length !== proofLength(leaf, leaves) * HASH) return false;
  const sum = await hash;
  let used = 0;
  for (let at = leaf, count = leaves; count > 1; at >>= 1, count = (count + 1) >> 1) {
    if ((at ^ 1) >= count) continue;
    if (at % 2 === 0) nodeInto(sum, 0, proof, used, sum);
    else nodeInto(proof, used, sum, 0, sum);
    used += HASH;
  }
  return equal(sum, root);
}
