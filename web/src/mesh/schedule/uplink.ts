// Finds out how much may be sent on one's own line where nobody has told: so much that little waits before it. What waits there was
// decided too early, and what others are asked waits behind it.
//
// It goes by the answers to PING. What the way to one peer takes more than at other times may have been spent anywhere; what even the
// quickest of several ways takes more was spent before our own line, which all of them share. Then no more goes out than has left
// lately, less what is to drain; else a little more each time. What no drain makes less is not ours, and left alone. The Go half has the
// same rules (mesh/schedule/uplink.go). Rates are bytes of leaves a second, times ms.

import { type Peer, PeerSet } from './peers';

/** How many peers must say that something waits: what one or two say of their clocks may be a lie, and slows down nobody. */
export const WAYS = 3;

/** The rate where nothing is known, or what brings so many bytes under way on a short line; and the least. */
const FIRST = 2e6;
const NEAR = 96 * 1024;
const LEAST = 16e3;

/**
 * So long may everything wait before the line, or as long as so many bytes take: leaves go out whole, and two of them meet there now
 * and then.
 */
const QUIET = 25;
const LIES = 48 * 1024;
/** What waits longer is to be gone in this time; then such a share of what the line carries goes out. */
const DRAIN = 200;
const SHARE = 0.97;
/** Who hands over less than such a share of the rate, and in whose channels lies less than takes so long, did not fill the line. */
const FULL = 0.6;
const HELD = 100;

/**
 * Answers are judged together: so many, of which the last count, and those of such a time. What is sent to get them takes little of
 * the line: it is so long apart, and so many bytes.
 */
const ANSWERS = 5;
const LAST = 4;
const SPAN = 60;
const EVERY = 15;
const APART = 16 * 1024;
/**
 * When so many drains in a row have not made it less by a quarter, or by so long, what waits is none of ours: it is behind our line,
 * others send as well, or the way is another. A drain counts when less than such a share of what leaves went out in it, and not much more
 * than what leaves after it. At least a half goes out, and no more from the second in a row on.
 */
const VAIN = 3;
const MOVED = 90;
const DRAINED = 0.75;
const STEADY = 1.3;
const DEEP = 0.5;
/** So long without a question is a time with nothing to send, which says nothing about the line. */
const PAUSE = 150;

/**
 * By such a share the rate grows when nothing waits: little after something did, and each time more, so that a line that has become
 * wider is soon in use.
 */
const SLOW = 0.05;
const FAST = 0.5;
const MORE = 1.5;
/** How far the rate may be above what leaves: who can not use it learns nothing about it. */
const AHEAD = 2;

/** How many bytes of leaves were handed to channels so far, to all peers, and how many of them have left. */
export interface Gone {
  handed: number;
  left: number;
}

export class Uplink {
  private current = FIRST;
  private growth = FAST;
  /** When a PING was sent. */
  private asked = Number.NEGATIVE_INFINITY;

  // Since the rate was set.
  private since = 0;
  /** By then. */
  private so: Gone = { handed: 0, left: 0 };
  private answers = 0;
  /** Of whom the last answers are, and what they waited. */
  private readonly from: Peer[] = new Array(LAST).fill(0);
  private readonly waits: number[] = new Array(LAST).fill(0);
  /** What left before. */
  private leaving = 0;

  /** Until when something drains; undefined otherwise. */
  private until: number | undefined;
  /** The rate of the time after that. */
  private after = 0;

  /** The rate of the last drain; 0: there was none just before. How many in a row count, and what waited after the first of them. */
  private drain = 0;
  private vain = 0;
  private waited = 0;
  /** What waits and is not ours. */
  private stays = 0;

  /** Starts to look, at a rate that was seen, or 0. roundTrip: the shortest to any peer. */
  begin(rate: number, roundTrip: number, so: Gone, now: number): void {
    this.current = Math.max(FIRST, rate, (NEAR / Math.max(1, roundTrip)) * 1000);
    this.growth = FAST;
    this.asked = Number.NEGATIVE_INFINITY;
    this.leaving = 0;
    this.until = undefined;
    this.drain = 0;
    this.vain = 0;
    this.stays = 0;
    this.span(so, now);
  }

  /** How many bytes of leaves may be sent a second, to all peers together. */
  get rate(): number {
    return this.current;
  }

