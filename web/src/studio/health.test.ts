import { describe, expect, it } from 'vitest';
import type { Figures, TrackRates } from '../stats/rates';
import { emptySnapshot, type Snapshot } from '../stats/vocabulary';
import { type Asked, GOOD, judge, Steady } from './health';

const video: TrackRates = {
  kind: 'video',
  direction: 'out',
  width: 1280,
  height: 720,
  bitrate: 2_000_000,
  packetRate: 200,
  frameRate: 30,
  loss: 0,
  jitter: 0,
  buffer: undefined,
  packets: 1000,
  lost: 0,
  nacks: 0,
  plis: 0,
  retransmitted: 0,
  frames: 300,
  dropped: 0,
  freezes: 0,
  concealed: undefined,
};
const asked: Asked = { size: { width: 1280, height: 720 }, maxBitrate: 2_500_000, moving: true, hidden: false };
const figures = (change: Partial<TrackRates>, roundTrip = 0.02): Figures => ({
  tracks: [{ ...video, ...change }],
  transport: emptySnapshot.transport,
  bitrateIn: 0,
  bitrateOut: 2_000_000,
  roundTrip,
});
const line = (available: number): Snapshot => ({
  ...emptySnapshot,
  transport: { ...emptySnapshot.transport, available },
});

describe('judge', () => {
  it('goes by the best of several qualities that is being sent', () => {
    const several = (...tracks: Partial<TrackRates>[]): Figures => ({
      ...figures({}),
      tracks: tracks.map((t) => ({ ...video, ...t })),
    });
    const small = { rid: 'q', width: 320, height: 180, limitedBy: 'bandwidth' } as const;
    expect(judge(several(small, { rid: 'f' }), line(9e6), asked)).toBe(GOOD);
    expect(judge(several(small, { rid: 'f', frameRate: 0 }), line(9e5), asked).title).toMatch(/smaller picture/);
  });

  it('has nothing to say when all is well', () => {
    expect(judge(figures({}), line(9e6), asked)).toEqual(GOOD);
  });

  it.each([
    ['loss that is repaired', figures({ loss: 0.03 }), asked, 'fair', /3\.0 % of what is sent gets lost/],
    ['much loss', figures({ loss: 0.2 }), asked, 'bad', /20 %/],
    ['a slow computer', figures({ limitedBy: 'cpu' }), asked, 'fair', /computer is too slow/],
    ['a thin line', figures({ limitedBy: 'bandwidth' }), asked, 'fair', /coarser/],
    ['a thin line and a small picture', figures({ limitedBy: 'bandwidth', width: 640 }), asked, 'fair', /smaller/],
    ['a long way', figures({}, 0.4), asked, 'fair', /400 ms/],
    ['a very long way', figures({}, 1.2), asked, 'bad', /1200 ms/],
    ['a hidden tab', figures({ frameRate: 1 }), { ...asked, hidden: true }, 'fair', /background/],
    ['a hidden tab that keeps its pace', figures({}), { ...asked, hidden: true }, 'good', /good/],
    [
      'a hidden tab with a paused file',
      figures({ frameRate: 1 }),
      { ...asked, hidden: true, moving: false },
      'good',
      /good/,
    ],
  ] as const)('finds %s', (_, now, wish, level, words) => {
    const health = judge(now, line(2_000_000), wish);
    expect(health.level).toBe(level);
    expect(health.title).toMatch(words);
  });

  it('does not call a line thin that carries all that is asked of it', () => {
    expect(judge(figures({ limitedBy: 'bandwidth' }), line(9e6), asked)).toEqual(GOOD);
  });

  it('tells what gets through, and what would be needed', () => {
    const health = judge(figures({ limitedBy: 'bandwidth' }), line(400_000), asked);
    expect(health.level).toBe('bad');
    expect(health.advice).toMatch(/About 400 kbit\/s get through; the picture would need up to 2\.5 Mbit\/s/);
  });
});

describe('Steady', () => {
  const worse = judge(figures({ loss: 0.03 }), line(9e6), asked);

  it('waits until a change has lasted', () => {
    const steady = new Steady();
    expect([worse, worse, worse].map((h) => steady.observe(h).level)).toEqual(['good', 'good', 'fair']);
    expect([GOOD, GOOD].map((h) => steady.observe(h).level)).toEqual(['fair', 'good']);
  });

  it('forgets what did not last, and takes other figures of the same matter at once', () => {
    const steady = new Steady();
    expect([worse, worse, GOOD, worse, worse].map((h) => steady.observe(h).level)).toEqual(Array(5).fill('good'));
    steady.observe(worse);
    const more = judge(figures({ loss: 0.05 }), line(9e6), asked);
    expect(steady.observe(more).title).toMatch(/5\.0 %/);
    steady.reset();
    expect(steady.observe(GOOD)).toEqual(GOOD);
  });
});
