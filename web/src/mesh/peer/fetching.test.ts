import { describe, expect, it } from 'vitest';
import { Layout } from '../layout';
import { LEAF } from '../merkle';
import { Scheduler } from '../schedule/schedule';
import { defaultConfig } from '../schedule/state';
import { Fetching, piecesBefore } from './fetching';
import { Memory, type Sink } from './sink';

const layout = new Layout([5 * LEAF, 0, 10, 5 * LEAF - 10]);
const PEER = 3;

/** A receiver of these files beside a peer that has everything. */
function receiver(wanted: readonly number[], whole: readonly number[] = [], sink: Sink = new Memory(layout.total)) {
  const sched = new Scheduler(defaultConfig({ size: layout.total, piece: layout.piece, leaf: LEAF }), () => 0);
  const fetching = new Fetching(sched, layout, sink, new Set(wanted), (piece) => whole.includes(piece));
  sched.peerJoined(PEER, 1, 20);
  sched.shown(PEER, 0, layout.pieces);
  return { sched, fetching };
}

/** Pieces that are asked for, each of one leaf, which comes at once. */
function asked(sched: Scheduler): number[] {
  const all: number[] = [];
  for (;;) {
    const pieces = sched.next(0).flatMap((action) => (action.kind === 'want' ? [action.piece] : []));
    if (pieces.length === 0) return all.sort((a, b) => a - b);
    for (const piece of pieces) sched.leafArrived(PEER, piece, 0, 0);
    all.push(...pieces);
  }
}

/** A sink that takes things in order. */
class InOrder extends Memory {
  readonly window = 3 * LEAF;
  at = 0;
  get position(): number {
    return this.at;
  }
}

describe('what is wanted', () => {
  it.each([
    { wanted: [0, 1, 2, 3], whole: [], total: layout.total, held: 0, pieces: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    { wanted: [2], whole: [], total: LEAF, held: 0, pieces: [5] },
    { wanted: [1], whole: [], total: 0, held: 0, pieces: [] },
    { wanted: [0], whole: [1, 4, 9], total: 5 * LEAF, held: 2 * LEAF, pieces: [0, 2, 3] },
  ])('$wanted with $whole here', ({ wanted, whole, total, held, pieces }) => {
    const { sched, fetching } = receiver(wanted, whole);
    expect(fetching.total).toBe(total);
    expect(fetching.held).toBe(held);
    expect(fetching.missing).toBe(pieces.length);
    expect(asked(sched)).toEqual(pieces);
  });

  it('is asked for no more while the person pauses', () => {
    const { sched, fetching } = receiver([0]);
    fetching.wish(false, 0);
    expect(asked(sched)).toEqual([]);
    fetching.wish(true, 0);
    expect(asked(sched)).toEqual([0, 1, 2, 3, 4]);
    expect(fetching.missing).toBe(0);
  });
});

describe('what was here and is not as it was', () => {
  it('is fetched again, and others are not given it meanwhile', () => {
    const { sched, fetching } = receiver([0, 3], [1, 4, 9]);
    expect(asked(sched)).toEqual([0, 2, 3, 5, 6, 7, 8]);
    fetching.lose(4);
    fetching.lose(4);
    expect([fetching.missing, fetching.held, fetching.here(4 * LEAF, 1)]).toEqual([1, 2 * LEAF, 0]);
    sched.wanted(PEER, 4, 0, 1);
    const leaf = { peer: PEER, piece: 4, first: 0, count: 1 };
    expect(sched.next(0)).toEqual([
      { kind: 'reject', ...leaf, reason: 'not-held' },
      { kind: 'want', ...leaf },
    ]);
    sched.leafArrived(PEER, 4, 0, 0);
    expect(fetching.missing).toBe(0);
    expect(sched.next(0)).toEqual([{ kind: 'have', peer: PEER, first: 4, count: 1 }]);
  });

  it('is left alone where it is not wanted', () => {
    const { sched, fetching } = receiver([2], [1, 5]);
    fetching.lose(1);
    expect([fetching.missing, fetching.held, sched.has(1), sched.held]).toEqual([0, LEAF, false, 1]);
    expect(asked(sched)).toEqual([]);
  });
});

describe('a sink that takes things in order', () => {
  it('gets what lies in its window, and more as it goes on', () => {
    const sink = new InOrder(layout.total);
    const { sched, fetching } = receiver([0, 3], [], sink);
    expect(fetching.missing).toBe(10);
    expect(asked(sched)).toEqual([0, 1, 2]);
    sink.at = 2 * LEAF;
    fetching.widen(0);
    expect(asked(sched)).toEqual([3, 4]);
    sink.at = layout.total;
    fetching.widen(0);
    expect(asked(sched)).toEqual([5, 6, 7, 8, 9]);
    expect(fetching.missing).toBe(0);
  });

  it('gets nothing while the person pauses, and then what has come into its window', () => {
    const sink = new InOrder(layout.total);
    const { sched, fetching } = receiver([0], [], sink);
    fetching.wish(false, 0);
    sink.at = LEAF;
    fetching.widen(0);
    expect(asked(sched)).toEqual([]);
    fetching.wish(true, 0);
    expect(asked(sched)).toEqual([0, 1, 2, 3]);
  });
});

describe('a player', () => {
  it('is told what is here in one run', () => {
    const { fetching } = receiver([0, 3], [2, 3, 9]);
    expect(fetching.here(0, 100)).toBe(0);
    expect(fetching.here(2 * LEAF + 5, 100)).toBe(100);
    expect(fetching.here(2 * LEAF + 5, 10 * LEAF)).toBe(2 * LEAF - 5);
    expect(fetching.here(layout.total - 1, LEAF)).toBe(1);
    expect(fetching.here(layout.total, LEAF)).toBe(0);
    expect(fetching.here(2 * LEAF, 0)).toBe(0);
  });

  it('has what follows it asked for first', () => {
    const { sched, fetching } = receiver([0, 3], [0]);
    fetching.play(7 * LEAF);
    const [first] = sched.next(0).filter((action) => action.kind === 'want');
    expect(first).toMatchObject({ piece: 7 });
  });
});

it.each([
  [[], 0, 0],
  [[0, 1, 5], 0, 0],
  [[0, 1, 5], 1, 1],
  [[0, 1, 5], LEAF + 1, 2],
  [[0, 1, 5], 5 * LEAF, 2],
  [[0, 1, 5], 99 * LEAF, 3],
])('pieces %j that begin before byte %i are %i', (pieces, byte, count) => {
  expect(piecesBefore(pieces, LEAF, byte)).toBe(count);
});
