// The offset between the page's clock and the server's, measured by pings in the manner of
// NTP (RFC 5905 section 8): of the latest samples the one with the least round trip is believed.

export interface ClockReading {
  /** Server's clock minus the page's, in ms. */
  offset: number;
  /** Round trip of the sample that is believed, in ms. The offset is off by at most half of it. */
  roundTrip: number;
}

const KEPT = 8;

export class Clock {
  private samples: ClockReading[] = [];

  /** sent and now by the page's clock, server by the server's; all ms since the epoch. */
  observe(sent: number, server: number, now: number): void {
    const roundTrip = now - sent;
    if (!(roundTrip >= 0) || !Number.isFinite(server)) return;
    this.samples.push({ offset: server - (sent + roundTrip / 2), roundTrip });
    if (this.samples.length > KEPT) this.samples.shift();
  }

  reading(): ClockReading | undefined {
    let best: ClockReading | undefined;
    for (const s of this.samples) if (!best || s.roundTrip < best.roundTrip) best = s;
    return best;
  }
}
