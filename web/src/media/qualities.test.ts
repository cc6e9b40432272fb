import { describe, expect, it } from 'vitest';
import { qualitiesFor, qualityWords, smallerLines, warm, warmQualities } from './qualities';
import { DEFAULTS } from './settings';

const size = (height: number) => ({ width: Math.round((height * 16) / 9), height });

describe('smallerLines', () => {
  it.each([
    [2160, [270, 1080]],
    [1080, [270, 540]],
    [720, [180, 360]],
    [540, [180, 360]],
    [480, [240]],
    [360, [180]],
    [270, []],
    [90, []],
  ])('of %i lines: %j', (lines, want) => expect(smallerLines(lines, lines * lines * (16 / 9))).toEqual(want));

  it('are no more than Chromium sends of a picture with so few pixels', () => {
    expect(smallerLines(540, 720 * 540)).toEqual([270]);
    expect(smallerLines(300, 300 * 400)).toEqual([]);
  });
});

describe('qualitiesFor', () => {
  const told = (height: number | undefined, change = {}) =>
    qualitiesFor({ ...DEFAULTS, ...change }, height === undefined ? undefined : size(height), 'file').map((q) =>
      q.active ? `${q.rid}/${q.scaleResolutionDownBy.toFixed(1)}@${q.maxBitrate / 1000}` : q.rid,
    );

  it('are three, two or one, the smallest first', () => {
    expect(told(720)).toEqual(['q/4.0@200', 'h/2.0@480', 'f/1.0@3000']);
    expect(told(540)).toEqual(['q/3.0@200', 'h/1.5@480', 'f/1.0@2050']);
    expect(told(360)).toEqual(['q/2.0@200', 'h/1.0@1200', 'f']);
    expect(told(270)).toEqual(['q/1.0@850', 'h', 'f']);
    expect(told(undefined)).toEqual(told(720));
  });

  it('follow the chosen size, rate and format', () => {
    expect(told(1080, { height: 720 })).toEqual(['q/6.0@200', 'h/3.0@480', 'f/1.5@3000']);
    expect(told(720, { bitrate: 500 })).toEqual(['q/4.0@125', 'h/2.0@250', 'f/1.0@500']);
    expect(qualitiesFor({ ...DEFAULTS, frameRate: 15 }, size(720), 'file').map((q) => q.maxFramerate)).toEqual([
      15, 15, 15,
    ]);
  });

  it('are one where one is wanted', () => expect(told(1080, { one: true })).toEqual(['q/1.0@5100', 'h', 'f']));

  it('each take more than the one before', () => {
    for (const height of [300, 480, 540, 720, 1080, 2160])
      for (const bitrate of ['auto', 500, 12000] as const) {
        const rates = qualitiesFor({ ...DEFAULTS, bitrate }, size(height), 'file').flatMap((q) =>
          q.active ? [q.maxBitrate] : [],
        );
        expect(rates).toEqual([...new Set(rates)].sort((a, b) => a - b));
      }
  });
});

describe('qualityWords', () => {
  it('tell what viewers get', () => {
    expect(qualityWords(DEFAULTS, size(720), true)).toBe('Viewers on slow lines get 360p or 180p.');
    expect(qualityWords(DEFAULTS, size(360), true)).toBe('Viewers on slow lines get 180p.');
    expect(qualityWords(DEFAULTS, size(270), true)).toMatch(/one quality/);
    expect(qualityWords(DEFAULTS, undefined, true)).toMatch(/large enough/);
    expect(qualityWords(DEFAULTS, size(720), false)).toMatch(/This browser/);
    expect(qualityWords({ ...DEFAULTS, one: true }, size(720), true)).toMatch(/same picture/);
  });
});

describe('a picture that nobody needs now', () => {
  it('is small and comes once a second', () => {
    expect(warm({ maxBitrate: 3_000_000, degradationPreference: 'balanced' }, size(720))).toEqual({
      maxBitrate: 100_000,
      maxFramerate: 1,
      scaleResolutionDownBy: 4,
      degradationPreference: 'balanced',
    });
    expect(warm({ maxBitrate: 50_000, scaleResolutionDownBy: 8 }, size(720))).toMatchObject({
      maxBitrate: 50_000,
      scaleResolutionDownBy: 8,
    });
    expect(warm({}, undefined)).toMatchObject({ scaleResolutionDownBy: 1 });
  });

  it('is the smallest of several', () => {
    expect(
      warmQualities(qualitiesFor(DEFAULTS, size(720), 'file')).map((q) => [q.rid, q.active, q.maxFramerate]),
    ).toEqual([
      ['q', true, 1],
      ['h', false, 1],
      ['f', false, 1],
    ]);
  });
});
