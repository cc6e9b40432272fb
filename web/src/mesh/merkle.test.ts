import { describe, expect, it } from 'vitest';
import { type Bytes, concat, hex } from './bytes';
import { golden, pattern, unhex } from './golden.fixture';
import { HASH, LEAF, leafHash, nodeHash, proofLength, sha256, Tree, verifyLeaf } from './merkle';

interface Golden {
  leaves: number;
  length: number;
  last: number;
  hashes: string[];
  root: string;
  proofs: string[];
}

const { trees } = golden<{ trees: Golden[] }>('merkle.json');

/** Leaves of one length, the last one of its own. */
const leavesOf = (count: number, length: number, last: number): Bytes[] =>
  Array.from({ length: count }, (_, j) => pattern(7 + j, j === count - 1 ? last : length));

const treeOf = async (leaves: readonly Bytes[]): Promise<Tree> => new Tree(await Promise.all(leaves.map(leafHash)));

/** The definition of RFC 9162 section 2.1.1, word by word. */
async function slowRoot(leaves: readonly Bytes[]): Promise<Bytes> {
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), leaves[0] as Bytes));
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(await slowRoot(leaves.slice(0, split)), await slowRoot(leaves.slice(split)));
}

describe('the golden file', () => {
  it.each(trees)('$leaves leaves of $length bytes', async (g) => {
    const leaves = leavesOf(g.leaves, g.length, g.last);
    const hashes = await Promise.all(leaves.map(leafHash));
    const tree = new Tree(hashes);
    expect(hashes.map(hex)).toEqual(g.hashes);
    expect(hex(tree.root)).toBe(g.root);
    expect(leaves.map((_, i) => hex(tree.proof(i)))).toEqual(g.proofs);
    for (const [i, leaf] of leaves.entries()) {
      expect(await verifyLeaf(unhex(g.root), i, g.leaves, unhex(g.proofs[i] as string), leafHash(leaf))).toBe(true);
    }
  });
});

describe('a tree', () => {
  it('is the one of the definition, for every number of leaves up to 66', async () => {
    for (let count = 1; count <= 66; count++) {
      const leaves = leavesOf(count, 9, 4);
      const tree = await treeOf(leaves);
      expect(hex(tree.root)).toBe(hex(await slowRoot(leaves)));
      expect(tree.leaves).toBe(count);
      for (const [i, leaf] of leaves.entries()) {
        expect(tree.proof(i).length).toBe(proofLength(i, count) * HASH);
        expect(await verifyLeaf(tree.root, i, count, tree.proof(i), leafHash(leaf))).toBe(true);
      }
    }
  });

  it('without leaves is a fault of the caller, and so is a leaf outside of it', async () => {
    expect(() => new Tree([])).toThrow(RangeError);
    const tree = await treeOf(leavesOf(2, 9, 9));
    expect(() => tree.proof(2)).toThrow(RangeError);
    expect(() => tree.proof(-1)).toThrow(RangeError);
  });
});

describe('verifyLeaf refuses', async () => {
  const count = 5;
  const leaves = leavesOf(count, 9, 4);
  const tree = await treeOf(leaves);
  const proof = tree.proof(2);
  const flipped = proof.slice();
  flipped[40] = (flipped[40] as number) ^ 0x80;
  const two = nodeHash(await leafHash(leaves[2] as Bytes), await leafHash(leaves[3] as Bytes));
  const below = concat(await leafHash(leaves[2] as Bytes), await leafHash(leaves[3] as Bytes));

  it.each<[string, number, number, Bytes, Bytes]>([
    ['other bytes', 2, count, proof, leaves[3] as Bytes],
    ['another place', 3, count, proof, leaves[2] as Bytes],
    ['another number of leaves', 2, 9, proof, leaves[2] as Bytes],
    ['one bit of the proof', 2, count, flipped, leaves[2] as Bytes],
    ['no proof', 2, count, new Uint8Array(), leaves[2] as Bytes],
    ['a proof that is short', 2, count, proof.slice(0, -HASH), leaves[2] as Bytes],
    ['a proof that is long', 2, count, concat(proof, new Uint8Array(HASH)), leaves[2] as Bytes],
    ['a proof that is cut', 2, count, proof.slice(0, -1), leaves[2] as Bytes],
    ['a place below zero', -1, count, proof, leaves[2] as Bytes],
    ['a place behind the last', count, count, proof, leaves[2] as Bytes],
    ['a tree of no leaves', 0, 0, new Uint8Array(), new Uint8Array()],
    ["a node's content as a leaf", 1, 3, proof.slice(HASH), below],
    ["a node's hash as a leaf", 1, 3, proof.slice(HASH), two],
  ])('%s', async (_, leaf, of, nodes, bytes) => {
    expect(await verifyLeaf(tree.root, leaf, of, nodes, leafHash(bytes))).toBe(false);
  });
});

it('a leaf has 64 KiB', () => {
  expect(LEAF).toBe(65_536);
});

it('a leaf has one hash, wherever it lies in memory', async () => {
  const want = hex(await leafHash(pattern(3, 1000)));
  for (const before of [0, 1, 255]) {
    const memory = concat(Uint8Array.of(9, before), pattern(3, 1000), Uint8Array.of(7));
    expect(hex(await leafHash(memory.subarray(2, 1002)))).toBe(want);
  }
  expect(hex(await leafHash(pattern(3, 1000)))).toBe(want);
});

it('hashes a leaf where it lies in a message, and leaves that as it is', async () => {
  const message = Uint8Array.of(9, 8, 7, 1, 2, 3);
  const leaf = message.subarray(3);
  const hash = leafHash(leaf);
  expect([...message]).toEqual([9, 8, 7, 1, 2, 3]);
  message.fill(0); // what was given is what is hashed
  expect(await hash).toEqual(await leafHash(Uint8Array.of(1, 2, 3)));
});
