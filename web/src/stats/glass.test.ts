import { describe, expect, it } from 'vitest';
import { GlassMeter, quantile, SPAN, StallMeter, sampleOf } from './glass';

const reading = { offset: 1_000, roundTrip: 4 };

describe('one picture', () => {
  it('takes the clock and both errors into account', () => {
    const s = sampleOf({ at: 5_120, strip: { time: 6_000, error: 0.5 }, captured: 5_990 }, reading);
    expect(s).toEqual({ at: 5_120, code: 6_000, byStrip: 120, byCapture: 130, error: 2.5 });
  });

  it('says less when less is known', () => {
    expect(sampleOf({ at: 5, strip: { time: 4, error: 1 } }, undefined)).toEqual({ at: 5, code: 4 });
    expect(sampleOf({ at: 5 }, reading)).toEqual({ at: 5 });
    expect(sampleOf({ at: 5, strip: { time: 4, error: undefined } }, reading)).not.toHaveProperty('error');
  });
});

describe('the figures', () => {
  it('are of the last seconds, and leave out what was read by chance', () => {
    const meter = new GlassMeter();
    meter.observe({ at: 0, byStrip: 9_999 });
    for (let i = 0; i < 100; i++)
      meter.observe({ at: SPAN + 1 + i, byStrip: 100 + i, byCapture: 90, error: 1 + (i % 2) });
    meter.observe({ at: SPAN + 200, byStrip: 4e6 });
    const f = meter.figures();
    expect(f.byStrip).toEqual({ median: 149.5, p95: 194.05, of: 100 });
    expect(f.byCapture?.median).toBe(90);
    expect(f.error).toBe(2);
  });

  it('are not made of two pictures', () => {
    const meter = new GlassMeter();
    expect(meter.figures()).toEqual({ byStrip: undefined, byCapture: undefined, error: undefined });
    meter.observe({ at: 1, byStrip: 1 });
    meter.observe({ at: 2, byStrip: 1 });
    expect(meter.figures().byStrip).toBeUndefined();
    meter.observe({ at: 3, byStrip: 1 });
    expect(meter.figures().byStrip?.of).toBe(3);
    meter.reset();
    expect(meter.figures().byStrip).toBeUndefined();
  });

  it('quantile', () => {
    expect(quantile([1, 2, 3], 0.5)).toBe(2);
    expect(quantile([1, 2], 0.5)).toBe(1.5);
    expect(quantile([7], 0.95)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('stalls', () => {
  const run = (...gaps: number[]): StallMeter => {
    const meter = new StallMeter();
    let at = 0;
    meter.observe(at);
    for (const gap of gaps) {
      at += gap;
      meter.observe(at);
    }
    return meter;
  };
  const steady = new Array<number>(30).fill(33);

  it('counts a gap that people notice, and its length', () => {
    expect(run(...steady, 400, ...steady).stalls).toEqual({ count: 1, time: 400 });
  });

  it('does not count jitter, nor the beginning', () => {
    expect(run(...steady, 90, 20, 150, 33).stalls.count).toBe(0);
    expect(run(2_000, 33, 33, 33).stalls.count).toBe(0);
  });

  it('does not count what was not expected', () => {
    const meter = run(...steady);
    meter.rest();
    meter.observe(1e6);
    meter.observe(1e6 + 33);
    expect(meter.stalls.count).toBe(0);
  });
});
