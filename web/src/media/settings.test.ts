import { describe, expect, it } from 'vitest';
import {
  codecOrder,
  codecsAmong,
  DEFAULTS,
  fitted,
  goodBitrate,
  hintFor,
  keepFor,
  limitsFor,
  readSettings,
  sentSize,
  withDelay,
} from './settings';

const full = { width: 1920, height: 1080 };
const upright = { width: 1080, height: 1920 };

describe('sentSize', () => {
  it.each([
    ['source', full, full],
    [1080, full, full],
    [720, full, { width: 1280, height: 720 }],
    [360, full, { width: 640, height: 360 }],
    [720, upright, { width: 720, height: 1280 }],
    [1080, { width: 480, height: 270 }, { width: 480, height: 270 }],
    [360, { width: 853, height: 481 }, { width: 638, height: 360 }],
  ] as const)('%s of %o is %o', (height, size, sent) => {
    expect(sentSize({ ...DEFAULTS, height }, size)).toEqual(sent);
  });
});

describe('goodBitrate', () => {
  it('grows with size and pace, and is less for thrifty codecs', () => {
    expect(goodBitrate({ width: 1280, height: 720 }, 30, 'auto')).toBe(3_000_000);
    expect(goodBitrate(full, 30, 'auto')).toBe(5_100_000);
    expect(goodBitrate({ width: 640, height: 360 }, 30, 'auto')).toBe(1_200_000);
    expect(goodBitrate(full, 60, 'auto')).toBeGreaterThan(goodBitrate(full, 30, 'auto'));
    expect(goodBitrate(full, 15, 'auto')).toBeLessThan(goodBitrate(full, 30, 'auto'));
    expect(goodBitrate(full, 30, 'VP9')).toBeLessThan(goodBitrate(full, 30, 'VP8'));
  });

  it('has a floor and a ceiling', () => {
    expect(goodBitrate({ width: 16, height: 16 }, 15, 'AV1')).toBe(250_000);
    expect(goodBitrate({ width: 15360, height: 8640 }, 60, 'VP8')).toBe(20_000_000);
  });
});

describe('limitsFor', () => {
  it('leaves size and pace of the source alone by default', () => {
    expect(limitsFor(DEFAULTS, full, 'file')).toEqual({
      maxBitrate: 5_100_000,
      scaleResolutionDownBy: 1,
      degradationPreference: 'maintain-framerate',
    });
  });

  it('follows what was chosen', () => {
    const chosen = { ...DEFAULTS, height: 360, frameRate: 15, bitrate: 1000, codec: 'VP9', keep: 'motion' } as const;
    expect(limitsFor(chosen, full, 'camera')).toEqual({
      maxBitrate: 1_000_000,
      maxFramerate: 15,
      scaleResolutionDownBy: 3,
      degradationPreference: 'maintain-framerate',
    });
  });

  it('keeps a screen sharp, and has an answer before there is a picture', () => {
    expect(limitsFor(DEFAULTS, undefined, 'screen')).toEqual({
      maxBitrate: 3_000_000,
      scaleResolutionDownBy: 1,
      degradationPreference: 'maintain-resolution',
    });
    expect(hintFor(keepFor(DEFAULTS, 'screen'))).toBe('detail');
    expect(hintFor(keepFor(DEFAULTS, 'file'))).toBe('motion');
    expect(hintFor(keepFor(DEFAULTS, 'camera'))).toBe('');
  });
});

describe('codecOrder', () => {
  it('puts what everybody plays first, and the chosen one before it', () => {
    expect(codecOrder('auto')).toEqual(['video/VP8', 'video/VP9', 'video/H264', 'video/AV1']);
    expect(codecOrder('H264')).toEqual(['video/H264', 'video/VP8', 'video/VP9', 'video/AV1']);
  });
});

describe('a codec that was kept', () => {
  const firefox = ['video/VP8', 'video/VP9', 'video/AV1', 'video/rtx'];
  it.each([
    ['H264', firefox, 'auto'],
    ['VP9', firefox, 'VP9'],
    ['auto', firefox, 'auto'],
    ['H264', ['video/h264'], 'H264'],
    ['VP8', [], 'auto'],
  ] as const)('%s among %j: %s', (codec, mimes, want) => {
    expect(fitted({ ...DEFAULTS, codec, height: 480 }, mimes)).toEqual({ ...DEFAULTS, codec: want, height: 480 });
  });

  it('is offered where the browser has it', () => expect(codecsAmong(firefox)).toEqual(['VP8', 'VP9', 'AV1']));
});

describe('readSettings', () => {
  it.each([[undefined], [null], ['text'], [{ height: 7, codec: 'HEVC', keep: 1, bitrate: '3000' }]])(
    'makes defaults of %o',
    (value) => expect(readSettings(value)).toEqual(DEFAULTS),
  );

  it('keeps what it understands', () => {
    const chosen = {
      height: 480,
      frameRate: 24,
      bitrate: 3000,
      codec: 'AV1',
      keep: 'detail',
      one: true,
      delay: 'steady',
    };
    expect(readSettings({ ...chosen, more: true })).toEqual(chosen);
  });
});

describe('the delay that viewers are asked for', () => {
  it.each([
    ['auto', '/whip/film'],
    ['least', '/whip/film?playout=0,0'],
    ['steady', '/whip/film?playout=300ms,1s'],
  ] as const)('%s', (delay, url) => expect(withDelay('/whip/film', delay)).toBe(url));
});
