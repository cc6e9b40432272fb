// One endpoint of a file mesh in the browser: the room, who is let in, links, pieces in and out. It
// carries out what the scheduler wants and tells it what happens; it draws nothing.

import type { ServerMessage } from '../../signal/msg.gen';
import { toBase64 } from '../base64';
import { type Bytes, hex } from '../bytes';
import { MeshError } from '../error';
import { type RoomKeys, roomHash, roomKeys } from '../keys';
import { encodeManifest, layoutOf, sealManifest } from '../manifest';
import { LEAF, sha256 } from '../merkle';
import type { Parts } from '../parts';
import { MAX_PEERS } from '../schedule/peers';
import { Scheduler } from '../schedule/schedule';
import type { Send } from '../schedule/send';
import { type Action, defaultConfig } from '../schedule/state';
import { pointOf } from '../sign';
import { noRevocations, PASS_ON, type Revocations, signRevocations, signToken, UPLOADER } from '../token';
import type { ByeReason, Frame, Range } from '../wire';
import { MAX_RANGES } from '../wire';
import { Attempts, type Connected } from './attempts';
import { Codes } from './codes';
import type { Accepted, Config, End, Offered, Status } from './config';
import { Content } from './content';
import { Door, type Rule } from './door';
import { handleFrame } from './frames';
import { Introduction, passwordOf } from './introduce';
import { BadLeaf, FEED, Link } from './link';
import { Room } from './room';
import { Files, NoRoom, SourceChanged } from './sink';
import { peersOf, stallOf } from './status';

/** Bytes of leaves that were asked for, over all peers; the rest of the 48 MiB is for what waits. */
const BUDGET = 32 * 1024 * 1024;
const HOUSE_EVERY = 250;
const STAT_EVERY = 1_000;
const PING_EVERY = 5_000;
/** What a page takes to answer is longer than a short line (ms). */
export const LEAST_ROUND_TRIP = 20;
/** How long a peer that broke the protocol is left alone (ms). */
export const BAN = 30_000;
const PARTING = 500;
const DISK_PAUSE = 3_000;

export class Peer {
  // What frames.ts and status.ts look at, too.
  readonly cfg: Config;
  readonly intro: Introduction;
  readonly links = new Map<string, Link>();
  content: Content | undefined;
  sched: Scheduler | undefined;
  offered: Offered | undefined;
  blob: Bytes | undefined;
  revoked: Revocations = noRevocations;
  revokeList: Bytes | undefined;
  wanted: ReadonlySet<number> = new Set();
  total = 0;
  verified = 0;
  held = 0;
  sentBytes = 0;
  up = 0;
  down = 0;
  paused = false;
  diskFull: number | undefined;
  finished = false;
  changed = false;
  readonly door: Door | undefined;

  private readonly room: Room;
  private readonly attempts: Attempts;
  private readonly codes: Codes | undefined;
  private readonly slots: (Link | undefined)[] = new Array(MAX_PEERS).fill(undefined);
  private readonly bans = new Map<string, number>();
  private readonly wantedPieces = new Set<number>();
  private handed = 0;
  private ended = false;
  private finishing = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private house: ReturnType<typeof setInterval> | undefined;
  private kicked = false;
  private readonly kicker = new MessageChannel();
  private stat = { at: performance.now(), taken: 0, sent: 0 };

  /** Nothing happens before start. Throws MeshError when the manifest or the room's name breaks a rule. */
  static async make(cfg: Config): Promise<Peer> {
    const keys = await roomKeys(cfg.link.secret, cfg.link.room);
    const peer = new Peer(cfg, keys);
    if (cfg.share) await peer.share();
    return peer;
  }

