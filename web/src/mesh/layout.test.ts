import { describe, expect, it } from 'vitest';
import { Layout, pieceSize } from './layout';
import { LEAF } from './merkle';
import { Chance } from './mutate.fixture';

const MIB = 1024 * 1024;

describe('the size of a piece', () => {
  it.each([
    [0, LEAF],
    [1, LEAF],
    [512 * LEAF, LEAF],
    [1022 * LEAF, LEAF],
    [1022 * LEAF + 1, 2 * LEAF],
    [1024 * LEAF, 2 * LEAF],
    [512 * 4 * MIB, 4 * MIB],
    [511 * 4 * MIB, 2 * MIB],
    [511 * 4 * MIB + 1, 4 * MIB],
    [2 ** 40, 4 * MIB],
  ])('for %d bytes is %d', (total, size) => {
    expect(pieceSize(total)).toBe(size);
  });
});

describe('a layout', () => {
  const sizes = [0, 100_000, 0, 0, 31_072, 65_536, 1, 0];
  const layout = new Layout(sizes);

  it('knows its pieces and leaves', () => {
    expect([layout.total, layout.piece, layout.pieces]).toEqual([196_609, 65_536, 4]);
    expect([0, 3, 4, -1].map((p) => layout.pieceLength(p))).toEqual([65_536, 1, 0, 0]);
    expect([0, 3, 4].map((p) => layout.leaves(p))).toEqual([1, 1, 0]);
    expect([layout.leafLength(3, 0), layout.leafLength(3, 1), layout.leafLength(4, 0)]).toEqual([1, 0, 0]);
    expect(layout.pieceStart(3)).toBe(196_608);
  });

  it('of large pieces has up to 64 leaves in each', () => {
    const large = new Layout([2 ** 40 - 1]);
    expect([large.pieces, large.leaves(0), large.leaves(262_143)]).toEqual([262_144, 64, 64]);
    expect(large.leafLength(262_143, 63)).toBe(LEAF - 1);
    expect(large.leafStart(1, 3)).toBe(4 * MIB + 3 * LEAF);
  });

  it('finds the files of a run, and none outside of the stream', () => {
    expect(layout.spans(65_536, 65_536)).toEqual([
      { file: 1, offset: 65_536, length: 34_464 },
      { file: 4, offset: 0, length: 31_072 },
    ]);
    expect(layout.spans(196_608, 65_536)).toEqual([{ file: 6, offset: 0, length: 1 }]);
    expect(layout.spans(99_999, 2)).toEqual([
      { file: 1, offset: 99_999, length: 1 },
      { file: 4, offset: 0, length: 1 },
    ]);
    for (const [offset, length] of [
      [196_609, 1],
      [-1, 5],
      [0, 0],
      [0, -1],
    ] as const) {
      expect(layout.spans(offset, length)).toEqual([]);
    }
  });

  it('finds the pieces of a file', () => {
    expect(sizes.map((_, file) => layout.filePieces(file))).toEqual([
      { first: 0, end: 0 },
      { first: 0, end: 2 },
      { first: 0, end: 0 },
      { first: 0, end: 0 },
      { first: 1, end: 2 },
      { first: 2, end: 3 },
      { first: 3, end: 4 },
      { first: 0, end: 0 },
    ]);
  });

  it('lays every byte in one place, whatever the files', () => {
    const chance = new Chance(11);
    for (let round = 0; round < 100; round++) {
      const files = Array.from({ length: 1 + chance.below(8) }, () =>
        chance.below(3) === 0 ? 0 : chance.below(200_000),
      );
      const l = new Layout(files);
      const lengths = files.map(() => 0);
      for (let piece = 0; piece < l.pieces; piece++) {
        let sum = 0;
        for (const { file, offset, length } of l.spans(l.pieceStart(piece), l.pieceLength(piece))) {
          expect(offset).toBe(lengths[file]);
          lengths[file] = offset + length;
          sum += length;
          const { first, end } = l.filePieces(file);
          expect(piece >= first && piece < end).toBe(true);
        }
        expect(sum).toBe(l.pieceLength(piece));
      }
      expect(lengths).toEqual(files);
    }
  });

  it('without bytes has no pieces', () => {
    const empty = new Layout([0, 0]);
    expect([empty.pieces, empty.total, empty.spans(0, 1)]).toEqual([0, 0, []]);
  });
});
