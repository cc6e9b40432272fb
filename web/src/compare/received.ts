// What came at the viewers of a way: at which rate, and how large. Browsers send less, and a smaller picture, where
// a line or a processor carries no more; there delays alone would say nothing. Pure.

import { type Logged, perSecond, series } from '../stats/log';
import type { Way } from './plan';

export interface Received {
  /** bit/s, the median viewer's. */
  bitrate: number;
  /** Of the smallest picture that one of them had, pixels; 0: not known. */
  width: number;
  height: number;
}

export function receivedOf(way: Way, snapshots: readonly Logged[]): Received | undefined {
  const ofViewers = snapshots.filter(
    ({ what, snapshot }) => what.startsWith(`${way} viewer`) && snapshot.inbound.some((t) => t.kind === 'video'),
  );
  const rates = series(ofViewers)
    .flatMap((list) => perSecond(list, (s) => 8 * s.transport.bytesIn) ?? [])
    .sort((a, b) => a - b);
  if (rates.length === 0) return undefined;
  const [width, height] = ofViewers.map(sizeOf).reduce(smaller, [0, 0]);
  return { bitrate: rates[Math.floor((rates.length - 1) / 2)] ?? 0, width, height };
}

type Size = readonly [width: number, height: number];

function sizeOf({ snapshot }: Logged): Size {
  const video = snapshot.inbound.find((t) => t.kind === 'video');
  return [video?.width ?? 0, video?.height ?? 0];
}

/** A size that is not known says nothing. */
function smaller(a: Size, b: Size): Size {
  if (b[0] * b[1] === 0) return a;
  return a[0] * a[1] === 0 || b[0] * b[1] < a[0] * a[1] ? b : a;
}
