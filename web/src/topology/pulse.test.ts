import { describe, expect, it } from 'vitest';
import { PULSE, Pulse } from './pulse';

/** Looks for so many ms at a source that sends a picture every so many ms; answers what was new, with its time. */
function watch(pulse: Pulse, { from = 0, lasts, every }: { from?: number; lasts: number; every: number }) {
  const news: [number, number][] = [];
  for (let now = from; now <= from + lasts; now += PULSE.look) {
    const heard = pulse.observe(1 + Math.floor(now / every), now);
    if (heard !== undefined) news.push([now, heard]);
  }
  return news;
}

describe('the pulse of a path', () => {
  it('is there while a film comes', () => {
    expect(watch(new Pulse(), { lasts: 10_000, every: 1000 / 15 })).toEqual([]);
  });

  it('stops once, half a second after the last picture, and comes back', () => {
    const pulse = new Pulse();
    watch(pulse, { lasts: 5_000, every: 1000 / 15 });
    const still = (now: number) => pulse.observe(76, now);
    expect([5_200, 5_400, 5_600, 5_800].map(still)).toEqual([undefined, undefined, 600, undefined]);
    expect(pulse.observe(80, 6_000)).toBe(0);
    expect(pulse.observe(83, 6_200)).toBeUndefined();
  });

  it('learns that a source is slow', () => {
    const pulse = new Pulse();
    watch(pulse, { lasts: 20_000, every: 1_000 });
    expect(watch(pulse, { from: 20_200, lasts: 20_000, every: 1_000 })).toEqual([]);
    expect(pulse.observe(41, 42_000)).toBeUndefined();
    expect(pulse.observe(41, 43_800)).toBeGreaterThanOrEqual(3_000);
  });

  it('begins anew with another connection', () => {
    const pulse = new Pulse();
    watch(pulse, { lasts: 2_000, every: 100 });
    pulse.reset();
    expect(pulse.observe(0, 9_000)).toBeUndefined();
    expect(pulse.observe(0, 9_200)).toBeUndefined();
    expect(pulse.observe(0, 9_600)).toBe(600);
  });
});
