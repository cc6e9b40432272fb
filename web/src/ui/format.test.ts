import { describe, expect, it } from 'vitest';
import { bitrate, bytes, clock, count, milliseconds, percent } from './format';

describe('numbers as people read them', () => {
  it.each([
    [bitrate(0), '0 kbit/s'],
    [bitrate(64_400), '64 kbit/s'],
    [bitrate(999_700), '1.0 Mbit/s'],
    [bitrate(2_540_000), '2.5 Mbit/s'],
    [bitrate(12_300_000), '12 Mbit/s'],
    [clock(7.9), '0:07'],
    [clock(725), '12:05'],
    [clock(3753), '1:02:33'],
    [clock(Number.NaN), '0:00'],
    [milliseconds(undefined), '–'],
    [milliseconds(0), '0 ms'],
    [milliseconds(0.0042), '4.2 ms'],
    [milliseconds(0.25), '250 ms'],
    [percent(undefined), '–'],
    [percent(0), '0 %'],
    [percent(0.004), '0.4 %'],
    [percent(0.123), '12 %'],
    [count(1, 'viewer', 'viewers'), '1 viewer'],
    [count(1200, 'viewer', 'viewers'), '1,200 viewers'],
    [bytes(900), '900 bytes'],
    [bytes(12_300_000), '12.3 MB'],
    [bytes(999_999), '1.0 MB'],
  ])('%s', (got, want) => {
    expect(got).toBe(want);
  });
});
