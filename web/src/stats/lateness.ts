// How late this machine's timers are: where they are late, so is everything that is measured. The shell
// round the worker that measures it.

import { quantile } from './glass';

export class Lateness {
  private readonly worker = new Worker(new URL('./lateness-worker.ts', import.meta.url), { type: 'module' });
  private all: number[] = [];

  constructor() {
    this.worker.addEventListener('message', ({ data }: MessageEvent<number[]>) => this.all.push(...data));
  }

  /** What was before does not count. */
  reset(): void {
    this.all = [];
  }

  /** ms; undefined until there is something to tell. */
  p99(): number | undefined {
    if (this.all.length < 100) return undefined;
    return quantile(
      [...this.all].sort((a, b) => a - b),
      0.99,
    );
  }

  close(): void {
    this.worker.terminate();
  }
}
