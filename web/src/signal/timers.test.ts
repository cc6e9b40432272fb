import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TimerOrder } from './timer-worker';
import { type Ticker, Timers } from './timers';

/** The worker's side, in the hands of a test. */
class Hand implements Ticker {
  onmessage: ((event: { data: number }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly orders: TimerOrder[] = [];
  ended = false;

  postMessage(order: TimerOrder): void {
    this.orders.push(order);
  }

  terminate(): void {
    this.ended = true;
  }

  fire(at: number): void {
    this.onmessage?.({ data: (this.orders[at] as TimerOrder).id });
  }
}

describe('timers of a hidden page', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('fire by the worker alone, each once', () => {
    const hand = new Hand();
    const timers = new Timers(() => hand);
    const called: string[] = [];
    timers.after(20, () => called.push('one'));
    timers.after(30, () => called.push('two'));
    expect(hand.orders.map(({ ms }) => ms)).toEqual([20, 30]);
    vi.advanceTimersByTime(60_000);
    expect(called).toEqual([]);
    hand.fire(1);
    hand.fire(0);
    hand.fire(0);
    expect(called).toEqual(['two', 'one']);
  });

  it('can be taken back', () => {
    const hand = new Hand();
    const timers = new Timers(() => hand);
    const call = vi.fn();
    timers.after(20, call)();
    hand.fire(0);
    expect(call).not.toHaveBeenCalled();
  });

  it('go on in the page, at their time, when there is no worker', () => {
    const hand = new Hand();
    const timers = new Timers(() => hand);
    const [early, late] = [vi.fn(), vi.fn()];
    timers.after(100, early);
    vi.advanceTimersByTime(40);
    hand.onerror?.(undefined);
    expect(hand.ended).toBe(true);
    timers.after(100, late);
    vi.advanceTimersByTime(60);
    expect(early).toHaveBeenCalledOnce();
    expect(late).not.toHaveBeenCalled();
    vi.advanceTimersByTime(40);
    expect(late).toHaveBeenCalledOnce();
  });

  it('end with whoever made them', () => {
    const hand = new Hand();
    const timers = new Timers(() => hand);
    const call = vi.fn();
    timers.after(20, call);
    timers.stop();
    hand.fire(0);
    expect(hand.ended).toBe(true);
    expect(call).not.toHaveBeenCalled();
  });
});
