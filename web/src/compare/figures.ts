// From raw samples to figures: what each way took, and by how much ways differ for the same pictures.
// Everything that the page and the report say is computed here, from the samples alone. Pure.

import { quantile } from '../stats/glass';
import type { Way } from './plan';

/** One picture at one viewer. Times in ms by the page's clock. */
export interface Sample {
  way: Way;
  /** Counted from 0. */
  viewer: number;
  at: number;
  /** The time in the strip, by the page's clock: it names the picture, and is when it was made. */
  code: number;
}

/** What happened to one viewer beside its pictures. ms */
export interface Join {
  way: Way;
  viewer: number;
  join: number;
  stalls: { count: number; time: number };
}

export interface WayFigures {
  way: Way;
  pictures: number;
  /** ms */
  median: number;
  p95: number;
  p99: number;
  /** Median over viewers, ms. */
  join: number | undefined;
  stalls: number;
  stalled: number; // ms
}

/** Of the ways that brought pictures. Samples are those of the measured time alone: what was before served to settle. */
export function figuresOf(ways: readonly Way[], samples: readonly Sample[], joins: readonly Join[]): WayFigures[] {
  return ways.flatMap((way) => {
    const delays = sorted(samples.filter((s) => s.way === way).map((s) => s.at - s.code));
    if (delays.length === 0) return [];
    const own = joins.filter((j) => j.way === way);
    return {
      way,
      pictures: delays.length,
      median: quantile(delays, 0.5),
      p95: quantile(delays, 0.95),
      p99: quantile(delays, 0.99),
      join: own.length > 0 ? quantile(sorted(own.map((j) => j.join)), 0.5) : undefined,
      stalls: own.reduce((n, j) => n + j.stalls.count, 0),
      stalled: own.reduce((n, j) => n + j.stalls.time, 0),
    };
  });
}

/** By how much the same pictures came later at one place than at another. ms */
export interface Difference {
  pairs: number;
  /**
   * Without the twentieth at either end, which is what stood still. Browsers tell when a picture is on the screen in
   * steps of the screen's own pace, so that medians are at one step or at another; this one lies between.
   */
  mean: number;
  median: number;
  low: number;
  high: number;
  /** Blocks of one second that the interval from low to high is of. */
  blocks: number;
  /** What the interval is worth, 0…1: at least CONFIDENCE from six blocks on. Of fewer it is from the least to the greatest. */
  confidence: number;
}

/** What an interval aims at. */
export const CONFIDENCE = 0.95;

/** What one way takes more than another, for the same pictures at the same viewer: other − base. */
export interface Paired extends Difference {
  base: Way;
  other: Way;
}

const BLOCK = 1_000; // ms

/** Compares two ways by the pictures that one viewer had on both. */
export function pairedOf(samples: readonly Sample[], base: Way, other: Way): Paired | undefined {
  const of = (way: Way): Sample[] => samples.filter((s) => s.way === way);
  const found = differenceOf(of(base), of(other), (s) => `${s.viewer} ${s.code}`);
  return found && { base, other, ...found };
}

/** What a viewer who passes the picture on adds: the others behind the first one, against that one. */
export function hopOf(samples: readonly Sample[]): Difference | undefined {
  const tree = samples.filter((s) => s.way === 'tree');
  const of = (first: boolean): Sample[] => tree.filter((s) => (s.viewer === 0) === first);
  return differenceOf(of(true), of(false), (s) => String(s.code));
}

/**
 * The median is that of all pairs; its interval is by order statistics over the medians of one-second blocks, as
 * pictures that follow each other share what makes them late. name: the same for those that make a pair.
 */
function differenceOf(
  base: readonly Sample[],
  other: readonly Sample[],
  name: (s: Sample) => string,
): Difference | undefined {
  const there = new Map(base.map((s) => [name(s), s.at]));
  const pairs = other.flatMap((s) => {
    const at = there.get(name(s));
    return at === undefined ? [] : [{ block: Math.floor(s.code / BLOCK), difference: s.at - at }];
  });
  if (pairs.length === 0) return undefined;
  const blocks = new Map<number, number[]>();
  for (const { block, difference } of pairs) blocks.set(block, [...(blocks.get(block) ?? []), difference]);
  const medians = sorted([...blocks.values()].map((list) => quantile(sorted(list), 0.5)));
  const all = sorted(pairs.map((p) => p.difference));
  return {
    pairs: all.length,
    mean: meanOf(all),
    median: quantile(all, 0.5),
    blocks: medians.length,
    ...interval(medians),
  };
}

/** The mean of sorted numbers without the twentieth at either end. */
function meanOf(all: readonly number[]): number {
  const off = Math.floor(all.length / 20);
  const kept = all.slice(off, all.length - off);
  return kept.reduce((n, d) => n + d, 0) / kept.length;
}

export type Interval = Pick<Difference, 'low' | 'high' | 'confidence'>;

/** The narrowest interval between two ranks of sorted numbers that holds their median with CONFIDENCE; where none does, the widest. */
export function interval(all: readonly number[]): Interval {
  const n = all.length;
  let rank = 0;
  // Of n fair coins: exactly `rank` heads, and at most that many.
  let term = 0.5 ** n;
  let tail = term;
  for (;;) {
    const next = (term * (n - rank)) / (rank + 1);
    if (2 * (tail + next) > 1 - CONFIDENCE || 2 * (rank + 1) >= n) break;
    rank += 1;
    term = next;
    tail += next;
  }
  return { low: all[rank] ?? Number.NaN, high: all[n - 1 - rank] ?? Number.NaN, confidence: Math.max(0, 1 - 2 * tail) };
}

function sorted(list: readonly number[]): number[] {
  return [...list].sort((a, b) => a - b);
}