  private constructor(cfg: Config, keys: RoomKeys) {
    this.cfg = cfg;
    if (cfg.share) this.door = new Door(cfg.share.rule, cfg.share.expires, drawSerial);
    this.room = new Room(memberOf(cfg, keys), {
      link: (connection) => {
        if (connection.phase !== 'open') this.intro.lost();
        cfg.tell({ kind: 'connection', connection });
      },
      message: (message) => {
        if (!this.ended) this.intro.heard(message);
        if (message.type === 'welcome') cfg.tell({ kind: 'opened', server: message.publicUrl.replace(/\/$/u, '') });
      },
    });
    this.intro = new Introduction(cfg, keys, this.room, this.door, {
      negotiate: (from, dh, message) => this.attempts.negotiate(from, dh, message),
      pake: async (from, message) => this.codes?.take(from, message),
      admitted: () => this.attempts.admitted(),
      renamed: () => this.attempts.dropAll(),
      undelivered: (to) => this.attempts.dropTo(to),
      left: (endpoint) => this.codes?.left(endpoint),
      changed: () => this.attempts.connect(performance.now()),
      refused: (reason) => this.end({ kind: 'refused', reason }),
      server: (message) => this.server(message),
    });
    this.attempts = new Attempts(cfg, this.intro, {
      connected: (peer) => this.connected(peer),
      barred: (dh) => this.links.has(hex(dh)) || this.banned(hex(dh)),
      banned: (dh) => this.banned(hex(dh)),
      revoked: () => this.revoked,
      seed: () => cfg.share !== undefined || this.finished,
    });
    if (cfg.share) this.codes = new Codes(cfg, this.room, this.intro);
    this.kicker.port1.onmessage = () => {
      this.kicked = false;
      this.advance();
    };
  }

  start(): void {
    this.room.start();
    this.house = setInterval(() => this.lookRound(), HOUSE_EVERY);
  }

