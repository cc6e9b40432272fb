// Sets of peers, and what is known of each.

/** A number from 0 to MAX_PEERS-1 that is given to another peer while it is connected, and may be given again. */
export type Peer = number;

/** How many peers one peer can be connected to. */
export const MAX_PEERS = 64;

/** Chance: a whole number from 0 to below, that one not included. */
export type Chance = (below: number) => number;

/** A set of peers in 64 bits; its order is that of their numbers. */
export class PeerSet {
  private low = 0;
  private high = 0;
  /** What list gave last, and for which bits: it is asked for with every leaf, and hardly ever changes. */
  private listed: readonly Peer[] = [];
  private listedLow = 0;
  private listedHigh = 0;

  has(p: Peer): boolean {
    return ((p < 32 ? this.low >>> p : this.high >>> (p - 32)) & 1) !== 0;
  }

  add(p: Peer): void {
    if (p < 32) this.low |= 1 << p;
    else this.high |= 1 << (p - 32);
  }

  remove(p: Peer): void {
    if (p < 32) this.low &= ~(1 << p);
    else this.high &= ~(1 << (p - 32));
  }

  clear(): void {
    this.low = 0;
    this.high = 0;
  }

  get empty(): boolean {
    return (this.low | this.high) === 0;
  }

  get size(): number {
    return ones(this.low) + ones(this.high);
  }

  /** The peers of now: a change meanwhile does not matter to who goes through them. */
  list(): readonly Peer[] {
    if (this.listedLow === this.low && this.listedHigh === this.high) return this.listed;
    const out: Peer[] = [];
    for (let bits = this.low; bits !== 0; bits &= bits - 1) out.push(31 - Math.clz32(bits & -bits));
    for (let bits = this.high; bits !== 0; bits &= bits - 1) out.push(63 - Math.clz32(bits & -bits));
    [this.listed, this.listedLow, this.listedHigh] = [out, this.low, this.high];
    return out;
  }

  /** Whether it has somebody whom another has not. */
  exceeds(other: PeerSet): boolean {
    return ((this.low & ~other.low) | (this.high & ~other.high)) !== 0;
  }

  meets(other: PeerSet): boolean {
    return ((this.low & other.low) | (this.high & other.high)) !== 0;
  }

  /** Those that are in both. */
  and(other: PeerSet): PeerSet {
    return PeerSet.of(this.low & other.low, this.high & other.high);
  }

  /** Those that are in one or both. */
  or(other: PeerSet): PeerSet {
    return PeerSet.of(this.low | other.low, this.high | other.high);
  }

  /** Those that are not in the other. */
  without(other: PeerSet): PeerSet {
    return PeerSet.of(this.low & ~other.low, this.high & ~other.high);
  }

  /** The one with the smallest score; among equals chance decides. undefined of an empty set. */
  least(chance: Chance, score: (p: Peer) => number): Peer | undefined {
    let best: Peer | undefined;
    let lowest = 0;
    let equal = 0;
    for (const p of this.list()) {
      const value = score(p);
      if (best === undefined || value < lowest) [best, lowest, equal] = [p, value, 1];
      else if (value === lowest && chance(++equal) === 0) best = p;
    }
    return best;
  }

  private static of(low: number, high: number): PeerSet {
    const set = new PeerSet();
    set.low = low;
    set.high = high;
    return set;
  }
}

/** How many bits are set. */
function ones(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}

/** A leaf that was asked for and is not wanted any more; it may come until then (ms). */
export interface Withdrawn {
  piece: number;
  leaf: number;
  until: number;
}

/** A WANT that waits, or what is left of it: leaves first to end-1. */
export interface Request {
  piece: number;
  first: number;
  end: number;
}

/** What is known of one peer. Bytes, bytes a second, ms. */
export class PeerState {
  lanes: number;
  roundTrip: number;
  /** What it can send, by its own word; 0: unknown. */
  uploads = 0;

  // What we ask of it.
  /** Bytes of leaves that were asked for and have not come. */
  asked = 0;
  /** Open pieces that it shows, and all that it does. */
  useful = 0;
  shows = 0;
  arrivals = new Meter();
  /** When the last leaf came, or the first request after none went. */
  heard = 0;
  /** Nothing is asked of it before. */
  quiet: number | undefined;
  withdrawn: Withdrawn[] = [];

  // What it asks of us.
  queue: Request[] = [];
  /** Bytes that wait in the queue and in its turn. */
  queued = 0;
  /** Its channel takes no more. */
  full = false;
  /** Leaves that the caller is sending. */
  handed = 0;
  /** The number of its last turn. */
  served = 0;

  /** Pieces that we, as the uploader, showed it and nobody else is known to have. */
  carrying = 0;

  constructor(lanes = 0, roundTrip = 0) {
    this.lanes = lanes;
    this.roundTrip = roundTrip;
  }
}

// A rate counts after this much busy time, and is then averaged over spans of so much (ms).
const METER_FIRST = 100;
const METER_SPAN = 1000;

/** A rate over the time in which there was something to carry, so that an idle line is not taken for a slow one. */
export class Meter {
  /** Bytes a second; 0: unknown. */
  rate = 0;
  private since: number | undefined;
  private bytes = 0;
  private busy = 0;

  begin(now: number): void {
    this.since ??= now;
  }

  /** Counts what was carried until now; more tells whether there is more to carry. */
  add(bytes: number, now: number, more: boolean): void {
    this.bytes += bytes;
    this.busy += Math.max(0, now - (this.since ?? now));
    this.since = more ? now : undefined;
    if (this.busy < (this.rate === 0 ? METER_FIRST : METER_SPAN)) return;
    const rate = this.bytes / (this.busy / 1000);
    this.rate = this.rate > 0 ? (this.rate + rate) / 2 : rate;
    this.bytes = 0;
    this.busy = 0;
  }
}
