// An admitted peer with its connection: frames in and out, leaves put together and sent (docs/MESH.md,
// section 6). What is decided is decided by others; what a peer may not send ends the link.

import { type Bytes, behind, hex } from '../bytes';
import { MeshError } from '../error';
import type { Pair } from '../keys';
import { leafHash } from '../merkle';
import { BlobParts, type Message, Parts } from '../parts';
import { Lanes } from '../schedule/lanes';
import type { Peer as Slot } from '../schedule/peers';
import type { Send } from '../schedule/send';
import { Lag } from '../schedule/uplink';
import type { Token } from '../token';
import { append, type Frame, parse, type Range } from '../wire';
import type { Connected } from './attempts';
import { letGo } from './nobody';
import { Pings } from './pings';
import { Relay } from './relay';
import type { Port, Way } from './way';

/** What a peer does that it may not. */
export class Breach extends MeshError {}

/** A leaf that is not what was shared. */
export class BadLeaf extends MeshError {}

export interface LinkHandlers {
  /** Throws what ends the link. */
  frame(link: Link, frame: Frame): void;
  /** The bytes of a leaf that begins to come; undefined when nobody asked for it. */
  expects(link: Link, piece: number, leaf: number): number | undefined;
  /** Verifies and stores. Throws BadLeaf. */
  whole(link: Link, parts: Parts, piece: number, leaf: number): Promise<void>;
  /** A leaf waits for those before it. */
  soon(send: Send): void;
  messages(link: Link, send: Send): Promise<Message[]>;
  sent(link: Link, send: Send, error: unknown): void;
  broke(link: Link, error: unknown): void;
}

export type Stat = Extract<Frame, { type: 'stat' }>;

/** Frames on the control channel: a second, and at once. */
const FRAMES_A_SECOND = 1000;
const FRAMES_AT_ONCE = 4000;
/** Bytes on the lane that wait to be looked at: more than may have been asked for is a flood. */
const MOST_WAITING = 20 * 1024 * 1024;
/**
 * Of so many messages that wait the hashes are made while the leaf before them is judged: to WebCrypto's threads and back
 * takes milliseconds when every processor is busy. Nothing is done by what they say before their turn, nor at all behind a
 * bad leaf.
 */
const AHEAD = 3;
/** How many leaves may wait for the lane. */
export const FEED = 8;
/** Bytes of frames that a peer may leave unread. */
const MOST_UNREAD = 8 * 1024 * 1024;

/** A message on a lane that waits, and the hash of the leaf in it once that is being made. */
interface Arrival {
  readonly message: Bytes;
  hash?: Promise<Bytes> | undefined;
}

export class Link {
  readonly made: Connected;
  /** When it was taken up (ms). */
  readonly since = performance.now();
  readonly peer: Bytes;
  /** Hexadecimal digits of its key. */
  readonly key: string;
  readonly token: Token;
  readonly pair: Pair;
  readonly conn: Way;
  /** Further connections, of which only the lanes are used. */
  readonly further: Way[] = [];
  /** When another of them is opened. */
  readonly lanes = new Lanes();
  readonly slot: Slot;
  readonly largest: number;
  readonly seed: boolean;
  dead = false;

  /** Of its manifest, until ours is known. */
  blob: BlobParts | undefined = new BlobParts();
  sentBlob = false;
  /** What it showed before we knew what is shared. */
  shown: Range[] = [];
  joined = false;
  stat: Stat | undefined;
  /** By its own word: it has all that it wants. */
  complete = false;
  /** The shortest round trip so far (ms). */
  roundTrip = 0;
  /** Of the way to it. */
  readonly there = new Lag();
  pinged = 0;
  /** When it was asked last how far it is (ms). */
  asked = 0;
  readonly pings = new Pings();
  relayed: boolean | undefined;
  /** Bytes of leaves to it, and from it. */
  sent = 0;
  taken = 0;
  /** From it in the last second, in bytes a second. */
  rate = 0;
  private takenBefore = 0;
  /** Leaves handed to it that have not left. */
  queued = 0;

  private readonly on: LinkHandlers;
  private readonly parts = new Map<number, Parts>();
  private readonly arrivals: Arrival[] = [];
  private arriving = 0;
  private reading = false;
  private readonly feed: Send[] = [];
  /** Lanes that send a leaf at the moment. */
  private readonly busy = new Set<Port>();
  private frames = FRAMES_AT_ONCE;
  private framesAt = performance.now();

  constructor(made: Connected, slot: Slot, on: LinkHandlers) {
    const { peer, token, pair, conn, seed, largest } = made;
    this.made = made;
    this.peer = peer;
    this.key = hex(peer);
    this.token = token;
    this.pair = pair;
    this.conn = conn;
    this.seed = seed;
    this.largest = largest;
    this.slot = slot;
    this.on = on;
  }

  /** So many seconds have passed since it was measured. */
  measure(seconds: number): void {
    this.rate = (this.taken - this.takenBefore) / seconds;
    this.takenBefore = this.taken;
  }

  /** Frames are taken from now on. */
  start(): void {
    this.conn.control.listen((message) => this.guard(() => this.control(message)));
    this.conn.lane.listen((message) => this.guard(() => this.arrived(message)));
  }

  /** Leaves go by another connection, too. Everything else is said on the first. */
  addLane(way: Way): void {
    this.further.push(way);
    const refuse = (): void => {
      throw new Breach('a frame on a connection that is for leaves');
    };
    way.control.listen(() => this.guard(refuse));
    way.lane.listen((message) => this.guard(() => this.arrived(message)));
    this.sendOn();
  }

