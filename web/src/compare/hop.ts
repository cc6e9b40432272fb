// What it takes of the processor to pass the picture on, as far as browsers tell: how long the decoder and the
// encoders of the first viewer of the tree were busy. Pure.

import type { Logged } from '../stats/log';

const RELAY = 'tree viewer 1';

/** Percent of one processor; undefined: no browser told it. */
export function workOf(snapshots: readonly Logged[]): number | undefined {
  const ends = new Map<string, Logged[]>();
  for (const entry of snapshots) {
    if (entry.what === RELAY || entry.what.startsWith(`${RELAY} to `))
      ends.set(entry.what, [...(ends.get(entry.what) ?? []), entry]);
  }
  const shares = [...ends.values()].flatMap((list) => shareOf(list) ?? []);
  const sum = shares.reduce((a, b) => a + b, 0);
  return ends.size > 1 && sum > 0 ? 100 * sum : undefined;
}

/** Seconds of work for each second. */
function shareOf(list: readonly Logged[]): number | undefined {
  const [first, last] = [list[0], list.at(-1)];
  if (!first || !last || last.time <= first.time) return undefined;
  return (1000 * Math.max(0, workIn(last) - workIn(first))) / (last.time - first.time);
}

function workIn({ snapshot }: Logged): number {
  const decoded = snapshot.inbound.filter((t) => t.kind === 'video').reduce((n, t) => n + t.decodeTime, 0);
  return snapshot.outbound.filter((t) => t.kind === 'video').reduce((n, t) => n + t.encodeTime, decoded);
}
