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
 * Of all that was told, device by device. Counts are sums since the device's page was opened, so the first word is
 * where they begin, and its delays are of the time before.
 */
export function devicesOf(all: readonly Told[]): DeviceFigures[] {
  const numbers = [...new Set(all.map((t) => t.number))].sort((a, b) => a - b);
  return numbers.flatMap((number) => figuresOf(all.filter((t) => t.number === number)) ?? []);
}

function figuresOf(words: readonly Told[]): DeviceFigures | undefined {
  const [first, last] = [words[0], words.at(-1)];
  if (!first || !last) return undefined;
  const rest = words.slice(1);
  const delays = rest.flatMap((t) => t.delays).sort((a, b) => a - b);
  const errors = rest.map((t) => t.error);
  const seconds = (last.at - first.at) / 1000;
  return {
    number: first.number,
    kind: last.device ?? 'device',
    route: last.route,
    pictures: delays.length,
    delay:
      delays.length > 0
        ? { median: quantile(delays, 0.5), p95: quantile(delays, 0.95), p99: quantile(delays, 0.99) }
        : undefined,
    error: errors.length > 0 && errors.every((e) => e !== undefined) ? Math.max(...errors) : undefined,
    rate: seconds > 0 ? since(first, last, 'pictures') / seconds : 0,
    join: last.join,
    dropped: since(first, last, 'dropped'),
    stalls: since(first, last, 'stalls'),
    stalled: since(first, last, 'stalled'),
  };
}

/** A page that was loaded anew counts from 0 again. */
function since(first: Told, last: Told, name: 'pictures' | 'dropped' | 'stalls' | 'stalled'): number {
  return Math.max(0, last[name] - first[name]);
}
