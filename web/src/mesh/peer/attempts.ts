// Connections in the making (docs/MESH.md, section 2): offers, answers and candidates of admitted
// peers, until HELLO has proven that the certificates at both ends are those of the envelopes.

import type { After } from '../../signal/after';
import { type Bytes, equal, hex } from '../bytes';
import { MeshError } from '../error';
import { admit } from '../gate';
import { checkHello, type HelloFacts, helloMac, isLower, type Pair, random } from '../keys';
import type { Answer, Offer, PairMessage } from '../messages';
import { verifyingKey } from '../sign';
import { PASS_ON, type Revocations, type Token } from '../token';
import { ATTEMPT, append, type Frame, parse, VERSION } from '../wire';
import type { Config } from './config';
import { Conn } from './conn';
import type { Introduction } from './introduce';
import type { Member } from './members';
import { dialRelay, RELAY_LANE, Relay, relayKeys } from './relay';
import type { Way } from './way';

/** What we can take, in bytes. */
export const LARGEST = 262_144;
const WITHIN = 15_000;
const LONGEST_RETRY = 15_000;
const MOST = 128;
/** Attempts of a peer that are remembered (docs/MESH.md, section 2). */
const MOST_SEEN = 64;
/** The head start of the direct path before the relay is opened (ms). */
const RELAY_AFTER = 1_000;
/** How long the other side may take to say HELLO (ms). */
const HELLO_WITHIN = 10_000;
/** How often a relayed pair tries the direct path again (ms). */
export const BETTER_EVERY = 60_000;

/** A connection that is being made. */
interface Attempt {
  id: Bytes;
  peer: Bytes;
  /** Its endpoint. */
  to: string;
  pair: Pair;
  /** 0 for the first connection of a pair. */
  lane: number;
  /** We made the offer. */
  ours: boolean;
  token: Token | undefined;
  conn: Conn;
  until: number;
  /** Our description was sent; addresses of ours wait for it. */
  described: boolean;
  found: string[];
  /** Addresses of theirs that came before their description was taken. */
  came: string[] | undefined;
  /** When the answer was sent or taken (ms); undefined before. */
  agreed: number | undefined;
  /** The relay was opened for it: once, since its messages are counted from 0. */
  relaying: boolean;
}

/** Whether the direct path of an attempt has had its head start. */
export function relayDue({ agreed, relaying }: Pick<Attempt, 'agreed' | 'relaying'>, now: number): boolean {
  return agreed !== undefined && !relaying && now - agreed >= RELAY_AFTER;
}

/** A peer whose HELLO was right. */
export interface Connected {
  /** What made it, and whether we had offered. */
  attempt: Bytes;
  ours: boolean;
  peer: Bytes;
  token: Token;
  pair: Pair;
  conn: Way;
  /** It has nothing to ask for. */
  seed: boolean;
  /** Bytes of a message that it takes. */
  largest: number;
}

export interface AttemptHandlers {
  connected(peer: Connected): void;
  /** A further lane of a pair was made. */
  widened(peer: Connected, lane: number): void;
  /** A further lane that was to be made was not. */
  notWidened(dh: Bytes): void;
  /** Whether a lane may be opened. */
  takesLane(dh: Bytes, lane: number): boolean;
  /** There is a connection to it by which something comes. */
  works(dh: Bytes): boolean;
  /** What is not to be offered to now: linked well enough, or banned. */
  barred(dh: Bytes): boolean;
  banned(dh: Bytes): boolean;
  revoked(): Revocations;
  seed(): boolean;
  /** Timers that go on in a hidden page. */
  after: After;
}

export class Attempts {
  private readonly cfg: Config;
  private readonly intro: Introduction;
  private readonly on: AttemptHandlers;
  private readonly open = new Map<string, Attempt>();
  /** Offers that came before we had a token to answer them with, by the endpoint that sent them. */
  private early = new Map<string, { from: string; dh: Bytes; offer: Offer }>();
  /** The last attempts of each admitted peer that came, so that a replay costs nothing. */
  private readonly seen = new Map<string, readonly string[]>();

  constructor(cfg: Config, intro: Introduction, on: AttemptHandlers) {
    this.cfg = cfg;
    this.intro = intro;
    this.on = on;
  }

  /** Offers to the neighbours that there is no connection to. */
  connect(now: number): void {
    if (!this.intro.token || !this.intro.online) return;
    for (const member of this.intro.members.values()) {
      const { dh } = member;
      if (!member.neighbour || !dh || now < member.next || this.on.barred(dh) || this.with(member.endpoint)) continue;
      member.pause = Math.min(LONGEST_RETRY, Math.max(1_000, 2 * member.pause));
      member.next = now + WITHIN + member.pause;
      this.intro.later(() => this.offer(member, dh, 0));
    }
  }

  /** Offers a further lane; false when that is not possible. */
  widen(dh: Bytes, lane: number): boolean {
    const member = this.intro.memberOf(dh);
    if (!member || !this.intro.token || !this.intro.online || this.with(member.endpoint, lane)) return false;
    this.intro.later(() => this.offer(member, dh, lane));
    return true;
  }

