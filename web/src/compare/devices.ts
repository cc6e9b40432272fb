// Further devices that have joined by the link: what they tell of what they see, and the figures of it. Pure.

import type { Figures, ViewerFigures } from '../signal/msg.gen';
import { quantile } from '../stats/glass';

/** What one device told at one time. */
export interface Told extends Omit<Figures, 'type'> {
  /** Counted from 0, in the order of coming. */
  number: number;
  /** ms since the epoch by the page's clock. */
  at: number;
}

export interface DeviceFigures {
  number: number;
  /** "phone", where the device says it. */
  kind: string;
  route: Told['route'];
  /** Pictures whose delay was told. */
  pictures: number;
  /** ms; undefined: no delay was told. */
  delay: { median: number; p95: number; p99: number } | undefined;
  /** How wrong the clocks may make it at most, ms; undefined: not known. */
  error: number | undefined;
  /** Shown a second. */
  rate: number;
  join: number | undefined; // ms
  dropped: number;
  stalls: number;
  stalled: number; // ms
}

/** The server asks eight at a time; more than these come when pages are loaded again and again. */
const MOST = 32;

/** Gives devices their numbers. */
export class Devices {
  private readonly numbers = new Map<string, number>();

  /** undefined: there were too many before. */
  told({ endpoint, figures }: Pick<ViewerFigures, 'endpoint' | 'figures'>, at: number): Told | undefined {
    const number = this.numbers.get(endpoint) ?? this.numbers.size;
    if (number >= MOST) return undefined;
    this.numbers.set(endpoint, number);
    return { number, at, ...figures };
  }
}

/**
 * Of all that was told, device by device, and way by way where one had several. Counts are sums since the device's
 * page was opened, so a way begins with the first word on it, whose delays are of the time before.
 */
export function devicesOf(all: readonly Told[]): DeviceFigures[] {
  const numbers = [...new Set(all.map((t) => t.number))].sort((a, b) => a - b);
  return numbers.flatMap((number) => {
    const words = all.filter((t) => t.number === number);
    const routes = [...new Set(words.map((t) => t.route))];
    return routes.map((route) => figuresOf(route, words)).filter((f) => f.pictures > 0 || routes.length === 1);
  });
}

function figuresOf(route: Told['route'], words: readonly Told[]): DeviceFigures {
  // Two words after each other on the way: what came between them did so by it.
  const steps = words.slice(1).flatMap((to, i) => {
    const from = words[i];
    return from && from.route === route && to.route === route ? [{ from, to }] : [];
  });
  const sum = (of: (t: Told) => number): number =>
    steps.reduce((n, { from, to }) => n + Math.max(0, of(to) - of(from)), 0); // a page that is loaded anew counts from 0
  const delays = steps.flatMap(({ to }) => to.delays).sort((a, b) => a - b);
  const errors = steps.map(({ to }) => to.error);
  const seconds = sum((t) => t.at) / 1000;
  const last = words.at(-1);
  return {
    number: last?.number ?? 0,
    kind: last?.device ?? 'device',
    route,
    pictures: delays.length,
    delay:
      delays.length > 0
        ? { median: quantile(delays, 0.5), p95: quantile(delays, 0.95), p99: quantile(delays, 0.99) }
        : undefined,
    error: errors.length > 0 && errors.every((e) => e !== undefined) ? Math.max(...errors) : undefined,
    rate: seconds > 0 ? sum((t) => t.pictures) / seconds : 0,
    join: last?.join,
    dropped: sum((t) => t.dropped),
    stalls: sum((t) => t.stalls),
    stalled: sum((t) => t.stalled),
  };
}
