// One endpoint of a file mesh in the browser: the room, who is let in, links, pieces in and out. It
// carries out what the scheduler wants and tells it what happens; it draws nothing.

import type { ServerMessage } from '../../signal/msg.gen';
import { Timers } from '../../signal/timers';
import { type Bytes, hex } from '../bytes';
import { type RoomKeys, roomKeys } from '../keys';
import { layoutOf } from '../manifest';
import { LEAF } from '../merkle';
import { Scheduler } from '../schedule/schedule';
import { defaultConfig } from '../schedule/state';
import { noRevocations, type Revocations } from '../token';
import type { Frame } from '../wire';
import { Attempts } from './attempts';
import { Codes } from './codes';
import type { Accepted, Before, Config, End, Offered, Status } from './config';
import { Content } from './content';
import { Door, type Rule } from './door';
import { Ending } from './ending';
import { Fetching } from './fetching';
import { Flow } from './flow';
import { Introduction } from './introduce';
import type { Link } from './link';
import { Links, PARTING, tellLine } from './links';
import { drawSerial, memberOf } from './member';
import { Room } from './room';
import { NoRoom } from './sink';
import { isSafe, peersOf, stallOf, stateOf } from './status';
import { agree, checkWords, decide, known, makeUploader, putBack, reinstate, remove, setExpiry } from './uploading';

/** Bytes of leaves that were asked for, over all peers; the rest of the 48 MiB is for what waits. */
const BUDGET = 32 * 1024 * 1024;
const HOUSE_EVERY = 250;
const STAT_EVERY = 1_000;
const PING_EVERY = 5_000;

export class Peer {
  // What the files beside this one look at, too.
  readonly cfg: Config;
  readonly intro: Introduction;
  readonly timers = new Timers();
  readonly links = new Links(this);
  readonly flow = new Flow(this);
  private readonly ending = new Ending(this);
  content: Content | undefined;
  sched: Scheduler | undefined;
  offered: Offered | undefined;
  blob: Bytes | undefined;
  revoked: Revocations = noRevocations;
  revokeList: Bytes | undefined;
  /** Lists are made one after the other. */
  revoking: Promise<unknown> = Promise.resolve();
  fetching: Fetching | undefined;
  verified = 0;
  sentBytes = 0;
  up = 0;
  down = 0;
  paused = false;
  /** Leaves that wait for the disk. */
  storing = 0;
  finished = false;
  changed = false;
  readonly door: Door | undefined;

  private readonly room: Room;
  private readonly attempts: Attempts;
  private readonly codes: Codes | undefined;
  ended = false;
  private kicked = false;
  private readonly kicker = new MessageChannel();
  private reported = { at: performance.now(), taken: 0, sent: 0 };

  /** Nothing happens before start. Throws MeshError when the manifest or the room's name breaks a rule, and SourceChanged. */
  static async make(cfg: Config): Promise<Peer> {
    const keys = await roomKeys(cfg.link.secret, cfg.link.room);
    const peer = new Peer(cfg, keys);
    if (cfg.share) await makeUploader(peer, cfg.share);
    return peer;
  }

  private constructor(cfg: Config, keys: RoomKeys) {
    this.cfg = cfg;
    if (cfg.share) this.door = new Door(cfg.share.rule, cfg.share.expires, drawSerial);
    this.room = new Room(memberOf(cfg, keys), this.timers.after, {
      link: (connection) => {
        if (connection.phase !== 'open') this.intro.lost();
        cfg.tell({ kind: 'connection', connection });
      },
      message: (message) => {
        if (!this.ended) this.intro.heard(message);
        if (message.type !== 'welcome') return;
        cfg.tell({ kind: 'opened', server: message.publicUrl.replace(/\/$/u, '') });
        if (cfg.share && message.files) agree(this, cfg.share, message.files.expires);
        this.codes?.ask();
      },
    });
    this.intro = new Introduction(cfg, keys, this.room, this.door, {
      negotiate: (from, dh, message) => this.attempts.negotiate(from, dh, message),
      pake: async (from, message) => this.codes?.take(from, message),
      admitted: () => this.attempts.admitted(),
      renamed: () => this.attempts.dropAll(),
      undelivered: (to) => this.attempts.dropTo(to),
      left: (endpoint) => this.codes?.left(endpoint),
      moved: (endpoint, dh) => this.attempts.dropTo(endpoint, dh),
      changed: () => this.attempts.connect(performance.now()),
      refused: (reason) => this.end({ kind: 'refused', reason }),
      reinstate: async (serial) => {
        if (cfg.share) await reinstate(this, cfg.share, serial);
      },
      server: (message) => this.server(message),
    });
    this.attempts = new Attempts(cfg, this.intro, {
      connected: (peer) => this.links.connected(peer),
      widened: (made, lane) => this.links.widened(made, lane),
      notWidened: (dh) => this.links.all.get(hex(dh))?.lanes.failed(),
      takesLane: (dh, lane) => this.links.takesLane(hex(dh), lane),
      works: (dh) => this.links.works(hex(dh)),
      barred: (dh) => this.links.fine(hex(dh), performance.now()) || this.links.banned(hex(dh)),
      banned: (dh) => this.links.banned(hex(dh)),
      revoked: () => this.revoked,
      seed: () => cfg.share !== undefined || this.finished,
      after: this.timers.after,
    });
    if (cfg.share) this.codes = new Codes(cfg, this.room, this.intro);
    this.kicker.port1.onmessage = () => {
      this.kicked = false;
      this.flow.advance();
    };
  }

