import { describe, expect, it } from 'vitest';
import { equal } from '../mesh/bytes';
import { Layout } from '../mesh/layout';
import { LEAF } from '../mesh/merkle';
import { Memory } from '../mesh/peer/sink';
import { Packed, piecesOf, sizeOf } from './packed';

const layout = new Layout([5 * LEAF, 10, 0, 3 * LEAF, 2 * LEAF]);
const bytes = Uint8Array.from({ length: layout.total }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

/** Takes these files into a place that is no larger than their pieces. */
async function taken(files: readonly number[]) {
  const pieces = piecesOf(layout, files);
  const packed = new Packed(new Memory(sizeOf(layout, pieces)), layout, pieces);
  for (const piece of [...pieces].reverse()) {
    for (let leaf = 0; leaf < layout.leaves(piece); leaf++) {
      const at = layout.leafStart(piece, leaf);
      await packed.write(at, bytes.slice(at, at + layout.leafLength(piece, leaf)));
    }
  }
  return { packed, pieces };
}

describe('a place for what is wanted alone', () => {
  it.each([[[0]], [[1, 4]], [[3]], [[0, 1, 2, 3, 4]], [[2]]])('gives files %j as they are', async (files) => {
    const { packed, pieces } = await taken(files);
    await packed.finish();
    for (const file of files) {
      const start = layout.fileStart(file);
      const size = layout.fileStart(file + 1) - start || (file === 4 ? 2 * LEAF : 0);
      const got = new Uint8Array(await packed.blob(start, size).arrayBuffer());
      expect(equal(got, bytes.slice(start, start + size))).toBe(true);
    }
    for (const piece of pieces) {
      const [at, length] = [layout.pieceStart(piece), layout.pieceLength(piece)];
      expect(equal(await packed.read(at, length), bytes.slice(at, at + length))).toBe(true);
    }
  });

  it('needs the room of what is wanted', () => {
    expect(sizeOf(layout, piecesOf(layout, [1]))).toBe(LEAF);
    expect(sizeOf(layout, piecesOf(layout, [0, 1, 2, 3, 4]))).toBe(layout.total);
    expect(sizeOf(layout, piecesOf(layout, [2]))).toBe(0);
  });

  it('has no place for anything else', async () => {
    const { packed } = await taken([0]);
    await expect(packed.write(9 * LEAF, new Uint8Array(1))).rejects.toThrow(RangeError);
  });
});
