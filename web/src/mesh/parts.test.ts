import { describe, expect, it } from 'vitest';
import { type Bytes, equal } from './bytes';
import { golden, pattern } from './golden.fixture';
import { HASH } from './merkle';
import { Chance } from './mutate.fixture';
import { BlobParts, cutLeaf, cutManifest, MAX_PARTS, Parts, partLength } from './parts';
import { append, type LeafFrame, MAX_MESSAGE, MIN_MESSAGE, parse, WireError } from './wire';

const proofOf = (nodes: number) => ({
  root: pattern(1, 32),
  signature: pattern(2, 64),
  nodes: pattern(3, nodes * HASH),
});

const frame = (offset: number, length: number, size: number): LeafFrame => ({
  type: 'leaf',
  piece: 1,
  leaf: 2,
  size,
  offset,
  proof: offset === 0 ? proofOf(2) : undefined,
  bytes: pattern(5, size).subarray(offset, offset + length),
});

/** Adds parts as [offset, length] and tells what each did. */
function adds(size: number, ...parts: [number, number][]): (boolean | 'refused')[] {
  const leaf = new Parts(1, 2, size);
  return parts.map(([offset, length]) => {
    try {
      return leaf.add(frame(offset, length, size));
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      return 'refused';
    }
  });
}

const { scripts } = golden<{
  scripts: { name: string; size: number; parts: [number, number][]; then: 'whole' | 'more' | 'refused' }[];
}>('parts.json');

it.each(scripts)('golden parts: $name, $then', ({ size, parts, then }) => {
  const results = adds(size, ...parts);
  expect(results.slice(0, -1)).not.toContain('refused');
  expect(results.at(-1)).toBe(then === 'refused' ? then : then === 'whole');
});

describe('the parts of a leaf', () => {
  it.each<[string, number, [number, number][], (boolean | 'refused')[]]>([
    ['whole', 10, [[0, 10]], [true]],
    [
      'in order',
      10,
      [
        [0, 4],
        [4, 4],
        [8, 2],
      ],
      [false, false, true],
    ],
    [
      'the last first',
      10,
      [
        [8, 2],
        [4, 4],
        [0, 4],
      ],
      [false, false, true],
    ],
    [
      'all equal',
      8,
      [
        [4, 4],
        [0, 4],
      ],
      [false, true],
    ],
    [
      'twice',
      10,
      [
        [0, 4],
        [0, 4],
      ],
      [false, 'refused'],
    ],
    [
      'the last twice',
      10,
      [
        [8, 2],
        [8, 2],
      ],
      [false, 'refused'],
    ],
    [
      'unequal',
      10,
      [
        [0, 4],
        [4, 3],
      ],
      [false, 'refused'],
    ],
    ['off the grid', 10, [[3, 4]], ['refused']],
    [
      'overlapping the last',
      10,
      [
        [8, 2],
        [0, 5],
      ],
      [false, 'refused'],
    ],
    [
      'a last that is longer than the others',
      10,
      [
        [0, 4],
        [4, 6],
      ],
      [false, 'refused'],
    ],
    [
      'a last off the grid',
      10,
      [
        [0, 4],
        [7, 3],
      ],
      [false, 'refused'],
    ],
    ['too many', 100, [[0, 10]], ['refused']],
    [
      'as many as may be',
      80,
      [
        [0, 10],
        [70, 10],
      ],
      [false, false],
    ],
    [
      'a short last first',
      80,
      [
        [75, 5],
        [0, 15],
      ],
      [false, false],
    ],
    [
      'whole after a part',
      10,
      [
        [0, 4],
        [0, 10],
      ],
      [false, 'refused'],
    ],
    [
      'a part after the whole',
      10,
      [
        [0, 10],
        [0, 4],
      ],
      [true, 'refused'],
    ],
  ])('%s', (_, size, parts, results) => {
    expect(adds(size, ...parts)).toEqual(results);
  });

  it('of another leaf or size are refused', () => {
    const leaf = new Parts(1, 2, 10);
    for (const other of [{ piece: 2 }, { leaf: 1 }, { size: 11 }]) {
      expect(() => leaf.add({ ...frame(0, 4, 10), ...other })).toThrow(WireError);
    }
  });

  it('give back the leaf and its proof, in any order, for messages of any size', () => {
    const chance = new Chance(7);
    for (let round = 0; round < 60; round++) {
      const bytes = pattern(round, 1 + chance.below(65_536));
      const proof = proofOf(chance.below(7));
      const largest = MIN_MESSAGE + chance.below(MAX_MESSAGE - MIN_MESSAGE);
      const frames = cutLeaf({ piece: 9, leaf: 3, bytes }, proof, largest);
      expect(frames.length).toBeLessThanOrEqual(MAX_PARTS);
      frames.sort(() => chance.below(3) - 1);
      const parts = new Parts(9, 3, bytes.length);
      const whole = frames.map((f) => {
        const message = append(f);
        expect(message.length).toBeLessThanOrEqual(largest);
        return parts.add(parse(message, 'lane') as LeafFrame);
      });
      expect(whole.indexOf(true)).toBe(frames.length - 1);
      expect(equal(parts.bytes, bytes)).toBe(true);
      expect(parts.proof).toEqual(proof);
    }
  });

  it('are the fewest that fit', () => {
    expect(partLength(65_536, 6, MAX_MESSAGE)).toBe(65_536);
    expect(partLength(65_536, 6, 61_440)).toBe(32_768);
    expect(partLength(65_536, 6, MIN_MESSAGE)).toBe(13_108);
    expect(partLength(1, 0, MIN_MESSAGE)).toBe(1);
  });
});

describe('the parts of a manifest', () => {
  const blob = pattern(4, 40_000);
  const all = (frames: readonly ReturnType<typeof cutManifest>[number][]): (Bytes | undefined)[] => {
    const parts = new BlobParts();
    return frames.map((f) => parts.add(f));
  };

  it('come in order and give the blob', () => {
    const frames = cutManifest(blob, MIN_MESSAGE);
    for (const f of frames) expect(append(f).length).toBeLessThanOrEqual(MIN_MESSAGE);
    const results = all(frames);
    expect(results.slice(0, -1).every((r) => r === undefined)).toBe(true);
    expect(results.at(-1)).toEqual(blob);
  });

  it('are refused out of order, twice, of another total, and after the end', () => {
    const [a, b, c] = cutManifest(blob, MIN_MESSAGE) as [never, never, never];
    expect(() => all([b])).toThrow(WireError);
    expect(() => all([a, a])).toThrow(WireError);
    expect(() => all([a, c])).toThrow(WireError);
    expect(() => all([a, { ...(b as object), total: 39_999 } as never])).toThrow(WireError);
    expect(() => all([a, b, c, c])).toThrow(WireError);
  });
});
