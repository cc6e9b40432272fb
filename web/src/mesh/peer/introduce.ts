// How peers meet (docs/MESH.md, section 2): members of the room, their keys, cards, asks and tokens.
// It opens and seals envelopes; offers and answers are handed on (attempts.ts). One envelope is
// worked on at a time, in the order in which they came.

import type { ClientMessage, Files, Members, Member as RoomMember, ServerMessage, Welcome } from '../../signal/msg.gen';
import { fromBase64 } from '../base64';
import { type Bytes, equal, hex } from '../bytes';
import { GROUP, openGroup, openPair, PAIR, PAKE, sealGroup, sealPair, senderOf } from '../envelope';
import { isLower, type Pair, pairKeys, type RoomKeys } from '../keys';
import { type Ask, type Card, newCard, type PairMessage, type Reason, verifyCard } from '../messages';
import { RECEIVE, verifyToken } from '../token';
import type { Config } from './config';
import type { Door } from './door';
import { iceServers } from './ice';
import { ghostOf, learn, type Member, MOST_MEMBERS, memberWith, newMember, type Signer } from './members';
import { Reception } from './reception';
import type { Room } from './room';

export interface IntroductionHandlers {
  /** An offer, an answer or a candidate. */
  negotiate(from: string, dh: Bytes, message: PairMessage): Promise<void>;
  /** A message of the short code's exchange. */
  pake(from: string, message: Bytes): Promise<void>;
  /** We were let in. */
  admitted(): Promise<void>;
  /** Our endpoint is another one than before: attempts were bound to the old. */
  renamed(): void;
  undelivered(to: string): void;
  left(endpoint: string): void;
  /** Who has this key is at another endpoint than this one. */
  moved(endpoint: string, dh: Bytes): void;
  /** Members, keys or the uploader have changed: it may be time to offer. */
  changed(): void;
  refused(reason: Reason): void;
  /** A token that was taken back is given again. */
  reinstate(serial: number): Promise<void>;
  /** All other messages of the server. */
  server(message: ServerMessage): void;
}

const ASK_EVERY = 10_000;
/** The head start of the one who has to offer first. */
export const HEAD_START = 2_000;
/** Keys of others that are remembered, and envelopes that may wait. */
const MAX_PAIRS = 512;
const MAX_WAITING = 2_048;

export class Introduction {
  endpoint = '';
  online = false;
  /** Ours. */
  token: Bytes | undefined;
  signer: Signer | undefined;
  /** The uploader's agreement key, once known. */
  uploader: Bytes | undefined;
  /** Its endpoint, by the server's word alone: whoever has the link can send its card again. */
  uploaderAt = '';
  ice: RTCIceServer[] = [];
  /** The token for the server's relay, empty where there is none. */
  relay = '';
  readonly members = new Map<string, Member>();
  readonly keys: RoomKeys;
  /** At the uploader. */
  readonly reception: Reception | undefined;
  private readonly cfg: Config;
  private readonly room: Room;
  private readonly on: IntroductionHandlers;
  private readonly pairs = new Map<string, Pair>();
  private chain: Promise<void> = Promise.resolve();
  private waiting = 0;
  private askAt = 0;
  private waits = false;

  constructor(cfg: Config, keys: RoomKeys, room: Room, door: Door | undefined, on: IntroductionHandlers) {
    this.cfg = cfg;
    this.keys = keys;
    this.room = room;
    if (door) this.reception = new Reception(cfg, door, this, on.reinstate);
    this.on = on;
  }