  start(): void {
    this.room.start();
    this.keepHouse();
  }

  /** Says goodbye to all. */
  stop(): void {
    if (this.ended) return;
    this.ended = true;
    this.flow.stop();
    for (const link of [...this.links.all.values()]) this.links.bye(link, this.finished ? 'done' : 'goes-away');
    this.attempts.dropAll();
    setTimeout(() => {
      this.room.stop();
      this.timers.stop();
    }, PARTING);
  }

  /** Takes part in the room with another key, or asks again with another password. */
  identify(change: { token?: string; password?: string }): void {
    const { token, password } = change;
    if (token !== undefined) this.room.identify({ token });
    if (password !== undefined && this.cfg.fetch) {
      this.cfg.fetch.password = password;
      this.intro.askNow();
    }
  }

  decide(key: string, yes: boolean): void {
    decide(this, key, yes);
  }

  rule(rule: Rule): void {
    if (this.door && this.cfg.share) putBack(this, this.cfg.share, this.door.set(rule));
  }

  /** So many bytes of leaves a second are sent at most, over all peers; 0 for no limit. */
  limit(rate: number): void {
    this.flow.pace.tell(rate, performance.now());
    this.kick();
  }

  /** When the link ends (ms since the epoch). */
  async expire(at: number): Promise<void> {
    if (this.cfg.share) await setExpiry(this, this.cfg.share, at);
  }

  /** Four words that the person at the other end sees, too. key: of a receiver; at a receiver none. */
  words(key?: string): Promise<string | undefined> {
    return checkWords(this, key);
  }

  known(): Omit<Before, 'roots'> {
    return known(this);
  }

  /** Asks for a short code, in place of the one before. Only for the person: each is good for five guesses. */
  newCode(): void {
    this.codes?.open();
  }

  /** Closes the room for everyone. */
  close(): void {
    this.room.send({ type: 'stop' });
  }

  /** Takes back what somebody was given: nobody serves it any more. False when others cannot be told of it. */
  async remove(key: string): Promise<boolean> {
    return this.cfg.share === undefined || remove(this, this.cfg.share, key);
  }

  /** Begins to fetch. */
  accept({ sink, wanted, whole }: Accepted): void {
    const { offered } = this;
    const signer = this.intro.signer;
    if (!offered || !signer || this.content) return;
    const layout = layoutOf(offered.manifest);
    this.content = new Content(offered.id, layout, { verify: signer.key, sign: undefined }, sink);
    for (const [piece, root] of whole) this.content.roots.set(piece, root);
    this.sched = this.schedule(false);
    this.fetching = new Fetching(this.sched, layout, sink, wanted, (piece) => whole.has(piece));
    const stat = this.stat(this.sched);
    for (const link of this.links.all.values()) {
      link.say(stat);
      this.links.join(link);
    }
    this.kick();
    this.checkEnd();
  }

  /** A piece that was here is not as it was stored. Returns whether it is fetched again; throws what the sink throws. */
  lose(piece: number): Promise<boolean> {
    return this.ending.lose(piece);
  }

  /** Stops asking, or goes on; others are still served. */
  pause(paused: boolean): void {
    this.paused = paused;
    this.fetching?.wish(!paused, performance.now());
    this.kick();
  }

  /** How many bytes of the stream are here in one run from a byte on, of at most so many. */
  here(at: number, most: number): number {
    return this.fetching?.here(at, most) ?? 0;
  }

  /** Asks for what follows a byte of the stream before all else, for a player; undefined ends that. */
  play(at: number | undefined): void {
    this.fetching?.play(at);
    this.kick();
  }

