// From one screen to another: what is known of each picture that was shown, and the figures of it.
// Two ways tell when a picture was made: the strip in it (media/strip.ts), and the time of capture that
// travels with its packets (abs-capture-time) where the browser tells it. Pure.

import type { ClockReading } from '../signal/clock';

/** The strip of a picture. */
export interface StripTime {
  /** ms since the epoch, by the clock of the strip, which is meant to be the server's. */
  time: number;
  /** How wrong that clock may be, ms; undefined: not known. */
  error: number | undefined;
}

/** One picture that was shown. Times in ms since the epoch by the page's clock, unless another is named. */
export interface Shown {
  /** When it is on the screen, as the browser expects. */
  at: number;
  strip?: StripTime;
  /** When it was captured, by the clock of the server. */
  captured?: number;
}

/** What a picture's way took, ms. */
export interface GlassSample {
  at: number;
  /** The time in the strip, which names the picture on whatever way it comes. */
  code?: number;
  byStrip?: number;
  byCapture?: number;
  /** How wrong byStrip may be, for the clocks' sake; undefined: not known. */
  error?: number;
}

/** reading: how the server's clock lies to the page's; undefined while that is not known. */
export function sampleOf(shown: Shown, reading: ClockReading | undefined): GlassSample {
  const sample: GlassSample = { at: shown.at };
  if (shown.strip) sample.code = shown.strip.time;
  if (!reading) return sample;
  const there = shown.at + reading.offset;
  if (shown.strip) {
    sample.byStrip = there - shown.strip.time;
    if (shown.strip.error !== undefined) sample.error = shown.strip.error + reading.roundTrip / 2;
  }
  if (shown.captured !== undefined) sample.byCapture = there - shown.captured;
  return sample;
}

export interface Delay {
  /** ms */
  median: number;
  p95: number;
  /** How many pictures it is of. */
  of: number;
}

export interface GlassFigures {
  byStrip: Delay | undefined;
  byCapture: Delay | undefined;
  /** Of byStrip, ms; undefined: not known. */
  error: number | undefined;
}

/** ms of pictures that the figures are of: long enough for a quantile, short enough to follow what changes. */
export const SPAN = 5_000;
/** More than any screen shows in that time. */
const MOST = 1_000;
/** A strip that is read by chance in a picture without one says any time; a real one comes soon. */
const FOREVER = 60_000;

export class GlassMeter {
  private samples: GlassSample[] = [];

  observe(sample: GlassSample): void {
    this.samples.push(sample);
    const from = sample.at - SPAN;
    while (this.samples.length > MOST || (this.samples[0]?.at ?? from) < from) this.samples.shift();
  }

  /** Another way: what came before says nothing of it. */
  reset(): void {
    this.samples = [];
  }

  figures(): GlassFigures {
    const errors = this.samples.flatMap((s) => s.error ?? []);
    return {
      byStrip: delayOf(this.samples.flatMap((s) => s.byStrip ?? [])),
      byCapture: delayOf(this.samples.flatMap((s) => s.byCapture ?? [])),
      error: errors.length > 0 ? Math.max(...errors) : undefined,
    };
  }
}

function delayOf(all: readonly number[]): Delay | undefined {
  const sorted = all.filter((d) => Math.abs(d) < FOREVER).sort((a, b) => a - b);
  if (sorted.length < 3) return undefined;
  return { median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), of: sorted.length };
}

/** Of sorted numbers, between the two nearest ranks. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  return low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? low) - low);
}

/** Pictures that did not come when they were due. */
export interface Stalls {
  count: number;
  /** ms, sum */
  time: number;
}

/** Gaps that people notice, as the statistics of WebRTC define a freeze: of the last pictures' mean m, 3 m and m + 150 ms. */
export class StallMeter {
  private last: number | undefined;
  private mean = 0;
  private seen = 0;
  readonly stalls: Stalls = { count: 0, time: 0 };

  /** A picture was shown at `at`, ms. */
  observe(at: number): void {
    const gap = this.last === undefined ? undefined : at - this.last;
    this.last = at;
    if (gap === undefined || gap < 0) return;
    if (this.seen >= STALL.warm && gap > Math.max(3 * this.mean, this.mean + STALL.extra)) {
      this.stalls.count += 1;
      this.stalls.time += gap;
      return;
    }
    this.seen += 1;
    this.mean += (gap - this.mean) / Math.min(this.seen, STALL.frames);
  }

  /** Pictures are not expected: paused, hidden, another way. What comes next ends no gap. */
  rest(): void {
    this.last = undefined;
  }
}

const STALL = { warm: 5, frames: 30, extra: 150 } as const;
