import { describe, expect, it } from 'vitest';
import { readPicture } from './picture';

describe('readPicture', () => {
  it('reads an answer', () => {
    const low = { rid: 'q', width: 320, height: 180, bitrate: 150_000 };
    expect(readPicture({ qualities: [low], current: low, estimate: 2e6, bound: 'line' })).toEqual({
      qualities: [low],
      current: low,
      estimate: 2e6,
      bound: 'line',
    });
  });

  it.each([[undefined], [null], [7], ['text'], [{}], [{ qualities: 'none', current: 3, estimate: -1, bound: 'moon' }]])(
    'makes nothing of %j',
    (value) =>
      expect(readPicture(value)).toEqual({ qualities: [], current: undefined, estimate: undefined, bound: undefined }),
  );

  it('leaves out what is broken', () =>
    expect(readPicture({ qualities: [null, { width: 1 }, { width: 1, height: 2, bitrate: 3 }] }).qualities).toEqual([
      { width: 1, height: 2, bitrate: 3 },
    ]));
});
