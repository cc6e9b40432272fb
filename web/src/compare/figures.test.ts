import { describe, expect, it } from 'vitest';
import { figuresOf, hopOf, interval, pairedOf, type Sample } from './figures';

/** Pictures a fifteenth of a second apart, each with the delay that is given for its number. */
const run = (way: Sample['way'], n: number, delay: (i: number) => number, viewer = 0): Sample[] =>
  Array.from({ length: n }, (_, i) => ({ way, viewer, code: (i * 1000) / 15, at: (i * 1000) / 15 + delay(i) }));

describe('figures of the ways', () => {
  it('are of all viewers of a way', () => {
    const samples = [
      ...run('sfu', 100, (i) => 100 + i),
      ...run('sfu', 100, (i) => 100 + i, 1),
      ...run('star', 3, () => 50),
    ];
    const joins = [
      { way: 'sfu' as const, viewer: 0, join: 300, stalls: { count: 1, time: 400 } },
      { way: 'sfu' as const, viewer: 1, join: 500, stalls: { count: 1, time: 200 } },
    ];
    const [sfu, star] = figuresOf(['sfu', 'star', 'http'], samples, joins);
    expect(sfu).toMatchObject({ way: 'sfu', pictures: 200, median: 149.5, join: 400, stalls: 2, stalled: 600 });
    expect(sfu?.p99).toBeGreaterThan(sfu?.p95 ?? 0);
    expect(star).toMatchObject({ pictures: 3, median: 50, join: undefined, stalls: 0 });
  });

  it('are none of nothing', () => expect(figuresOf(['sfu'], [], [])).toEqual([]));
});

describe('the same pictures on two ways', () => {
  it('tell the difference of the ways whatever else makes them late', () => {
    const busy = (i: number): number => 100 + 80 * Math.abs(Math.sin(i / 7));
    const samples = [...run('sfu', 300, busy), ...run('star', 300, (i) => busy(i) - 20 + (i % 3))];
    const paired = pairedOf(samples, 'sfu', 'star');
    expect(paired).toMatchObject({ base: 'sfu', other: 'star', pairs: 300 });
    expect(paired?.median).toBeCloseTo(-19);
    expect(paired?.low).toBeGreaterThanOrEqual(-20);
    expect(paired?.high).toBeLessThanOrEqual(-18);
  });

  it('are those of one viewer, and those that both had', () => {
    const samples = [...run('sfu', 10, () => 10), ...run('star', 5, () => 5), ...run('star', 10, () => 900, 1)];
    expect(pairedOf(samples, 'sfu', 'star')).toMatchObject({ pairs: 5, median: -5 });
    expect(pairedOf(samples, 'sfu', 'http')).toBeUndefined();
  });
});

describe('differences in the steps of a screen', () => {
  it('have a mean between the steps, without what stood still', () => {
    // Three of five are at the next step, and one in thirty comes a second late.
    const steps = (i: number): number => (i % 30 === 7 ? 1000 : i % 5 < 3 ? 33 : 0);
    const paired = pairedOf([...run('sfu', 300, () => 0), ...run('star', 300, steps)], 'sfu', 'star');
    expect(paired?.median).toBe(33);
    expect(paired?.mean).toBeGreaterThan(15);
    expect(paired?.mean).toBeLessThan(25);
  });
});

describe('a viewer who passes the picture on', () => {
  it('adds what the others have later than the first one, on that way alone', () => {
    const samples = [
      ...run('tree', 60, () => 40),
      ...run('tree', 60, (i) => 88 + (i % 3), 1),
      ...run('tree', 60, (i) => 90 + (i % 3), 2),
      ...run('sfu', 60, () => 500, 1),
    ];
    expect(hopOf(samples)).toMatchObject({ pairs: 120, median: 50 });
  });

  it('adds nothing that is known where nobody is behind it', () => {
    expect(hopOf(run('tree', 10, () => 40))).toBeUndefined();
  });
});

describe('the interval of a median', () => {
  it.each([
    [1, 0, 0, 0],
    [2, 0, 1, 0.5],
    [3, 0, 2, 0.75],
    [5, 0, 4, 0.9375],
    [6, 0, 5, 0.96875],
    [9, 1, 7, 0.9609],
    [20, 5, 14, 0.9586],
  ])('of %d numbers lies from rank %d to %d, and is worth %d', (n, low, high, confidence) => {
    const found = interval(Array.from({ length: n }, (_, i) => i));
    expect(found).toMatchObject({ low, high });
    expect(found.confidence).toBeCloseTo(confidence, 4);
  });

  it('of nothing is none', () => expect(interval([])).toEqual({ low: Number.NaN, high: Number.NaN, confidence: 0 }));

  it('is that of the measurement over many runs of the page', async () => {
    const { between } = await import(new URL('../../e2e/measure/interval.mjs', import.meta.url).href);
    for (let n = 0; n <= 100; n++) {
      const all = Array.from({ length: n }, (_, i) => i);
      expect(between([...all].reverse())).toEqual(interval(all));
    }
  });

  it('is of blocks of one second', () => {
    expect(pairedOf([...run('sfu', 60, () => 1), ...run('star', 60, () => 2)], 'sfu', 'star')?.blocks).toBe(4);
  });
});
