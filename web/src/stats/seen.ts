// What a page has seen of a stream, in the words of the protocol (docs/PROTOCOL.md, section 3.7): sums, and the
// delays of the pictures since it told the last ones. Pure.

import type { Figures, Route } from '../signal/msg.gen';
import type { GlassSample, Stalls } from './glass';

export type Seen = Omit<Figures, 'type' | 'device'>;

/** As the server takes them. */
const MOST_DELAYS = 64;
const LEAST = -60_000; // ms
const MOST = 600_000; // ms
const MOST_COUNT = 1_000_000_000;

export class SeenMeter {
  private pictures = 0;
  private delays: number[] = [];
  private error: number | undefined;

  /** A picture was shown; sample: what was read of it, if it was read. */
  observe(sample: GlassSample | undefined): void {
    this.pictures += 1;
    if (sample?.byStrip === undefined || sample.byStrip < LEAST || sample.byStrip > MOST) return;
    if (this.delays.length < MOST_DELAYS) this.delays.push(Math.round(sample.byStrip));
    this.error = sample.error === undefined ? undefined : Math.max(this.error ?? 0, sample.error);
  }

  /** Delays are told once. */
  take(route: Route, { stalls, join, dropped }: { stalls: Stalls; join: number | undefined; dropped: number }): Seen {
    const seen: Seen = {
      route,
      pictures: count(this.pictures),
      dropped: count(dropped),
      stalls: count(stalls.count),
      stalled: count(stalls.time),
      ...(join === undefined ? {} : { join: count(join) }),
      ...(this.error === undefined ? {} : { error: Math.max(1, count(Math.ceil(this.error))) }),
      delays: this.delays,
    };
    this.forget();
    return seen;
  }

  /** Another way, or another question: delays of before say nothing of it. */
  forget(): void {
    this.delays = [];
    this.error = undefined;
  }
}

function count(n: number): number {
  return Math.min(MOST_COUNT, Math.max(0, Math.round(n)));
}
