// Ways whose pictures stood still while they were measured. What never came is in no delay: of such a way the
// pictures that did come say nothing, so it has a reason instead of figures. Pure.

import type { Gathered } from './experiment';
import type { Sample } from './figures';
import { called, type Way } from './plan';

/** Longer than that without a picture is no stall of a stream that goes on, in one page and without a line between. ms */
const LONGEST = 2_000;
/** Of the pictures that the best viewer of all ways had: who has fewer has hardly any. */
const SHARE = 0.25;

/** By way, the reasons in words. Ways that are not there went on at all their viewers, or nothing was measured. */
export function stillOf(g: Pick<Gathered, 'ways' | 'viewers' | 'samples' | 'measured'>): Map<Way, string[]> {
  const { measured } = g;
  if (!measured) return new Map();
  const own = (way: Way, viewer: number): Sample[] => g.samples.filter((s) => s.way === way && s.viewer === viewer);
  const all = g.ways.map((way) => ({ way, viewers: Array.from({ length: g.viewers }, (_, i) => own(way, i)) }));
  const most = Math.max(0, ...all.flatMap(({ viewers }) => viewers.map((list) => list.length)));
  const out = new Map<Way, string[]>();
  for (const { way, viewers } of all) {
    const reasons = viewers.flatMap((list, i) => {
      const why = reasonOf(list, most, measured);
      return why === undefined ? [] : `${called(way, viewers.length > 1 ? i : undefined)}: ${why}.`;
    });
    if (viewers.every((list) => list.length === 0)) out.set(way, [`${called(way)}: no pictures.`]);
    else if (reasons.length > 0) out.set(way, reasons);
  }
  return out;
}

type Span = NonNullable<Gathered['measured']>;

function reasonOf(list: readonly Sample[], most: number, { from, to }: Span): string | undefined {
  if (list.length === 0) return 'no pictures';
  if (list.length < SHARE * most) return `hardly any pictures, ${list.length} where another viewer had ${most}`;
  const longest = longestGap(list, from, to);
  return longest > LONGEST ? `the picture stood still for ${(longest / 1000).toFixed(1)} seconds` : undefined;
}

/** From the beginning to the first picture and from the last one to the end, too. ms */
function longestGap(list: readonly Sample[], from: number, to: number): number {
  const times = [from, ...list.map((s) => s.at).sort((a, b) => a - b), to];
  return Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
}
