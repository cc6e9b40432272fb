import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerOn, readSide, SideClock } from './side-clock';

/** Two ends of a channel, each message so many ms on its way. */
function channels(delay: number): [RTCDataChannel, RTCDataChannel] {
  const make = (): EventTarget & { readyState: string; send(text: string): void; other?: EventTarget } =>
    Object.assign(new EventTarget(), {
      readyState: 'open',
      send(this: { other?: EventTarget }, data: string): void {
        setTimeout(() => this.other?.dispatchEvent(new MessageEvent('message', { data })), delay);
      },
    });
  const [a, b] = [make(), make()];
  a.other = b;
  b.other = a;
  return [a as unknown as RTCDataChannel, b as unknown as RTCDataChannel];
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('the clock of the strip over a direct way', () => {
  it('is learnt from the other end, which says how wrong it may be', () => {
    const [here, there] = channels(15);
    answerOn(there, () => ({ time: Date.now() + 5_000, error: 2 }));
    const clock = new SideClock(here, () => Date.now());
    expect(clock.reading()).toBeUndefined();
    vi.advanceTimersByTime(2_500);
    expect(clock.reading()).toEqual({ offset: 5_000, roundTrip: 30, error: 2 });
    clock.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is learnt anew when the clock at the other end jumps', () => {
    const [here, there] = channels(15);
    let ahead = 5_000;
    answerOn(there, () => ({ time: Date.now() + ahead, error: 2 }));
    const clock = new SideClock(here, () => Date.now());
    vi.advanceTimersByTime(2_500);
    ahead = -700;
    vi.advanceTimersByTime(1_000);
    expect(clock.reading()).toEqual({ offset: -700, roundTrip: 30, error: 2 });
    clock.close();
  });

  it('may be of unknown error', () => {
    const [here, there] = channels(1);
    answerOn(there, () => ({ time: Date.now(), error: undefined }));
    const clock = new SideClock(here, () => Date.now());
    vi.advanceTimersByTime(10);
    expect(clock.reading()).toEqual({ offset: 0, roundTrip: 2, error: undefined });
    clock.close();
  });

  it.each([undefined, 7, '', '{', 'null', '[]', '{"ask":"now"}', '{"asked":1}', `{"ask":1,"x":"${'y'.repeat(300)}"}`])(
    '%s says nothing',
    (text) => expect(readSide(text)).toBeUndefined(),
  );
});
