import { describe, expect, it } from 'vitest';
import { staysBeside } from './links';

const made = (attempt: number, ours: boolean) => ({ attempt: Uint8Array.of(attempt), ours });

describe('two connections to one peer', () => {
  it('leave the same one at both ends when two offers crossed', () => {
    for (const [first, second] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const here = staysBeside(made(first, true), made(second, false), 0);
      // The other side offered the second, and may have seen the two in the other order.
      expect(staysBeside(made(first, false), made(second, true), 0)).toBe(here);
      expect(staysBeside(made(second, true), made(first, false), 0)).toBe(!here);
    }
  });

  it('leave the newer one when the other side has come again', () => {
    expect(staysBeside(made(2, false), made(1, false), 0)).toBe(false);
    expect(staysBeside(made(2, true), made(1, false), 60_000)).toBe(false);
  });
});
