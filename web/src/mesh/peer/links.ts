// The peers that are connected: taken up, greeted, dropped and banned (docs/MESH.md, section 6). A
// number from 0 to 63 stands for each towards the scheduler.

import { compare, hex } from '../bytes';
import { MeshError } from '../error';
import { isLower } from '../keys';
import { MAX_PEERS } from '../schedule/peers';
import type { ByeReason } from '../wire';
import { BETTER_EVERY, type Connected } from './attempts';
import { handleFrame } from './frames';
import { BadLeaf, Link } from './link';
import { Relay } from './relay';
import type { Peer } from './swarm';
import { returns } from './uploading';

/**
 * What a page takes to answer is longer than a short line (ms), above all when the processors are busy. A
 * fast peer that is asked for less than it sends in that time runs dry.
 */
const LEAST_ROUND_TRIP = 100;
/**
 * How many bytes that may be for a line (docs/adr/0024). Between two fast pages on a short line more of them find the sockets'
 * buffers full, and a loss in the midst of so much stops everything for a second or two.
 */
const SHORT_LINE = 512 * 1024;
/** What a line is taken for while nothing is known of it, in bytes a second. */
const FAST = 20 * 1024 * 1024;

/** The round trip (ms) to reckon with at a rate (bytes a second). */
export function reckoned(roundTrip: number, rate: number): number {
  return Math.max(roundTrip, Math.min(LEAST_ROUND_TRIP, (SHORT_LINE / (rate || FAST)) * 1000));
}

/** Tells the scheduler what is known of a line by now. */
export function tellLine(peer: Peer, link: Link): void {
  if (link.joined) peer.sched?.line(link.slot, 1 + link.further.length, reckoned(link.roundTrip, link.rate));
}

/** How long a peer that broke the protocol is left alone (ms). */
export const BAN = 30_000;
/** For the last words (ms). */
export const PARTING = 500;

/** Two connections that were made within this time may come of two offers that crossed (ms). */
const TOGETHER = 5_000;

type Offered = Pick<Connected, 'attempt' | 'ours'>;

/**
 * Whether a connection does not give way to a new one, age (ms) after it was made: both sides had
 * offered, and both have to keep the same one of the two, that of the higher attempt.
 */
export function staysBeside(old: Offered, made: Offered, age: number): boolean {
  return old.ours !== made.ours && age < TOGETHER && compare(old.attempt, made.attempt) > 0;
}

/**
 * Whether the direct path is to be tried again beside a relayed connection, age (ms) after it was made.
 * One of the two does so, the one with the lower key.
 */
export function triesBetter(relayed: boolean, lower: boolean, age: number): boolean {
  return relayed && lower && age >= BETTER_EVERY;
}

export class Links {
  /** By the hexadecimal digits of their keys. */
  readonly all = new Map<string, Link>();
  readonly slots: (Link | undefined)[] = new Array(MAX_PEERS).fill(undefined);
  private readonly peer: Peer;
  private readonly bans = new Map<string, number>();

  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** Takes up a peer whose HELLO was right. An older connection to it gives way, but for one made at the same time. */
  connected(made: Connected): void {
    const old = this.all.get(hex(made.peer));
    const stays = old !== undefined && staysBeside(old.made, made, performance.now() - old.since);
    if (old && !stays) this.unlink(old);
    const slot = this.slots.indexOf(undefined);
    if (stays || slot < 0 || this.peer.ended) {
      made.conn.close();
      return;
    }
    const link = new Link(made, slot, {
      frame: (from, frame) => handleFrame(this.peer, from, frame),
      expects: (from, piece, leaf) => this.peer.flow.expects(from, piece, leaf),
      whole: (...leaf) => this.peer.flow.whole(...leaf),
      soon: (send) => this.peer.flow.soon(send),
      messages: (to, send) => this.peer.flow.messages(to, send),
      sent: (to, send, error) => this.peer.flow.sent(to, send, error),
      broke: (from, error) => this.broke(from, error),
    });
    this.all.set(link.key, link);
    this.slots[slot] = link;
    made.conn.onGone(() => this.unlink(link));
    returns(this.peer, link);
    if (!link.dead) {
      this.greet(link); // what is shared may be in it
      link.start();
    }
    this.peer.kick();
  }

  /** There is a connection by which something comes. */
  works(key: string): boolean {
    return this.all.get(key)?.conn.silent === false;
  }

  /** There is a connection that needs no better one. */
  fine(key: string, now: number): boolean {
    const link = this.all.get(key);
    if (!link || link.conn.silent) return false;
    return !triesBetter(link.conn instanceof Relay, isLower(link.pair.own, link.peer), now - link.since);
  }