  /** Takes what a peer has sealed for us about a connection. */
  async negotiate(from: string, dh: Bytes, message: PairMessage): Promise<void> {
    if (message.type === 'offer') await this.offered(from, dh, message);
    if (message.type === 'answer') await this.answered(dh, message);
    if (message.type === 'candidate') {
      const attempt = this.open.get(hex(message.attempt));
      if (!attempt || !equal(attempt.peer, dh) || !attempt.token) return;
      if (attempt.came) attempt.came.push(message.candidate);
      else await attempt.conn.candidate(message.candidate);
    }
  }

  /** We were let in: what came too early is looked at now. */
  async admitted(): Promise<void> {
    const early = this.early;
    this.early = new Map();
    for (const { from, dh, offer } of early.values()) await this.offered(from, dh, offer);
    this.connect(performance.now());
  }

  /** Looks after what time alone changes. */
  expire(now: number): void {
    for (const attempt of this.open.values()) {
      if (relayDue(attempt, now)) this.relay(attempt);
      if (now > attempt.until) this.failed(attempt);
    }
  }

  /** dh: only those with the holder of this key. */
  dropTo(endpoint: string, dh?: Bytes): void {
    for (const attempt of this.open.values()) {
      if (attempt.to === endpoint && (!dh || equal(attempt.peer, dh))) this.giveUp(attempt);
    }
  }

  dropAll(keep: (token: Token | undefined) => boolean = () => false): void {
    for (const attempt of this.open.values()) if (!keep(attempt.token)) this.giveUp(attempt);
  }

  /** The attempt with an endpoint. Others may say that they have its key: what is tried with them is no reason to wait. */
  private with(endpoint: string, lane = 0): Attempt | undefined {
    for (const attempt of this.open.values()) if (attempt.lane === lane && attempt.to === endpoint) return attempt;
    return undefined;
  }

  private async offer(member: Member, dh: Bytes, lane: number): Promise<void> {
    const token = this.intro.token;
    if (!token || this.with(member.endpoint, lane) || (lane === 0 && this.on.barred(dh))) return;
    const attempt = await this.begin(random(ATTEMPT), dh, member.endpoint, true, lane);
    if (!attempt) return;
    const sdp = await attempt.conn.offer();
    await this.describe(attempt, { type: 'offer', attempt: attempt.id, lane, token, sdp });
  }

  private async begin(id: Bytes, dh: Bytes, to: string, ours: boolean, lane: number): Promise<Attempt | undefined> {
    if (this.open.size >= MOST) return undefined;
    const pair = await this.intro.pair(dh);
    const conn = new Conn(this.cfg.identity.certificate, this.intro.ice, {
      found: (candidate) => this.found(attempt, candidate),
      ready: () => void this.direct(attempt).catch(() => this.failed(attempt)),
      gone: () => this.failed(attempt),
    });
    const until = performance.now() + WITHIN;
    const attempt: Attempt = {
      ...{ id, peer: dh, to, pair, lane, ours, token: undefined, conn, until },
      ...{ described: false, found: [], came: [], agreed: undefined, relaying: false },
    };
    this.open.set(hex(id), attempt);
    return attempt;
  }

  /** Sends our description, then the addresses that were found meanwhile. */
  private async describe(attempt: Attempt, message: Offer | Answer): Promise<void> {
    if (!this.has(attempt)) return;
    await this.intro.tell(attempt.peer, attempt.to, message);
    attempt.described = true;
    if (!attempt.ours) attempt.agreed = performance.now();
    for (const candidate of attempt.found.splice(0)) this.found(attempt, candidate);
  }

  private found(attempt: Attempt, candidate: string): void {
    if (!this.has(attempt)) return;
    if (!attempt.described) attempt.found.push(candidate);
    else {
      const { id, peer, to } = attempt;
      this.intro.later(() => this.intro.tell(peer, to, { type: 'candidate', attempt: id, candidate }));
    }
  }

  /** Answers an offer of a peer that was let in. */
  private async offered(from: string, dh: Bytes, offer: Offer): Promise<void> {
    const mine = this.intro.token;
    if (!mine) {
      if (this.early.size < MOST) this.early.set(from, { from, dh, offer });
      return;
    }
    const [id, key] = [hex(offer.attempt), hex(dh)];
    const seen = this.seen.get(key) ?? [];
    if (seen.includes(id)) return;
    const token = await this.admits(dh, offer);
    if (!token || !this.on.takesLane(dh, offer.lane)) return;
    this.seen.set(key, [...seen, id].slice(-MOST_SEEN));
    const other = this.with(from, offer.lane);
    const crossed = other?.ours && equal(other.peer, dh);
    if (crossed && isLower(this.cfg.identity.agreement.dh, dh)) return; // ours stands
    if (other) this.giveUp(other);
    const attempt = await this.begin(offer.attempt, dh, from, false, offer.lane);
    if (!attempt) return;
    attempt.token = token;
    const sdp = await attempt.conn.answer(offer.sdp);
    await this.describe(attempt, { type: 'answer', attempt: offer.attempt, token: mine, sdp });
    await this.takeCandidates(attempt);
  }

