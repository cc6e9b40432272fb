// What it takes of the processor to pass the picture on, as far as browsers tell: how long the decoder and the
// encoders of the first viewer of the tree were busy. Pure.

import { type Logged, perSecond, series } from '../stats/log';
import type { Snapshot } from '../stats/vocabulary';

const RELAY = 'tree viewer 1';

/** Percent of one processor; undefined: no browser told it. */
export function workOf(snapshots: readonly Logged[]): number | undefined {
  const ends = series(snapshots.filter(({ what }) => what === RELAY || what.startsWith(`${RELAY} to `)));
  const sum = ends.reduce((n, list) => n + (perSecond(list, workIn) ?? 0), 0);
  return ends.length > 1 && sum > 0 ? 100 * sum : undefined;
}

/** Seconds. */
function workIn({ inbound, outbound }: Snapshot): number {
  const decoded = inbound.filter((t) => t.kind === 'video').reduce((n, t) => n + t.decodeTime, 0);
  return outbound.filter((t) => t.kind === 'video').reduce((n, t) => n + t.encodeTime, decoded);
}
