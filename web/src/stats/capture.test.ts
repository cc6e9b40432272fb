import { describe, expect, it } from 'vitest';
import { capturedAt } from './capture';

const NTP = 2_208_988_800_000;
const source = { rtpTimestamp: 90_000, captureTimestamp: NTP + 50_000, senderCaptureTimeOffset: 300 };

describe('when a picture was captured', () => {
  it('is told by the clock of the sender', () => expect(capturedAt(source, 90_000)).toBe(49_700));
  it('is reckoned for the picture before the last', () =>
    expect(capturedAt(source, 90_000 - 3_000)).toBeCloseTo(49_666.67, 2));
  it('is reckoned over the end of the numbers', () => {
    expect(capturedAt({ ...source, rtpTimestamp: 10 }, 2 ** 32 - 80)).toBe(49_699);
  });
  it('needs no number', () => expect(capturedAt(source, undefined)).toBe(49_700));
  it.each([undefined, { rtpTimestamp: 1 }, { rtpTimestamp: 1, captureTimestamp: NTP }])('%o says nothing', (s) => {
    expect(capturedAt(s, 1)).toBeUndefined();
  });
});
