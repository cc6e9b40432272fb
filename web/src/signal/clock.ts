// The offset between the page's clock and the server's, measured by pings in the manner of
// NTP (RFC 5905 section 8): of the latest samples the one with the least round trip is believed. Clocks jump, and
// those of machines that sleep stand still: then what was measured before does not hold any more.

export interface ClockReading {
  /** Server's clock minus the page's, in ms. */
  offset: number;
  /** Round trip of the sample that is believed, in ms. The offset is off by at most half of it. */
  roundTrip: number;
}

const KEPT = 8;
/** Browsers round their clocks to about so much, ms. */
const ROUNDED = 2;

export class Clock {
  private samples: ClockReading[] = [];

  /** sent and now by the page's clock, server by the server's; all ms since the epoch. */
  observe(sent: number, server: number, now: number): void {
    const roundTrip = now - sent;
    if (!(roundTrip >= 0) || !Number.isFinite(server)) return;
    const sample = { offset: server - (sent + roundTrip / 2), roundTrip };
    // Each is off by half its round trip at most: two that lie further apart are of different clocks.
    const believed = this.reading();
    const apart = Math.abs(sample.offset - (believed ?? sample).offset);
    if (believed && apart > (believed.roundTrip + roundTrip) / 2 + ROUNDED) this.samples = [];
    this.samples.push(sample);
    if (this.samples.length > KEPT) this.samples.shift();
  }

  reading(): ClockReading | undefined {
    let best: ClockReading | undefined;
    for (const s of this.samples) if (!best || s.roundTrip < best.roundTrip) best = s;
    return best;
  }
}