  status(): Status {
    const { intro, content, fetching } = this;
    const share = this.cfg.share !== undefined;
    const total = share ? (content?.layout.total ?? 0) : (fetching?.total ?? 0);
    return {
      online: intro.online,
      peers: peersOf(this),
      pieces: content?.layout.pieces ?? 0,
      total,
      held: share ? total : Math.min(total, (fetching?.held ?? 0) + this.verified),
      sent: this.sentBytes,
      up: this.up,
      down: this.down,
      safe: isSafe(this),
      stall: stallOf(this),
      finished: this.finished,
    };
  }

  // For the files beside this one.

  kick(): void {
    if (this.kicked || this.ended) return;
    this.kicked = true;
    this.kicker.port2.postMessage(undefined);
  }

  end(end: End): void {
    if (this.ended) return;
    this.cfg.tell({ kind: 'ended', end });
    this.stop();
  }

  offer(offered: Offered, blob: Bytes, from: Link): void {
    this.offered = offered;
    this.blob = blob;
    for (const link of this.links.all.values()) if (link !== from) this.sendBlob(link);
    this.cfg.tell({ kind: 'offered', offered });
  }

  sendBlob(link: Link): void {
    if (!this.blob || link.sentBlob) return;
    link.sentBlob = true;
    for (let offset = 0; offset < this.blob.length; offset += link.largest - 9) {
      const bytes = this.blob.subarray(offset, offset + link.largest - 9);
      link.say({ type: 'manifest', total: this.blob.length, offset, bytes });
    }
  }

  revoke(next: Revocations, list: Bytes): void {
    this.revoked = next;
    this.revokeList = list;
    for (const link of [...this.links.all.values()]) {
      if (next.serials.includes(link.token.serial)) this.links.bye(link, 'not-admitted');
      else link.say({ type: 'revoke', list });
    }
    this.attempts.dropAll((token) => token === undefined || !next.serials.includes(token.serial));
  }

  /** A scheduler for what is shared. */
  schedule(uniqueFirst: boolean): Scheduler {
    const { layout } = this.content as Content;
    const shape = { size: layout.total, piece: layout.piece, leaf: LEAF };
    return new Scheduler({ ...defaultConfig(shape), budget: BUDGET, uniqueFirst }, (below) =>
      Math.floor(Math.random() * below),
    );
  }

  /** What came may not all be stored: only a reload, which reads the journal, goes on from here. */
  storageFailed(error: unknown): void {
    this.end({ kind: 'storage', full: error instanceof NoRoom });
  }

  private keepHouse(): void {
    this.timers.after(HOUSE_EVERY, () => {
      if (this.ended) return;
      this.keepHouse();
      this.lookRound();
    });
  }

  /** Looks after what time alone changes. */
  private lookRound(): void {
    const now = performance.now();
    this.attempts.expire(now);
    this.intro.askAgain(now);
    this.attempts.connect(now);
    this.codes?.expire(Date.now());
    if (now - this.reported.at >= STAT_EVERY) {
      this.report(now);
      for (const link of this.links.all.values()) link.sweep();
    }
    for (const link of [...this.links.all.values()]) if (now - link.pinged >= PING_EVERY) this.links.ping(link, now);
    this.checkEnd();
    this.kick();
  }

  /** Measures, and tells the others how we fare. */
  report(now: number): void {
    const seconds = Math.max(1, now - this.reported.at) / 1000; // twice in a moment, by a coarse clock
    this.down = (this.verified - this.reported.taken) / seconds;
    this.up = (this.sentBytes - this.reported.sent) / seconds;
    this.reported = { at: now, taken: this.verified, sent: this.sentBytes };
    for (const link of this.links.all.values()) {
      link.measure(seconds);
      tellLine(this, link);
    }
    this.links.widen(now, (link, lane) => this.attempts.widen(link.peer, lane));
    if (!this.sched) return;
    const stat = this.stat(this.sched);
    for (const link of [...this.links.all.values()]) link.say(stat);
  }

  /** How we fare. */
  stat(sched: Scheduler): Frame {
    const rate = (value: number): number => Math.min(0xffff_ffff, Math.round(value));
    const { held, sendRate } = sched;
    return { type: 'stat', held, up: rate(sendRate), down: rate(this.down), state: stateOf(this) };
  }

  /** Finishes when nothing is missing. */
  checkEnd(): void {
    this.ending.check();
  }

  private server(message: ServerMessage): void {
    if (message.type === 'code') this.codes?.given(message);
    if (message.type === 'code-ended') this.codes?.ended(message);
    if (message.type === 'replaced') this.end({ kind: 'refused', reason: 'removed' });
  }
}
