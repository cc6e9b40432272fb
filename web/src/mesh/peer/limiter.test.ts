import { describe, expect, it } from 'vitest';
import { LEAF } from '../merkle';
import { Limiter } from './limiter';

/** Bytes that leave in a time (ms) when somebody looks at such intervals. */
function sent(
  limiter: Limiter,
  { from = 0, time, every, slack = 100 }: Record<'time' | 'every', number> & { from?: number; slack?: number },
): number {
  let bytes = 0;
  for (let now = from; now <= from + time; now += every) {
    while (limiter.wait(now, slack) === 0) {
      limiter.take(LEAF);
      bytes += LEAF;
    }
  }
  return bytes;
}

describe('the limiter', () => {
  it('holds nothing up without a limit', () => {
    const limiter = new Limiter();
    limiter.take(1e12);
    expect(limiter.wait(0, 100)).toBe(0);
  });

  it('lets through its rate, however small its portions', () => {
    for (const rate of [100_000, 1_048_576, 20_000_000]) {
      const limiter = new Limiter();
      limiter.set(rate, 0);
      const bytes = sent(limiter, { time: 60_000, every: 5 });
      expect(bytes / (60 * rate)).toBeGreaterThan(0.99);
      expect(bytes).toBeLessThanOrEqual(60 * rate + 2 * LEAF + rate / 10);
    }
  });

  it('keeps its rate when it is looked at once a second, as in a hidden tab', () => {
    const limiter = new Limiter();
    limiter.set(2_000_000, 0);
    expect(sent(limiter, { time: 60_000, every: 1000, slack: 1100 }) / 120_000_000).toBeGreaterThan(0.98);
  });

  it('saves nothing up while there is nothing to send, and says how long it takes', () => {
    const limiter = new Limiter();
    limiter.set(LEAF, 0);
    expect(sent(limiter, { from: 3_600_000, time: 0, every: 1 })).toBe(2 * LEAF);
    expect(limiter.wait(3_600_000, 100)).toBe(1000);
    expect(limiter.wait(3_600_600, 100)).toBeCloseTo(400);
    limiter.set(10 * LEAF, 3_600_600);
    expect(limiter.wait(3_600_600, 100)).toBeCloseTo(40);
    limiter.set(0, 3_600_600);
    expect(limiter.wait(3_600_600, 100)).toBe(0);
  });
});
