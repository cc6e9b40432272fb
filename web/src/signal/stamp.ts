// What the strip in the picture says (media/strip.ts): the time by the server's clock, as far as this
// page knows it, so that whoever reads it need not know the page's. Pure.

import type { Stamp } from '../media/strip';
import type { ClockReading } from './clock';

/**
 * Makes the stamps of one source. now: ms since the epoch by the page's clock; reading: how the server's
 * lies to it. While that is not known the page's own clock has to do, and the stamp says so.
 */
export function stamps(now: () => number, reading: () => ClockReading | undefined): () => Stamp {
  let count = 0;
  return () => {
    const clock = reading();
    count = (count + 1) & 15;
    return { time: now() + (clock?.offset ?? 0), count, error: clock && clock.roundTrip / 2 };
  };
}
