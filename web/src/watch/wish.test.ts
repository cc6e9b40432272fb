import { describe, expect, it } from 'vitest';
import type { Picture } from '../topology/picture';
import { boundWords, choices, PACE, Pacer, type Shown, wishOf } from './wish';

const shown: Shown = { width: 1280, height: 720, ratio: 1, pictureWidth: 640, pictureHeight: 360, hidden: false };

describe('wishOf', () => {
  it.each([
    ['fills the element', {}, 655],
    ['counts device pixels', { ratio: 2 }, 1310],
    ['leaves the bars beside an upright picture out', { pictureWidth: 360, pictureHeight: 640 }, 655],
    ['leaves the bars over a wide one out', { height: 1000 }, 655],
    ['knows no shape yet', { pictureWidth: 0, pictureHeight: 0, height: 9000 }, 655],
    ['has no limit without a size', { width: 0, height: 0 }, 0],
  ] as const)('%s', (_, change, maxHeight) =>
    expect(wishOf({ ...shown, ...change }, undefined)).toEqual({ maxHeight, hidden: false }),
  );

  it('is what was chosen, and the least while nobody looks', () => {
    expect(wishOf(shown, 360)).toEqual({ maxHeight: 360, hidden: false });
    expect(wishOf({ ...shown, hidden: true }, 360)).toEqual({ maxHeight: 360, hidden: true });
  });
});

describe('Pacer', () => {
  const wish = (maxHeight: number) => ({ maxHeight, hidden: false });
  const reaching = (): Pacer => {
    const p = new Pacer();
    p.reach(true);
    return p;
  };

  it('tells the first wish at once, and the next ones when they have settled', () => {
    const p = reaching();
    expect(p.due()).toBeUndefined();
    p.want(wish(100), 5_000);
    expect(p.take(5_000)).toEqual({ wish: wish(100) });
    expect(p.due()).toBeUndefined();
    p.want(wish(200), 5_100);
    p.want(wish(300), 5_900);
    expect(p.due()).toBe(5_900 + PACE.settle);
    expect(p.take(6_100)).toBeUndefined();
    expect(p.take(6_200)).toEqual({ wish: wish(300) });
  });

  it('asks nothing while the server is away, and then what is wanted', () => {
    const p = new Pacer();
    p.want(wish(100), 0);
    p.watch(true);
    expect([p.due(), p.take(5_000)]).toEqual([undefined, undefined]);
    p.reach(true);
    expect(p.take(5_000)).toEqual({ wish: wish(100) });
    p.reach(false);
    p.want(wish(200), 6_000);
    p.look();
    expect([p.due(), p.take(9_000)]).toEqual([undefined, undefined]);
    p.reach(true);
    expect(p.take(9_000)).toEqual({ wish: wish(200) });
  });

  it('never asks more than once a second', () => {
    const p = reaching();
    const asked: number[] = [];
    p.watch(true);
    for (let now = 0; now < 20_000; now += 10) {
      if (now < 10_000) p.want(wish(now % 700 === 0 ? 1 : 2), now);
      if (now % 130 === 0) p.look();
      if (p.take(now)) asked.push(now);
    }
    expect(asked.length).toBeGreaterThan(5);
    asked.slice(1).forEach((at, i) => {
      expect(at - (asked[i] ?? 0)).toBeGreaterThanOrEqual(PACE.least);
    });
  });

  it('looks while somebody reads, and once when the picture has changed', () => {
    const p = reaching();
    p.want(wish(100), 0);
    p.take(0);
    expect(p.due()).toBeUndefined();
    p.watch(true);
    expect(p.take(PACE.look)).toEqual({ wish: undefined });
    p.watch(false);
    p.look();
    expect(p.take(PACE.look + PACE.least)).toEqual({ wish: undefined });
    expect(p.due()).toBeUndefined();
  });

  it('tells another path again', () => {
    const p = reaching();
    p.want(wish(100), 0);
    p.take(0);
    p.forget();
    expect(p.take(PACE.least)).toEqual({ wish: wish(100) });
  });
});

const picture: Picture = {
  qualities: [
    { rid: 'q', width: 320, height: 180, bitrate: 200_000 },
    { rid: 'h', width: 640, height: 360, bitrate: 480_000 },
    { rid: 'f', width: 1280, height: 720, bitrate: 2_400_000 },
  ],
  current: undefined,
  estimate: undefined,
  bound: 'line',
};

describe('the quality menu', () => {
  it('has the largest first', () => {
    expect(choices(picture, undefined).map((c) => c.words)).toEqual([
      'Auto',
      '720p · 2.4 Mbit/s',
      '360p · 480 kbit/s',
      '180p · 200 kbit/s',
    ]);
    expect(choices(undefined, undefined)).toEqual([{ height: undefined, words: 'Auto' }]);
  });

  it('keeps what was chosen', () =>
    expect(choices({ ...picture, qualities: [] }, 480).map((c) => c.words)).toEqual(['Auto', '480p']));

  it('says why it is not better', () => {
    const plain = { chosen: false, hidden: false };
    expect(boundWords(picture, plain)).toMatch(/line/);
    expect(boundWords({ ...picture, bound: 'source' }, plain)).toMatch(/best/);
    expect(boundWords({ ...picture, bound: 'wish' }, plain)).toMatch(/size/);
    expect(boundWords({ ...picture, bound: 'wish' }, { chosen: true, hidden: false })).toMatch(/chose/);
    expect(boundWords({ ...picture, bound: 'wish' }, { chosen: true, hidden: true })).toMatch(/looking/);
    expect(boundWords({ ...picture, bound: undefined }, plain)).toBeUndefined();
  });
});
