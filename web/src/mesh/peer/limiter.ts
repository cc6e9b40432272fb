// How fast leaves may leave: a budget of bytes that fills with time. A value; it waits for nothing.

import { LEAF } from '../merkle';

export class Limiter {
  private rate = 0;
  /** Below zero after a leaf that was larger than what there was. */
  private budget = 0;
  private at = 0;

  /** rate: bytes a second from now (ms) on; 0 for no limit. */
  set(rate: number, now: number): void {
    this.fill(now, 0);
    this.rate = rate;
    this.budget = Math.min(this.budget, LEAF);
  }

  /**
   * How long until a leaf may leave (ms), 0 when it may now. slack: the time (ms) for which may be
   * saved up while nobody looks.
   */
  wait(now: number, slack: number): number {
    if (this.rate <= 0) return 0;
    this.fill(now, slack);
    return this.budget >= 0 ? 0 : (-this.budget / this.rate) * 1000;
  }

  /** So many bytes have left. */
  take(bytes: number): void {
    if (this.rate > 0) this.budget -= bytes;
  }

  private fill(now: number, slack: number): void {
    const most = Math.max(LEAF, (this.rate * slack) / 1000);
    this.budget = Math.min(most, this.budget + (this.rate * (now - this.at)) / 1000);
    this.at = now;
  }
}
