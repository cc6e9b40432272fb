// The curves that are drawn while it runs: for each way the median delay of each half second.

import { signal } from '@preact/signals';
import { quantile } from '../stats/glass';
import type { Sample } from './figures';
import type { Way } from './plan';

export interface Point {
  /** ms since the beginning. */
  at: number;
  delay: number; // ms
}

export type Curves = Partial<Record<Way, readonly Point[]>>;

const STEP = 500; // ms
/** Half a minute. */
const MOST = 60;

export class Live {
  readonly curves = signal<Curves>({});
  private began: number | undefined;
  private step = 0;
  private delays = new Map<Way, number[]>();

  reset(): void {
    this.curves.value = {};
    this.began = undefined;
    this.step = 0;
    this.delays = new Map();
  }

  observe({ way, at, code }: Sample): void {
    this.began ??= at;
    const step = Math.floor((at - this.began) / STEP);
    if (step > this.step) this.flush(step);
    const list = this.delays.get(way) ?? [];
    list.push(at - code);
    this.delays.set(way, list);
  }

  private flush(step: number): void {
    const curves: Curves = { ...this.curves.value };
    for (const [way, list] of this.delays) {
      const delay = quantile(
        list.sort((a, b) => a - b),
        0.5,
      );
      curves[way] = [...(curves[way] ?? []), { at: this.step * STEP, delay }].slice(-MOST);
    }
    this.delays = new Map();
    this.step = step;
    this.curves.value = curves;
  }
}
