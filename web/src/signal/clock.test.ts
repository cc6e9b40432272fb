import { describe, expect, it } from 'vitest';
import { Clock } from './clock';

/** A server whose clock is so many ms ahead, asked at a time: the way there and the way back in ms. */
function ask(clock: Clock, at: number, ahead: number, there: number, back: number): void {
  clock.observe(at, at + there + ahead, at + there + back);
}

describe('the offset of another clock', () => {
  it('is that of the quickest answer', () => {
    const clock = new Clock();
    expect(clock.reading()).toBeUndefined();
    ask(clock, 0, 500, 60, 10);
    ask(clock, 1_000, 500, 10, 10);
    ask(clock, 2_000, 500, 5, 90);
    expect(clock.reading()).toEqual({ offset: 500, roundTrip: 20 });
  });

  it.each([
    ['back', -3_000],
    ['on', 250],
    ['on by little more than the errors', 23],
  ])('is learnt anew with the first answer after a clock has jumped %s', (_, by) => {
    const clock = new Clock();
    for (let i = 0; i < 8; i++) ask(clock, i * 5_000, 500, 10, 10);
    ask(clock, 50_000, 500 + by, 10, 10);
    expect(clock.reading()?.offset).toBe(500 + by);
  });

  it('is not thrown over by a slow answer, nor by rounding', () => {
    const clock = new Clock();
    ask(clock, 0, 500, 1, 1);
    ask(clock, 1_000, 500, 800, 2);
    ask(clock, 2_000, 500, 2, 800);
    ask(clock, 3_000, 502, 2, 2);
    expect(clock.reading()).toEqual({ offset: 500, roundTrip: 2 });
  });

  it('recovers from an answer that was under way while the page slept', () => {
    const clock = new Clock();
    ask(clock, 0, 500, 10, 10);
    clock.observe(5_000, 5_000 + 10 + 60_500, 5_020); // this clock stood still for a minute meanwhile
    expect(clock.reading()?.offset).toBe(60_500);
    ask(clock, 10_000, 60_500, 10, 10);
    ask(clock, 15_000, 60_500, 4, 4);
    expect(clock.reading()).toEqual({ offset: 60_500, roundTrip: 8 });
  });

  it('is not learnt from what cannot be', () => {
    const clock = new Clock();
    clock.observe(10, 20, 5);
    clock.observe(0, Number.NaN, 5);
    expect(clock.reading()).toBeUndefined();
  });
});