  /** Goes on with an attempt of ours. */
  private async answered(dh: Bytes, answer: Answer): Promise<void> {
    const attempt = this.open.get(hex(answer.attempt));
    if (!attempt?.ours || !equal(attempt.peer, dh) || attempt.token) return;
    attempt.token = await this.admits(dh, answer);
    if (!attempt.token) return this.giveUp(attempt);
    attempt.agreed = performance.now();
    await attempt.conn.accept(answer.sdp);
    await this.takeCandidates(attempt);
  }

  private async takeCandidates(attempt: Attempt): Promise<void> {
    const came = attempt.came ?? [];
    attempt.came = undefined;
    for (const candidate of came) await attempt.conn.candidate(candidate);
  }

  /** Judges a peer before anything else of its offer or answer is looked at. */
  private async admits(dh: Bytes, { token, sdp }: Offer | Answer): Promise<Token | undefined> {
    const { room, key } = this.cfg.link;
    const good = await admit({ room, key, revoked: this.on.revoked() }, { token, dh, sdp }, Date.now(), PASS_ON);
    if (this.on.banned(dh)) return undefined;
    this.intro.signer ??= { point: good.key, key: await verifyingKey(good.key) };
    return good;
  }

  /** Makes a connection of an attempt whose channels are open. */
  private async direct(attempt: Attempt): Promise<void> {
    const made = await this.greet(attempt, attempt.conn, attempt.lane);
    if (!this.has(attempt)) return;
    this.open.delete(hex(attempt.id));
    if (attempt.lane === 0) this.on.connected(made);
    else this.on.widened(made, attempt.lane);
  }

  /** Opens the relay for an attempt, if there is one, and makes a connection of it unless a direct one comes first. */
  private relay(attempt: Attempt): void {
    const { relay } = this.intro;
    if (attempt.lane > 0 || relay === '' || attempt.relaying || this.on.works(attempt.peer)) return;
    attempt.relaying = true;
    void this.throughRelay(attempt, relay).catch(() => undefined); // the next attempt may have more luck
  }

  private async throughRelay(attempt: Attempt, token: string): Promise<void> {
    const { pair, id, to, peer } = attempt;
    const keys = await relayKeys(pair, id);
    const socket = dialRelay(window.location, this.cfg.link.room);
    const relay = await Relay.open(socket, keys, { token, attempt: id, to }, this.on.after);
    try {
      const made = await this.greet(attempt, relay, RELAY_LANE);
      const late = this.on.works(peer) || this.on.banned(peer) || this.on.revoked().serials.includes(made.token.serial);
      if (late) return relay.close();
      this.on.connected(made);
      const member = this.intro.members.get(to);
      if (member) member.next = performance.now() + BETTER_EVERY;
    } catch (error) {
      relay.close();
      throw error;
    }
  }

  /** Exchanges HELLO, which proves that the two ends of a way are those of the envelopes. */
  private async greet(attempt: Attempt, way: Way, lane: number): Promise<Connected> {
    const { pair, token, id, ours, peer } = attempt;
    if (!token) throw new MeshError('nobody was let in');
    const mine = this.cfg.identity.fingerprint;
    const [offerer, answerer] = ours ? [mine, token.fingerprint] : [token.fingerprint, mine];
    const facts: HelloFacts = { attempt: id, lane, offerer, answerer };
    const mac = await helloMac(pair, facts);
    const hello: Frame = { type: 'hello', version: VERSION, seed: this.on.seed(), largest: LARGEST, attempt: id, mac };
    way.control.send(append(hello));
    const theirs = await firstMessage(way);
    const frame = parse(theirs, 'control');
    const good = frame.type === 'hello' && equal(frame.attempt, id) && (await checkHello(pair, facts, frame.mac));
    if (!good) throw new MeshError('a HELLO that is not of this pair');
    const { seed, largest } = frame;
    return { attempt: id, ours, peer, token, pair, conn: way, seed, largest: Math.min(largest, way.largest) };
  }

  private has(attempt: Attempt): boolean {
    return this.open.get(hex(attempt.id)) === attempt;
  }

  private failed(attempt: Attempt): void {
    if (!this.has(attempt)) return;
    if (attempt.agreed !== undefined) this.relay(attempt); // the direct path has lost before the end of its head start
    this.giveUp(attempt);
    const member = this.intro.members.get(attempt.to);
    if (member && attempt.lane === 0)
      member.next = performance.now() + member.pause + this.intro.headStart(attempt.peer);
  }

  private giveUp(attempt: Attempt): void {
    this.open.delete(hex(attempt.id));
    attempt.conn.close();
    if (attempt.lane > 0) this.on.notWidened(attempt.peer);
  }
}

/** Fails when nothing comes, and when the way ends. */
async function firstMessage(way: Way): Promise<Bytes> {
  let late: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<Bytes>((resolve, reject) => {
      late = setTimeout(() => reject(new Error('it says no HELLO')), HELLO_WITHIN);
      way.onGone(() => reject(new Error('the way has ended')));
      way.control.once(resolve);
    });
  } finally {
    clearTimeout(late);
  }
}
