// PINGs that went to a peer and were not answered. Only what was asked is believed, and once: answers make the
// estimate of our line (schedule/uplink.ts), and nobody may give more of them than others do. The Go half has the same
// (mesh/peer/pings.go).

/** So many may wait for their answers before the oldest is forgotten. */
export const MOST_PINGS = 1_024;

export class Pings {
  /** Their values, the oldest first. */
  private readonly asked: bigint[] = [];

  /** Notes a PING. */
  ask(value: bigint): void {
    if (this.asked.length === MOST_PINGS) this.asked.shift();
    this.asked.push(value);
  }

  /** Whether a PONG answers one of them, which it does once. */
  answer(value: bigint): boolean {
    const at = this.asked.indexOf(value);
    if (at >= 0) this.asked.splice(at, 1);
    return at >= 0;
  }
}
