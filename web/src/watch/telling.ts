// Tells whoever compares ways what this page sees, once a second, while the server says that it is wanted.

import { signal } from '@preact/signals';
import type { ClientMessage } from '../signal/msg.gen';
import type { Seen } from '../stats/seen';
import { deviceOf, hints } from '../topology/facts';

export interface TellingOptions {
  send(message: ClientMessage): void;
  /** It begins, or ends: then every picture matters, or no longer. */
  began(wanted: boolean): void;
  /** What was seen since the last time. */
  seen(): Seen;
}

const EVERY = 1_000; // ms

export class Telling {
  readonly wanted = signal(false);
  private readonly options: TellingOptions;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: TellingOptions) {
    this.options = options;
  }

  want(wanted: boolean): void {
    if (wanted === this.wanted.value) return;
    this.wanted.value = wanted;
    this.options.began(wanted);
    clearInterval(this.timer);
    if (wanted) this.timer = setInterval(() => this.tell(), EVERY);
  }

  private tell(): void {
    const device = deviceOf(hints());
    this.options.send({ type: 'figures', ...(device ? { device } : {}), ...this.options.seen() });
  }
}