  /** How long a PING follows the one before. */
  get every(): number {
    return Math.max(EVERY, this.takes(APART));
  }

  /** Whether a PING is to be sent now. Ask while there is more to send than may leave. */
  asks(so: Gone, now: number): boolean {
    if (this.until !== undefined && now >= this.until) {
      this.current = this.after;
      this.until = undefined;
      this.span(so, now);
    }
    const since = now - this.asked;
    if (since < this.every) return false;
    if (since > Math.max(PAUSE, 2 * this.every)) {
      this.span(so, now);
      this.leaving = 0;
    }
    this.asked = now;
    return true;
  }

  /** How long an answer of a peer took that came now, and how much more than usual the way there took (Lag). */
  answered(from: Peer, took: number, wait: number, so: Gone, now: number): void {
    // What drains is known, and a question that was on its way when the rate was set says nothing about it.
    if (this.until !== undefined || now - took < this.since) return;
    this.from[this.answers % LAST] = from;
    this.waits[this.answers % LAST] = wait;
    this.answers++;
    const over = now - this.since;
    if (this.answers < ANSWERS || over < SPAN) return;
    const quickest = Math.min(...this.waits);
    this.stays = Math.min(this.stays, quickest);
    const long = quickest - this.stays - Math.max(QUIET, this.takes(LIES));
    if (long >= 0 && this.ways < WAYS) return;
    const leaving = (Math.max(0, so.left - this.so.left) * 1000) / over;
    const handed = ((so.handed - this.so.handed) * 1000) / over;
    const carries = Math.max(leaving, this.leaving);
    const ours = handed >= FULL * this.current || this.takes(so.handed - so.left) >= HELD;
    if (long < 0) this.more(carries);
    else if (ours) this.less(leaving, carries, quickest, long, now);
    this.leaving = leaving;
    this.span(so, now);
  }

  /** By how many peers the last answers are. */
  private get ways(): number {
    const by = new PeerSet();
    for (const peer of this.from) by.add(peer);
    return by.size;
  }

  /** Begins to judge the present rate. */
  private span(so: Gone, now: number): void {
    this.since = now;
    this.so = so;
    this.answers = 0;
  }

  private takes(bytes: number): number {
    return (bytes / this.current) * 1000;
  }

  /** A little more goes out: nothing waits. */
  private more(carries: number): void {
    this.drain = 0;
    this.vain = 0;
    const rate = Math.min(this.current * (1 + this.growth), AHEAD * carries);
    if (rate <= this.current) return;
    this.current = rate;
    this.growth = Math.min(FAST, MORE * this.growth);
  }

  /**
   * Drains what waits, and sets the rate of the time after: what the line carries, by what left of late. over: how much too long
   * something waits.
   */
  private less(leaving: number, left: number, quickest: number, over: number, now: number): void {
    const again = this.drain > 0;
    const counts = again && this.drain <= DRAINED * leaving && this.after <= STEADY * leaving;
    this.vain = counts ? this.vain + 1 : 0;
    if (this.vain > VAIN) {
      if (quickest > this.waited - Math.min(this.waited / 4, MOVED)) {
        this.stays = quickest;
        this.drain = 0;
        this.vain = 0;
        return;
      }
      this.vain = 1;
    }
    if (this.vain === 1) this.waited = quickest;
    const carries = Math.min(this.current, Math.max(left, this.current / 2));
    this.after = Math.max(LEAST, SHARE * carries);
    this.drain = Math.max(LEAST, carries * (again ? DEEP : Math.max(DEEP, SHARE - over / DRAIN)));
    this.current = this.drain;
    this.until = now + DRAIN;
    this.growth = SLOW;
  }
}

/** How long the shortest counts at least (ms): clocks drift apart by some milliseconds in it. */
const WINDOW = 60_000;

/** How much longer something takes than it does at other times, by two clocks that know nothing of each other. Times are ms. */
export class Lag {
  private since: number | undefined;
  /** Of this window, and of the one before. */
  private least = 0;
  private before = 0;

  /** What a time is above the shortest of the last minutes, itself included. */
  over(took: number, now: number): number {
    if (this.since === undefined || now - this.since >= WINDOW) {
      this.before = this.since === undefined ? took : this.least;
      this.since = now;
      this.least = took;
    } else this.least = Math.min(this.least, took);
    return took - Math.min(this.least, this.before);
  }
}
