import { describe, expect, it } from 'vitest';
import type { ClockReading } from './clock';
import { stamps } from './stamp';

describe('what the strip says', () => {
  it('is the server’s time, and how sure that is', () => {
    let reading: ClockReading | undefined;
    const next = stamps(
      () => 1_000,
      () => reading,
    );
    expect(next()).toEqual({ time: 1_000, count: 1, error: undefined });
    reading = { offset: 50, roundTrip: 3 };
    expect(next()).toEqual({ time: 1_050, count: 2, error: 1.5 });
    for (let i = 3; i < 16; i++) next();
    expect(next().count).toBe(0);
  });
});
