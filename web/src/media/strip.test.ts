import { describe, expect, it } from 'vitest';
import { CELLS, cellsOf, drawStrip, LENS, lightOf, type Stamp, stampOf, WRAP, wholeTime } from './strip';

/** Cells as an encoder may leave them: neither black nor white. */
const light = (stamp: Stamp, dark = 20, bright = 230): number[] => cellsOf(stamp).map((w) => (w ? bright : dark));

const NOW = 1_764_106_772_735.25;

describe('the strip', () => {
  it.each([0, 0.25, 1000, WRAP - 0.25, WRAP, NOW, NOW + 0.1])('says the time %d again', (time) => {
    const stamp = stampOf(light({ time, count: 5, error: 1 }));
    expect(stamp?.count).toBe(5);
    expect(wholeTime(stamp?.time ?? Number.NaN, time + 30_000)).toBeCloseTo(Math.round(time * 4) / 4, 6);
  });

  it.each([
    [undefined, undefined],
    [0, 0.25],
    [0.25, 0.25],
    [0.3, 0.5],
    [1, 1],
    [5, 8],
    [1e9, 4096],
  ])('tells an error of %s as at most %s', (error, told) => {
    expect(stampOf(light({ time: 1, count: 0, error }))?.error).toBe(told);
  });

  it('is read from a faint picture, and not from one without contrast', () => {
    const stamp = { time: 77, count: 1, error: 1 };
    expect(stampOf(light(stamp, 60, 150))?.time).toBe(77);
    expect(stampOf(light(stamp, 100, 150))).toBeUndefined();
  });

  it('notices each cell that is wrong, and each that is neither black nor white', () => {
    const good = light({ time: NOW, count: 9, error: 2 });
    for (let i = 0; i < CELLS; i++) {
      expect(stampOf(good.map((l, j) => (i === j ? 250 - l : l)))).toBeUndefined();
      expect(stampOf(good.map((l, j) => (i === j ? 125 : l)))).toBeUndefined();
    }
  });

  it('is found in hardly any picture that has none', () => {
    let seed = 1;
    const next = (): number => {
      seed = (seed * 16807) % 2147483647;
      return seed % 256;
    };
    let found = 0;
    for (let i = 0; i < 20_000; i++) if (stampOf(Array.from({ length: CELLS }, next))) found++;
    expect(found).toBe(0);
  });

  it('does not choke on too few cells', () => {
    expect(stampOf([])).toBeUndefined();
    expect(stampOf([255])).toBeUndefined();
  });
});

describe('drawing and reading', () => {
  it.each([
    [160, 90],
    [320, 180],
    [1280, 720],
    [1919, 1081],
    [180, 320],
  ])('%d × %d', (width, height) => {
    const rows = new Array<string[]>(height).fill([]).map(() => new Array<string>(width).fill('#888'));
    const brush = {
      fillStyle: '',
      fillRect(x: number, y: number, w: number, h: number): void {
        for (let row = y; row < y + h; row++) for (let at = x; at < x + w; at++) (rows[row] ?? [])[at] = this.fillStyle;
      },
    };
    drawStrip(brush, width, height, { time: 4321.5, count: 7, error: 0.5 });
    // As the reader's canvas does it: the top of the picture, shrunk to the lens.
    const pixels = new Uint8ClampedArray(4 * LENS.width * LENS.height);
    for (let y = 0; y < LENS.height; y++) {
      for (let x = 0; x < LENS.width; x++) {
        const row = rows[Math.floor(height * (0.015 + (0.03 * (y + 0.5)) / LENS.height))] ?? [];
        const colour = row[Math.floor((width * (x + 0.5)) / LENS.width)];
        const value = colour === '#fff' ? 255 : colour === '#000' ? 0 : 136;
        pixels.set([value, value, value, 255], 4 * (y * LENS.width + x));
      }
    }
    expect(stampOf(lightOf(pixels))).toEqual({ time: 4321.5, count: 7, error: 0.5 });
  });
});