  /** Takes a message of the server. */
  heard(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.welcomed(message);
        break;
      case 'files':
        this.files(message);
        break;
      case 'members':
        this.membersChanged(message);
        break;
      case 'deliver':
        this.queue(message.from, message.sealed);
        break;
      case 'undelivered':
        this.undelivered(message.to, message.code === 'rate');
        break;
      default:
        this.on.server(message);
    }
  }

  lost(): void {
    this.online = false;
  }

  /** Asks the uploader until there is an answer. */
  askAgain(now: number): void {
    const { fetch, identity } = this.cfg;
    if (!fetch || this.token || !this.online || !this.uploader || now < this.askAt) return;
    this.askAt = now + ASK_EVERY;
    const ask: Ask = { type: 'ask', fingerprint: identity.fingerprint, name: fetch.name };
    if (fetch.password !== '') ask.password = fetch.password;
    this.later(() => this.tell(this.uploader as Bytes, this.uploaderAt, ask));
  }

  /** Asks at once with what may have changed. */
  askNow(): void {
    this.askAt = 0;
    this.askAgain(performance.now());
  }

  /** Seals a message for one peer. */
  async tell(dh: Bytes, to: string, message: PairMessage): Promise<void> {
    const pair = await this.pair(dh);
    this.room.envelope(to, await sealPair(pair, { from: this.endpoint, to }, message));
  }

  async pair(dh: Bytes): Promise<Pair> {
    const name = hex(dh);
    const known = this.pairs.get(name);
    if (known) return known;
    const { identity, link } = this.cfg;
    const made = await pairKeys(identity.agreement, dh, link.secret, link.room);
    // Somebody makes keys without end.
    if (this.pairs.size >= MAX_PAIRS) this.pairs.clear();
    this.pairs.set(name, made);
    return made;
  }

  /** The member of this key: who has proven it before who says so. */
  memberOf(dh: Bytes): Member | undefined {
    return this.memberWith((one) => equal(one, dh));
  }

  memberWith(fits: (dh: Bytes) => boolean): Member | undefined {
    return memberWith(this.members.values(), fits);
  }

  /** Keeps two from offering to each other at the same time. */
  headStart(dh: Bytes): number {
    // An uploader that comes back is the one who comes.
    return this.cfg.share?.before || isLower(this.cfg.identity.agreement.dh, dh) ? 0 : HEAD_START;
  }

  send(message: ClientMessage): void {
    this.room.send(message);
  }

  private welcomed(welcome: Welcome): void {
    const { endpoint, files } = welcome;
    const renamed = this.endpoint !== '' && this.endpoint !== endpoint;
    this.online = true;
    this.endpoint = endpoint;
    this.askAt = 0;
    if (files) this.files(files);
    this.ice = iceServers(welcome);
    this.relay = files?.relay ?? '';
    for (const member of this.members.values()) this.takeUpAgain(member, renamed);
    if (renamed) this.on.renamed();
  }

  /** Perhaps the network is another one: who could not be reached may be now. */
  private takeUpAgain(member: Member, renamed: boolean): void {
    member.pause = 0;
    if (member.dh) member.next = Math.min(member.next, performance.now() + this.headStart(member.dh));
    if (renamed) member.told = false;
  }

  private files({ owner, expires }: Omit<Files, 'type'>): void {
    if (owner) this.uploaderIs(owner);
    if (this.cfg.share) this.cfg.tell({ kind: 'expires', at: expires });
  }

  private membersChanged({ all, joined = [], left = [], neighbours }: Members): void {
    if (all) for (const id of [...this.members.keys()]) if (!joined.some((j) => j.endpoint === id)) this.leave(id);
    for (const id of left) this.leave(id);
    // These first, as room for others is made of those who are not listed.
    for (const one of joined) Object.assign(this.members.get(one.endpoint) ?? {}, { listed: true });
    // The server says in the order of what happens who has come: whoever was heard of before, and is not in that, has left.
    for (const { endpoint, listed } of this.members.values()) if (!listed) this.members.delete(endpoint);
    for (const one of joined) if (one.endpoint !== this.endpoint) this.join(one);
    for (const member of this.members.values()) {
      member.neighbour = neighbours.includes(member.endpoint);
      if (!member.told) this.tellKey(member);
    }
    this.on.changed();
  }

  private join({ endpoint, role }: RoomMember): void {
    const member = this.member(endpoint);
    const publisher = role === 'publisher';
    if (member) Object.assign(member, { listed: true, publisher });
    if (publisher) this.uploaderIs(endpoint);
  }

  private uploaderIs(endpoint: string): void {
    this.uploaderAt = endpoint;
    const member = this.members.get(endpoint);
    if (member) this.believe(member); // its card may have been quicker than word of it
  }

  private leave(endpoint: string): void {
    if (this.members.delete(endpoint)) this.on.left(endpoint);
  }

  /** Undefined when there are too many. */
  private member(endpoint: string): Member | undefined {
    const known = this.members.get(endpoint);
    if (known) return known;
    if (this.members.size >= MOST_MEMBERS) {
      const ghost = ghostOf(this.members.values(), this.uploaderAt);
      if (!ghost) return undefined;
      this.members.delete(ghost.endpoint);
    }
    const made = newMember(endpoint);
    this.members.set(endpoint, made);
    return made;
  }

  /** The uploader says who it is by its card to all, others by their key to those whom they will be connected to. */
  private tellKey(member: Member): void {
    const { share, identity, link } = this.cfg;
    // The uploader learns our key when we ask to come in.
    // An uploader that came back does not know us, as who was let in does not ask again.
    if (!share && (!member.neighbour || (member.publisher && !this.token))) return;
    member.told = true;
    const { dh } = identity.agreement;
    this.later(async () => {
      const about = share ? await newCard(share.keys, link.room, dh) : ({ type: 'key', dh } as const);
      this.room.envelope(
        member.endpoint,
        await sealGroup(this.keys, { from: this.endpoint, to: member.endpoint }, about),
      );
    });
  }

  private undelivered(to: string, slow: boolean): void {
    const member = this.members.get(to);
    if (member) {
      if (slow) member.told = false;
      member.next = performance.now() + 1_000;
    }
    this.on.undelivered(to);
  }

  private queue(from: string, sealed: string): void {
    if (this.waiting < MAX_WAITING) this.later(() => this.deliver(from, fromBase64(sealed)));
  }

  /** What fails concerns one envelope: one that does not open is dropped without an answer. */
  later(work: () => Promise<void>): void {
    this.waiting += 1;
    this.chain = this.chain
      .then(work)
      .catch(() => undefined)
      .then(() => {
        this.waiting -= 1;
      });
  }

  private async deliver(from: string, envelope: Bytes): Promise<void> {
    const way = { from, to: this.endpoint };
    switch (envelope[0]) {
      case PAKE:
        return this.on.pake(from, envelope);
      case GROUP: {
        const message = await openGroup(this.keys, way, envelope);
        if (message.type === 'card') return this.card(from, message);
        return this.learn(from, message.dh, false);
      }
      case PAIR: {
        const dh = senderOf(envelope);
        const message = await openPair(await this.pair(dh), way, envelope);
        this.learn(from, dh, true);
        return this.message(from, dh, message);
      }
    }
  }

  private learn(from: string, dh: Bytes, proven: boolean): void {
    const member = this.member(from); // its envelope may be quicker than word of it
    if (!member) return;
    const turn = performance.now() + this.headStart(dh);
    const { news, moved } = learn(this.members.values(), member, dh, proven, turn);
    for (const endpoint of moved) this.on.moved(endpoint, dh);
    if (news) this.on.changed();
  }

  private async card(from: string, card: Card): Promise<void> {
    if (this.cfg.share) return;
    const { link } = this.cfg;
    try {
      const signer = { point: card.key, key: await verifyCard(card, link.key, link.room) };
      const member = this.member(from);
      if (!member) return;
      member.card = { dh: card.dh, signer };
      this.believe(member);
    } catch {
      // Others who have the link may send anything. That of the uploader must be the link's.
      if (from === this.uploaderAt && !this.token) this.cfg.tell({ kind: 'stranger' });
    }
  }

  /** The card of a member counts when the server says that it is the uploader: others may send an old one again. */
  private believe({ endpoint, card }: Member): void {
    if (!card || endpoint !== this.uploaderAt || this.cfg.share) return;
    this.signer = card.signer;
    this.uploader = card.dh;
    this.learn(endpoint, card.dh, false);
    if (!this.token) this.askNow();
  }

  private async message(from: string, dh: Bytes, message: PairMessage): Promise<void> {
    const fromUploader = this.cfg.fetch !== undefined && this.uploader !== undefined && equal(dh, this.uploader);
    switch (message.type) {
      case 'ask':
        await this.reception?.asked(from, dh, message);
        break;
      case 'wait':
        if (fromUploader && !this.token && !this.waits) {
          this.waits = true;
          this.cfg.tell({ kind: 'waits' });
        }
        break;
      case 'token':
        if (fromUploader) await this.admitted(message.token);
        break;
      case 'refused':
        // What was given is taken back from who is removed, and from who only looks when the places are taken.
        if (fromUploader && (!this.token || message.reason === 'removed' || message.reason === 'full'))
          this.refused(message.reason);
        break;
      default:
        await this.on.negotiate(from, dh, message);
    }
  }

  /** A wrong password may be followed by a right one; the person decides. */
  private refused(reason: Reason): void {
    if (reason !== 'password') {
      this.on.refused(reason);
      return;
    }
    const wrong = this.cfg.fetch?.password !== '';
    this.askAt = Number.POSITIVE_INFINITY;
    this.cfg.tell({ kind: 'password', wrong });
  }

  /** Takes our token, if it is ours and good. */
  private async admitted(signed: Bytes): Promise<void> {
    const { link, identity } = this.cfg;
    const token = await verifyToken(signed, link.key, link.room, Date.now(), RECEIVE);
    if (!equal(token.dh, identity.agreement.dh) || !equal(token.fingerprint, identity.fingerprint)) return;
    const first = this.token === undefined;
    this.token = signed;
    this.waits = false;
    if (!first) return;
    // We are the one who comes: no head start for others.
    for (const member of this.members.values()) member.next = 0;
    await this.on.admitted();
  }
}