  /** Bytes that lie in its lanes. */
  get buffered(): number {
    return [this.conn, ...this.further].reduce((sum, { lane }) => sum + lane.buffered, 0);
  }

  /** Nobody else is on the way. */
  get direct(): boolean {
    return !(this.conn instanceof Relay) && this.relayed !== true;
  }

  /**
   * It has said by this link what it has, and has nothing, also of what it was sent. One that has said nothing may have
   * all, from an earlier link.
   */
  get hasNothing(): boolean {
    return !this.complete && this.sent === 0 && this.stat?.held === 0;
  }

  /** Ends its connections at once. */
  close(): void {
    for (const way of [this.conn, ...this.further]) way.close();
  }

  say(frame: Frame): void {
    if (this.dead) return;
    const { control } = this.conn;
    const message = append(frame);
    if (control.buffered > MOST_UNREAD || !control.send(message)) this.on.broke(this, new Error('it does not read'));
  }

  /** Sends a leaf after those that wait. */
  hand(send: Send): void {
    this.queued += 1;
    this.feed.push(send);
    this.sendOn();
    if (this.feed.length > 0) this.on.soon(send);
  }

  /** Whichever lane has nothing to do sends the next leaf. */
  private sendOn(): void {
    for (const { lane } of [this.conn, ...this.further])
      if (this.feed.length > 0 && !this.busy.has(lane)) void this.sendAll(lane);
  }

  private control(message: Bytes): void {
    const now = performance.now();
    this.frames = Math.min(FRAMES_AT_ONCE, this.frames + ((now - this.framesAt) / 1000) * FRAMES_A_SECOND);
    this.framesAt = now;
    if (this.frames < 1) throw new Breach('too many frames');
    this.frames -= 1;
    this.on.frame(this, parse(message, 'control'));
  }

  private arrived(message: Bytes): void {
    this.arrivals.push({ message });
    this.arriving += message.length;
    if (this.arriving > MOST_WAITING) throw new Breach('more than was asked for');
    if (this.reading) this.hashAhead();
    else void this.readAll();
  }

  private hashAhead(): void {
    for (const one of this.arrivals.slice(0, AHEAD)) {
      if ('hash' in one) continue;
      one.hash = hashOf(one.message);
      one.hash?.catch(() => undefined); // whoever needs it hears of it
    }
  }

  /** Nothing is read while a leaf is verified, so a bad one is the last. */
  private async readAll(): Promise<void> {
    this.reading = true;
    try {
      for (let next = this.arrivals.shift(); next && !this.dead; next = this.arrivals.shift()) {
        this.arriving -= next.message.length;
        this.hashAhead();
        const judged = this.read(next);
        if (judged) await judged;
      }
    } catch (error) {
      this.arrivals.length = 0;
      this.on.broke(this, error);
    }
    this.reading = false;
  }

  /** What becomes of a leaf that is whole by this message. */
  private read({ message, hash }: Arrival): Promise<void> | undefined {
    const frame = parse(message, 'lane');
    if (frame.type !== 'leaf') throw new Breach('no leaf on a lane');
    const name = frame.piece * 64 + frame.leaf;
    let parts = this.parts.get(name);
    if (!parts) {
      const size = this.on.expects(this, frame.piece, frame.leaf);
      if (size === undefined) throw new Breach('data that nobody asked for');
      parts = new Parts(frame.piece, frame.leaf, size);
      this.parts.set(name, parts);
    }
    const whole = parts.add(frame);
    // A part has been copied; a leaf in one message lies in it.
    if (frame.bytes.length < frame.size) this.letGo(message);
    if (!whole) return undefined;
    this.parts.delete(name);
    if (frame.bytes.length === frame.size) parts.hash = hash;
    return this.on.whole(this, parts, frame.piece, frame.leaf);
  }

  /** The memory of a message, where that is all its own: what came over the relay has been opened into another. */
  private letGo({ buffer, byteLength }: Bytes): void {
    if (byteLength === buffer.byteLength) letGo(buffer);
  }

  /** Forgets the beginnings of leaves that nobody waits for any more: they must not fill our memory. */
  sweep(): void {
    for (const name of this.parts.keys())
      if (this.on.expects(this, Math.floor(name / 64), name % 64) === undefined) this.parts.delete(name);
  }

  private async sendAll(lane: Port): Promise<void> {
    this.busy.add(lane);
    for (let next = this.feed.shift(); next && !this.dead; next = this.feed.shift()) {
      try {
        const messages = await this.on.messages(this, next);
        await this.sendOne(lane, messages);
        this.on.sent(this, next, undefined);
      } catch (error) {
        this.on.sent(this, next, error);
      }
    }
    this.busy.delete(lane);
  }

  private async sendOne(lane: Port, messages: readonly Message[]): Promise<void> {
    for (const { head, bytes } of messages) {
      await lane.room();
      if (!this.dead && !behind(head, bytes, (message) => lane.send(message)))
        this.on.broke(this, new Error('the lane is closed'));
    }
  }

  private guard(work: () => void): void {
    if (this.dead) return;
    try {
      work();
    } catch (error) {
      this.on.broke(this, error);
    }
  }
}

/** The hash of a leaf that is whole in a message; undefined for all else, also for what is no frame. */
function hashOf(message: Bytes): Promise<Bytes> | undefined {
  try {
    const frame = parse(message, 'lane');
    return frame.type === 'leaf' && frame.bytes.length === frame.size ? leafHash(frame.bytes) : undefined;
  } catch {
    return undefined; // it is refused in its turn
  }
}