  /** Says goodbye to all. */
  stop(): void {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.house);
    clearTimeout(this.timer);
    for (const link of [...this.links.values()]) this.bye(link, this.finished ? 'done' : 'goes-away');
    this.attempts.dropAll();
    setTimeout(() => this.room.stop(), PARTING);
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
    this.intro.decide(key, yes);
  }

  rule(rule: Rule): void {
    this.door?.set(rule);
  }

  /** Asks for a short code, in place of the one before. */
  newCode(): void {
    this.codes?.open();
  }

  /** Closes the room for everyone. */
  close(): void {
    this.room.send({ type: 'stop' });
  }

  /** Takes back what somebody was given: nobody serves it any more. */
  async remove(key: string): Promise<void> {
    const { share, link } = this.cfg;
    const serial = this.door?.remove(key) ?? 0;
    this.intro.later(() => this.intro.putOut(key));
    if (!share || serial === 0 || this.revoked.serials.includes(serial)) return;
    const serials = [...this.revoked.serials, serial].sort((a, b) => a - b);
    const next = { version: this.revoked.version + 1, serials };
    this.revoke(next, await signRevocations(next, share.keys.privateKey, link.room));
  }

  /** Begins to fetch. */
  accept({ sink, wanted, whole }: Accepted): void {
    const { offered } = this;
    const signer = this.intro.signer;
    if (!offered || !signer || this.content) return;
    const layout = layoutOf(offered.manifest);
    this.content = new Content(offered.id, layout, { verify: signer.key, sign: undefined }, sink);
    this.wanted = wanted;
    for (const file of wanted) {
      const { first, end } = layout.filePieces(file);
      for (let i = first; i < end; i++) this.wantedPieces.add(i);
    }
    for (const [piece, root] of whole) this.content.roots.set(piece, root);
    this.sched = this.schedule(false);
    const now = performance.now();
    for (let i = 0; i < layout.pieces; i++) {
      if (whole.has(i)) this.sched.hold(i, 1);
      if (!this.wantedPieces.has(i)) this.sched.select(i, 1, false, now);
      else {
        this.total += layout.pieceLength(i);
        if (whole.has(i)) this.held += layout.pieceLength(i);
      }
    }
    for (const link of this.links.values()) this.join(link);
    this.kick();
    this.checkEnd();
  }

  /** Stops asking, or goes on; others are still served. */
  pause(paused: boolean): void {
    this.paused = paused;
    this.wish(!paused);
  }

  status(): Status {
    const { intro, content, sched } = this;
    const share = this.cfg.share !== undefined;
    const total = share ? (content?.layout.total ?? 0) : this.total;
    return {
      online: intro.online,
      peers: peersOf(this),
      pieces: content?.layout.pieces ?? 0,
      total,
      held: share ? total : Math.min(total, this.held + this.verified),
      sent: this.sentBytes,
      up: this.up,
      down: this.down,
      safe: sched !== undefined && (content?.layout.pieces ?? 0) > 0 && sched.swarmHolds,
      stall: stallOf(this),
      finished: this.finished,
    };
  }

  // For frames.ts.

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
    for (const link of this.links.values()) if (link !== from) this.sendBlob(link);
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
    for (const link of [...this.links.values()]) {
      if (next.serials.includes(link.token.serial)) this.bye(link, 'not-admitted');
      else link.say({ type: 'revoke', list });
    }
    this.attempts.dropAll((token) => token === undefined || !next.serials.includes(token.serial));
  }

  /** Drops a connection at once. */
  unlink(link: Link): void {
    this.forget(link);
    link.conn.close();
  }

  ban(key: string, for_: number): void {
    this.bans.set(key, Date.now() + for_);
  }

  private banned(key: string): boolean {
    return Date.now() < (this.bans.get(key) ?? 0);
  }

  private async share(): Promise<void> {
    const { cfg } = this;
    const share = cfg.share as NonNullable<Config['share']>;
    const cbor = encodeManifest(share.manifest);
    const { privateKey, publicKey } = share.keys;
    const id = await sha256(cbor);
    const layout = layoutOf(share.manifest);
    this.blob = await sealManifest(cbor, cfg.link.room, privateKey);
    this.offered = { manifest: share.manifest, id };
    const point = await pointOf(publicKey);
    this.intro.signer = { point, key: publicKey };
    this.intro.uploader = cfg.identity.agreement.dh;
    this.intro.token = await signToken(
      {
        room: await roomHash(cfg.link.room),
        serial: 0,
        expiry: Math.floor(share.expires / 1000),
        rights: UPLOADER | PASS_ON,
        dh: cfg.identity.agreement.dh,
        fingerprint: cfg.identity.fingerprint,
        key: point,
      },
      privateKey,
    );
    this.content = new Content(id, layout, { verify: publicKey, sign: privateKey }, new Files(layout, share.files));
    this.sched = this.schedule(true);
    this.sched.hold(0, layout.pieces);
  }

  private schedule(uniqueFirst: boolean): Scheduler {
    const { layout } = this.content as Content;
    const shape = { size: layout.total, piece: layout.piece, leaf: LEAF };
    return new Scheduler({ ...defaultConfig(shape), budget: BUDGET, uniqueFirst }, (below) =>
      Math.floor(Math.random() * below),
    );
  }

  /** Takes up a peer whose HELLO was right. An older connection to it gives way. */
  private connected(made: Connected): void {
    const old = this.links.get(hex(made.peer));
    if (old) this.unlink(old);
    const slot = this.slots.indexOf(undefined);
    if (slot < 0 || this.ended) {
      made.conn.close();
      return;
    }
    const link = new Link(made, slot, {
      frame: (from, frame) => handleFrame(this, from, frame),
      expects: (from, piece, leaf) => this.expects(from, piece, leaf),
      whole: (from, parts, piece, leaf) => this.whole(from, parts, piece, leaf),
      messages: (to, send) => (this.content as Content).messages(send.piece, send.leaf, to.largest),
      sent: (to, send, error) => this.sent(to, send, error),
      broke: (from, error) => this.broke(from, error),
    });
    this.links.set(link.key, link);
    this.slots[slot] = link;
    made.conn.onGone(() => this.unlink(link));
    this.greet(link);
    link.start();
    this.kick();
  }

  /** Tells a new peer all that it has to know. */
  private greet(link: Link): void {
    this.ping(link, performance.now());
    if (this.revokeList) link.say({ type: 'revoke', list: this.revokeList });
    if (!link.seed) this.sendBlob(link);
    if (this.sched) this.join(link);
    const member = this.intro.memberOf(link.peer);
    if (member) member.pause = 0;
    void link.conn.relayed().then(
      (relayed) => {
        link.relayed = relayed;
      },
      () => undefined,
    );
  }

  private ping(link: Link, now: number): void {
    link.pinged = now;
    link.say({ type: 'ping', value: BigInt(Math.floor(now * 1000)) });
  }

  /** Makes a link part of what the scheduler knows. */
  private join(link: Link): void {
    if (link.joined || link.dead || !this.sched) return;
    link.joined = true;
    this.sched.peerJoined(link.slot, 1, Math.max(LEAST_ROUND_TRIP, link.roundTrip));
    try {
      for (const { first, count } of link.shown.splice(0)) this.sched.shown(link.slot, first, count);
    } catch (error) {
      this.broke(link, error);
    }
  }

  private forget(link: Link): void {
    if (link.dead) return;
    link.dead = true;
    this.handed -= link.queued;
    if (this.links.get(link.key) === link) this.links.delete(link.key);
    if (this.slots[link.slot] === link) {
      this.slots[link.slot] = undefined;
      if (link.joined) this.sched?.peerLeft(link.slot);
    }
    const member = this.intro.memberOf(link.peer);
    if (member) member.next = performance.now() + this.intro.headStart(link.peer) + member.pause;
    this.kick();
  }

  private bye(link: Link, reason: ByeReason): void {
    link.say({ type: 'bye', reason, text: '' });
    this.forget(link);
    setTimeout(() => link.conn.close(), PARTING);
  }

  /** What the other side is to blame for is held against it. */
  private broke(link: Link, error: unknown): void {
    if (link.dead) return;
    if (error instanceof BadLeaf) {
      this.ban(link.key, Number.POSITIVE_INFINITY);
      this.cfg.tell({ kind: 'wrong' });
      this.bye(link, 'bad-leaf');
    } else if (error instanceof MeshError) {
      this.ban(link.key, BAN);
      this.bye(link, 'broke-protocol');
    } else this.unlink(link);
  }

  private expects(link: Link, piece: number, leaf: number): number | undefined {
    const { sched, content } = this;
    if (!sched || !content || !link.joined) return undefined;
    if (sched.expects(link.slot, piece, leaf, performance.now()) === 'unasked') return undefined;
    return content.layout.leafLength(piece, leaf) || undefined;
  }

  private async whole(link: Link, parts: Parts, piece: number, leaf: number): Promise<void> {
    const { content, sched } = this;
    if (!content || !sched) return;
    const { length } = parts.bytes;
    try {
      if (!(await content.take(parts, piece, leaf))) throw new BadLeaf('a leaf that is not what was shared');
    } catch (error) {
      if (error instanceof BadLeaf) throw error;
      return this.storageFailed(error);
    }
    if (link.dead || !sched.leafArrived(link.slot, piece, leaf, performance.now())) return;
    link.taken += length;
    this.verified += length;
    const root = sched.has(piece) ? content.roots.get(piece) : undefined;
    if (root) this.cfg.tell({ kind: 'stored', piece, root });
    this.kick();
    this.checkEnd();
  }

  private storageFailed(error: unknown): void {
    if (!(error instanceof NoRoom)) {
      this.end({ kind: 'storage', text: error instanceof Error ? error.message : '' });
      return;
    }
    this.diskFull = performance.now();
    this.wish(false);
  }

  private wish(wanted: boolean): void {
    const now = performance.now();
    for (const piece of this.wantedPieces) this.sched?.select(piece, 1, wanted, now);
    this.kick();
  }

  private sent(link: Link, send: Send, error: unknown): void {
    if (link.dead) return;
    const now = performance.now();
    this.handed -= 1;
    link.queued -= 1;
    if (link.queued <= FEED / 2) this.sched?.full(link.slot, false);
    this.sched?.sent(send, now);
    this.kick();
    if (error === undefined) {
      const bytes = this.content?.layout.leafLength(send.piece, send.leaf) ?? 0;
      link.sent += bytes;
      this.sentBytes += bytes;
      return;
    }
    const changed = error instanceof SourceChanged;
    const reason = changed ? 'changed' : 'unreadable';
    link.say({ type: 'reject', piece: send.piece, first: send.leaf, count: 1, reason });
    this.cfg.tell({ kind: 'unreadable', changed });
    if (changed && this.cfg.share) {
      for (const one of [...this.links.values()]) this.bye(one, 'source-changed');
      this.end({ kind: 'changed' });
    }
  }

  /** Carries out what the scheduler wants. */
  private advance(): void {
    const { sched } = this;
    clearTimeout(this.timer);
    if (!sched || this.ended) return;
    const now = performance.now();
    this.act(sched.next(now));
    this.feed(sched, now);
    const due = sched.deadline();
    if (due !== undefined) this.timer = setTimeout(() => this.advance(), Math.max(5, due - now));
  }

  /** Runs of HAVE to one peer become one frame. */
  private act(actions: readonly Action[]): void {
    let ranges: Range[] = [];
    for (const [i, action] of actions.entries()) {
      const link = this.slots[action.peer];
      if (action.kind !== 'have') {
        const { piece, first, count } = action;
        const leaves = { piece, first, count };
        link?.say(
          action.kind === 'reject'
            ? { type: 'reject', ...leaves, reason: action.reason }
            : { type: action.kind, ...leaves },
        );
        continue;
      }
      ranges = joinRange(ranges, action);
      const next = actions[i + 1];
      if (next?.kind === 'have' && next.peer === action.peer && ranges.length < MAX_RANGES) continue;
      link?.say({ type: 'have', ranges });
      ranges = [];
    }
  }

  private feed(sched: Scheduler, now: number): void {
    const most = this.links.size * FEED;
    while (this.handed < most) {
      const next = sched.nextSend(now);
      if (!next) return;
      const link = this.slots[next.peer];
      if (!link) continue;
      this.handed += 1;
      link.hand(next);
      if (link.queued >= FEED) sched.full(next.peer, true);
    }
  }

  /** Looks after what time alone changes. */
  private lookRound(): void {
    const now = performance.now();
    this.attempts.expire(now);
    this.intro.askAgain(now);
    this.attempts.connect(now);
    this.codes?.expire(Date.now());
    if (this.diskFull !== undefined && now - this.diskFull > DISK_PAUSE) {
      this.diskFull = undefined;
      if (!this.paused) this.wish(true);
    }
    if (now - this.stat.at >= STAT_EVERY) this.report(now);
    for (const link of [...this.links.values()]) if (now - link.pinged >= PING_EVERY) this.ping(link, now);
    this.checkEnd();
    this.kick();
  }

  /** Measures, and tells the others how we fare. */
  private report(now: number): void {
    const seconds = (now - this.stat.at) / 1000;
    this.down = (this.verified - this.stat.taken) / seconds;
    this.up = (this.sentBytes - this.stat.sent) / seconds;
    this.stat = { at: now, taken: this.verified, sent: this.sentBytes };
    if (!this.sched) return;
    const rate = (value: number): number => Math.min(0xffff_ffff, Math.round(value));
    const frame: Frame = {
      type: 'stat',
      held: this.sched.held,
      up: rate(this.sched.sendRate),
      down: rate(this.down),
      state: this.state(this.sched),
    };
    for (const link of [...this.links.values()]) link.say(frame);
  }

  private state(sched: Scheduler): 'running' | 'paused' | 'disk-full' | 'waiting' | 'complete' | 'hidden' {
    if (this.cfg.share) return 'running';
    if (this.diskFull !== undefined) return 'disk-full';
    if (this.paused) return 'paused';
    if (sched.missing === 0) return 'complete';
    if (this.down > 0) return 'running';
    return document.visibilityState === 'hidden' ? 'hidden' : 'waiting';
  }

  /** Finishes when nothing is missing. */
  private checkEnd(): void {
    const { sched, content } = this;
    if (!this.cfg.fetch || !sched || !content?.sink || this.finishing || this.ended) return;
    if (this.changed && sched.missing > 0 && !sched.swarmHolds) {
      this.end({ kind: 'changed' });
      return;
    }
    if (sched.missing > 0 || this.paused || this.diskFull !== undefined) return;
    this.finishing = true;
    content.sink.finish().then(
      () => {
        this.finished = true;
        this.report(performance.now());
        this.cfg.tell({ kind: 'finished' });
      },
      (error) => {
        this.finishing = false;
        this.storageFailed(error);
      },
    );
  }

  private server(message: ServerMessage): void {
    if (message.type === 'code') this.codes?.given(message);
    if (message.type === 'code-ended') this.codes?.ended(message);
    if (message.type === 'replaced') this.end({ kind: 'refused', reason: 'removed' });
  }
}

/** Who we are to the server. */
function memberOf(cfg: Config, keys: RoomKeys) {
  const room = { kind: 'files', name: cfg.link.room } as const;
  const { share } = cfg;
  if (!share) {
    const viewer = toBase64(cfg.identity.fingerprint.slice(0, 16));
    return { room, role: 'subscriber', password: passwordOf(keys), viewer } as const;
  }
  const life = Math.min(604_800, Math.max(60, Math.floor((share.expires - Date.now()) / 1000)));
  const files = { verifier: toBase64(keys.verifier), life };
  return { room, role: 'publisher', token: share.owner, files } as const;
}

/** By chance, so that none comes twice after a reload. */
function drawSerial(): number {
  return Math.max(1, crypto.getRandomValues(new Uint32Array(1))[0] as number);
}

function joinRange(ranges: readonly Range[], { first, count }: Range): Range[] {
  const last = ranges.at(-1);
  if (last && last.first + last.count === first)
    return [...ranges.slice(0, -1), { first: last.first, count: last.count + count }];
  return [...ranges, { first, count }];
}
