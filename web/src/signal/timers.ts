// Timers that go on in a hidden page. Browsers let those of a page's own thread fire once a second there,
// and some of them once a minute after a while; those of a worker they leave alone. Whoever sends files
// from a tab that nobody looks at, or receives them there, has to keep the rate.

import type { After } from './after';
import type { TimerOrder } from './timer-worker';

/** What is used of a Worker. */
export interface Ticker {
  onmessage: ((event: { data: number }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  postMessage(order: TimerOrder): void;
  terminate(): void;
}

interface Wait {
  due: number;
  call: () => void;
}

export class Timers {
  private readonly make: () => Ticker;
  private ticker: Ticker | undefined;
  /** Then the page's own thread has to do. */
  private broken = false;
  private readonly waits = new Map<number, Wait>();
  private next = 0;

  /** The worker begins with the first timer. */
  constructor(make: () => Ticker = worker) {
    this.make = make;
  }

  readonly after: After = (ms, call) => {
    const id = this.next++;
    this.waits.set(id, { due: performance.now() + ms, call });
    this.order(id, ms);
    // One that fires nevertheless finds nothing: a message to the worker is dearer than that.
    return () => void this.waits.delete(id);
  };

  /** Nothing is called any more. */
  stop(): void {
    this.waits.clear();
    this.ticker?.terminate();
    this.ticker = undefined;
  }

  private order(id: number, ms: number): void {
    if (this.broken) {
      setTimeout(() => this.fire(id), ms);
      return;
    }
    this.ticker ??= this.begin();
    this.ticker.postMessage({ id, ms });
  }

  private begin(): Ticker {
    const ticker = this.make();
    ticker.onmessage = ({ data }) => this.fire(data);
    ticker.onerror = () => this.fallBack();
    return ticker;
  }

  private fire(id: number): void {
    const wait = this.waits.get(id);
    this.waits.delete(id);
    wait?.call();
  }

  /** Its script could not be loaded, say. */
  private fallBack(): void {
    this.ticker?.terminate();
    this.broken = true;
    for (const [id, { due }] of this.waits) this.order(id, Math.max(0, due - performance.now()));
  }
}

const worker = (): Ticker =>
  new Worker(new URL('./timer-worker.ts', import.meta.url), { type: 'module' }) as unknown as Ticker;
