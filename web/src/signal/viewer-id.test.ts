import { describe, expect, it } from 'vitest';
import { signalUrl } from './client';
import { Clock } from './clock';
import { newViewerId, viewerId } from './viewer-id';

describe('viewerId', () => {
  it('is 22 characters of base64url, and another one each time', () => {
    const made = Array.from({ length: 50 }, newViewerId);
    for (const id of made) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(new Set(made).size).toBe(50);
  });

  it('is kept', () => {
    const kept = new Map<string, string>();
    const storage = () => ({
      getItem: (k: string) => kept.get(k) ?? null,
      setItem: (k: string, v: string) => void kept.set(k, v),
    });
    const first = viewerId(storage);
    expect(viewerId(storage)).toBe(first);
    kept.set('fanfare.viewer', '<script>');
    expect(viewerId(storage)).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  it('works where storage is barred', () => {
    expect(
      viewerId(() => {
        throw new Error('barred');
      }),
    ).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});

describe('signalUrl', () => {
  it.each([
    ['http:', 'example.test:8080', 'ws://example.test:8080/ws'],
    ['https:', '[2001:db8::1]', 'wss://[2001:db8::1]/ws'],
  ])('%s//%s', (protocol, host, want) => {
    expect(signalUrl({ protocol, host })).toBe(want);
  });
});

describe('Clock', () => {
  it('believes the sample with the least round trip, of the latest few', () => {
    const c = new Clock();
    expect(c.reading()).toBeUndefined();
    c.observe(0, 5_050, 100);
    c.observe(1_000, 6_010, 1_020);
    expect(c.reading()).toEqual({ offset: 5_000, roundTrip: 20 });
    for (let i = 0; i < 8; i++) c.observe(10_000, 15_100, 10_200);
    expect(c.reading()?.roundTrip).toBe(200);
  });

  it('ignores answers from before the question', () => {
    const c = new Clock();
    c.observe(100, 100, 50);
    c.observe(100, Number.NaN, 150);
    expect(c.reading()).toBeUndefined();
  });
});
