import { describe, expect, it } from 'vitest';
import { joinCluster } from './cluster';

/** As Firefox writes it: of unknown size, then its timestamp and a block. */
const cluster = (...time: number[]): Uint8Array =>
  Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, 1, 255, 255, 255, 255, 255, 255, 255, 0xe7, 0x80 + time.length, ...time, 0xa3);

describe('a cluster after what has come', () => {
  const cases = [
    { what: 'begins a millisecond too early: it is moved', time: [0x04, 0x26], end: 1.063, now: [0x04, 0x27] },
    { what: 'carries into the next byte', time: [0x04, 0xff], end: 1.281, now: [0x05, 0x01] },
    { what: 'begins where it should', time: [0x04, 0x27], end: 1.063, now: [0x04, 0x27] },
    { what: 'leaves a gap', time: [0x04, 0x40], end: 1.063, now: [0x04, 0x40] },
    { what: 'is of another time', time: [0x00, 0x00], end: 1.063, now: [0x00, 0x00] },
    { what: 'has no room for another time', time: [0xff], end: 0.257, now: [0xff] },
  ];
  for (const { what, time, end, now } of cases) {
    it(what, () => {
      const bytes = cluster(...time);
      joinCluster(bytes, end);
      expect(bytes).toEqual(cluster(...now));
    });
  }

  it('is left alone where it is cut off, and so is everything else', () => {
    for (const bytes of [cluster(0x04, 0x26).slice(0, 15), Uint8Array.of(0xa3, 0x81, 0), new Uint8Array()]) {
      const before = bytes.slice();
      joinCluster(bytes, 1.063);
      expect(bytes).toEqual(before);
    }
  });
});