  /** Whether a lane may be opened: the first always, others to whom there is a direct connection, one after the other. */
  takesLane(key: string, lane: number): boolean {
    const link = this.all.get(key);
    return lane === 0 || (link?.direct === true && lane === 1 + link.further.length);
  }

  /** A further lane was made. */
  widened(made: Connected, lane: number): void {
    const link = this.all.get(hex(made.peer));
    const late = !this.takesLane(hex(made.peer), lane) || this.peer.revoked.serials.includes(made.token.serial);
    if (!link || late || this.peer.ended) {
      made.conn.close();
      return;
    }
    link.addLane(made.conn);
    made.conn.onGone(() => this.unlink(link));
    tellLine(this.peer, link);
    this.peer.kick();
  }

  /** Opens a further lane to whom alone all comes from, where that is worth it. open: false when it cannot. */
  widen(now: number, open: (link: Link, lane: number) => boolean): void {
    const { cfg, sched, finished } = this.peer;
    if (!cfg.fetch || !sched || finished) return;
    for (const link of this.all.values()) {
      const { taken, roundTrip, further } = link;
      const alone = this.all.size === 1 && link.direct && !link.conn.silent && sched.missing > 0;
      const facts = { taken, roundTrip, further: further.length, alone };
      if (link.lanes.look(now, facts) && !open(link, 1 + further.length)) link.lanes.failed();
    }
  }

  /** Tells a new peer all that it has to know. */
  private greet(link: Link): void {
    this.ping(link, performance.now());
    if (this.peer.revokeList) link.say({ type: 'revoke', list: this.peer.revokeList });
    if (!link.seed) this.peer.sendBlob(link);
    if (this.peer.cfg.fetch && this.peer.sched) {
      link.say(this.peer.stat(this.peer.sched));
      this.join(link);
    }
    const member = this.peer.intro.memberOf(link.peer);
    // When it fails another is offered at once.
    if (member) [member.pause, member.next] = [0, performance.now()];
  }

  /** The way may change while it is used. */
  private async lookAtWay(link: Link): Promise<void> {
    link.relayed = (await link.conn.relayed().catch(() => undefined)) ?? link.relayed;
  }

  ping(link: Link, now: number): void {
    link.pinged = now;
    this.ask(link, now);
    void this.lookAtWay(link);
  }

  /** Asks for an answer, whose time tells how far it is and what waits on the way. */
  ask(link: Link, now: number): void {
    link.asked = now;
    const value = BigInt(Math.floor(now * 1000));
    link.pings.ask(value);
    link.say({ type: 'ping', value });
  }

  /**
   * Makes a link part of what the scheduler knows. The uploader joins a receiver when that says how it
   * fares: who has not taken yet what is shared asks for nothing, and what it is shown would wait for it.
   */
  join(link: Link): void {
    if (link.joined || link.dead || !this.peer.sched) return;
    link.joined = true;
    this.peer.sched.peerJoined(link.slot, 1, reckoned(link.roundTrip, link.rate));
    try {
      for (const { first, count } of link.shown.splice(0)) this.peer.sched.shown(link.slot, first, count);
    } catch (error) {
      this.broke(link, error);
    }
  }

  private forget(link: Link): void {
    if (link.dead) return;
    link.dead = true;
    this.peer.flow.forget(link);
    if (link.hasNothing && this.peer.door?.free(link.key)) this.peer.cfg.tell({ kind: 'guests' });
    if (this.all.get(link.key) === link) this.all.delete(link.key);
    if (this.slots[link.slot] === link) {
      this.slots[link.slot] = undefined;
      if (link.joined) this.peer.sched?.peerLeft(link.slot);
    }
    const member = this.peer.intro.memberOf(link.peer);
    if (member) member.next = performance.now() + this.peer.intro.headStart(link.peer) + member.pause;
    this.peer.kick();
  }

  bye(link: Link, reason: ByeReason): void {
    link.say({ type: 'bye', reason, text: '' });
    this.forget(link);
    setTimeout(() => link.close(), PARTING);
  }

  /** What the other side is to blame for is held against it. */
  broke(link: Link, error: unknown): void {
    if (link.dead) return;
    if (error instanceof BadLeaf) {
      this.ban(link.key, Number.POSITIVE_INFINITY);
      this.peer.cfg.tell({ kind: 'wrong' });
      this.bye(link, 'bad-leaf');
    } else if (error instanceof MeshError) {
      this.ban(link.key, BAN);
      this.bye(link, 'broke-protocol');
    } else this.unlink(link);
  }

  /** Drops a connection at once. */
  unlink(link: Link): void {
    this.forget(link);
    link.close();
  }

  ban(key: string, for_: number): void {
    this.bans.set(key, Date.now() + for_);
  }

  banned(key: string): boolean {
    return Date.now() < (this.bans.get(key) ?? 0);
  }
}
