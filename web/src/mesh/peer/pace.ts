// How fast leaves leave: as the person says, or, where nobody says anything, as the line lets them (schedule/uplink.ts).

import type { Scheduler } from '../schedule/schedule';
import { type Gone, Uplink, WAYS } from '../schedule/uplink';
import { Limiter } from './limiter';
import type { Link } from './link';
import type { Peer } from './swarm';

/** For so long (ms) a sender that is limited may make up for what it has missed. */
const SLACK = 100;
const PACED_SLACK = 20;
/** How many neighbours there are at least while leaves are paced. Channels to fewer hold little, and keep the line full by themselves. */
const FEWEST = WAYS;
/** So many bytes a channel's window has grown: until then what lies in it waits for that, and not for our line. */
const WARM = 128 * 1024;

export class Pace {
  private readonly peer: Peer;
  private readonly limiter = new Limiter();
  private readonly uplink = new Uplink();
  /** By the person; 0 where nothing is said. */
  private told = 0;
  /** It is to be found out, and what it is held to meanwhile. */
  private finds = false;
  private kept = 0;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** rate: bytes of leaves a second that the person lets out, over all peers; 0 for no limit. */
  tell(rate: number, now: number): void {
    this.told = rate;
    this.finds = false;
    this.kept = 0;
    this.limiter.set(rate, now);
  }

  /** How long until a leaf may leave (ms). */
  wait(now: number): number {
    return this.limiter.wait(now, this.finds ? PACED_SLACK : SLACK);
  }

  /** So many bytes have left. */
  take(bytes: number): void {
    this.limiter.take(bytes);
  }

  /** Sends a PING where the line is to be found out. Returns how long (ms) there is nothing to look at. */
  look(sched: Scheduler, now: number): number {
    if (this.told > 0) return Number.POSITIVE_INFINITY;
    if (this.neighbours < FEWEST) {
      if (this.finds) this.tell(0, now);
      return Number.POSITIVE_INFINITY;
    }
    if (!this.finds) {
      this.finds = true;
      this.uplink.begin(sched.sendRate, this.nearest, this.gone, now);
    }
    const asks = sched.waiting && this.uplink.asks(this.gone, now);
    this.keep(now); // something may have drained
    if (!sched.waiting) return Number.POSITIVE_INFINITY;
    const link = asks ? this.next : undefined;
    if (link) this.peer.links.ask(link, now);
    return this.uplink.every;
  }

  /** How long an answer of a peer took (ms), and how much more than usual the way there. */
  answered(link: Link, took: number, more: number, now: number): void {
    if (!this.finds || !link.joined) return;
    this.uplink.answered(link.slot, took, more, this.gone, now);
    this.keep(now);
  }

  private keep(now: number): void {
    const { rate } = this.uplink;
    if (rate !== this.kept) this.limiter.set(rate, now);
    this.kept = rate;
  }

  /** Those who may lack something, or have it from the start. */
  private get neighbours(): number {
    return this.joined.filter((link) => !link.complete).length;
  }

  private get joined(): Link[] {
    return [...this.peer.links.all.values()].filter((link) => link.joined);
  }

  /** The shortest round trip to any of them (ms). */
  private get nearest(): number {
    return Math.min(...this.joined.map((link) => link.roundTrip || Number.POSITIVE_INFINITY));
  }

  /** What has gone out so far. */
  private get gone(): Gone {
    const handed = this.peer.sentBytes;
    return { handed, left: this.joined.reduce((left, link) => left - link.buffered, handed) };
  }

  /**
   * Whom to ask next: in turns those whose lanes hold the least, as many as have to agree. A PING waits behind what lies in our own
   * channel, too, which is no word on the line while the channel's window has not grown.
   */
  private get next(): Link | undefined {
    const clear = this.joined
      .map((link) => ({ link, bytes: link.buffered }))
      .filter(({ link, bytes }) => bytes === 0 || link.sent - bytes >= WARM)
      .sort((a, b) => a.bytes - b.bytes || a.link.asked - b.link.asked);
    return clear.slice(0, WAYS).sort((a, b) => a.link.asked - b.link.asked)[0]?.link;
  }
}
