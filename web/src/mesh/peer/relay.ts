// The way to a peer through the server's relay (docs/MESH.md, section 9): one WebSocket, whose messages
// are sealed and name their channel. A message that does not open ends it, since then somebody has
// tampered. It carries bytes; it knows no frames, and never decides when it is needed.

import { type After, pageTimer } from '../../signal/after';
import { toBase64 } from '../base64';
import { type Bytes, utf8 } from '../bytes';
import { exportText, isLower, type Pair, sealingKey } from '../keys';
import { Inbox, type Port, type Take, type Way } from './way';

/** Bytes of the largest frame: what the server carries, without the channel's number and the tag of the seal. */
export const RELAY_LARGEST = 131_072 - 1 - 16;
/** What HELLO's mac says of this way. */
export const RELAY_LANE = 0xff;
/** The other side may come up to 30 s later (ms). */
const WITHIN = 40_000;

/** What is used of a WebSocket. */
export interface Socket {
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(message: string | Bytes): void;
  close(): void;
}

/** Where two meet at the server. */
export interface Meeting {
  /** The token for the relay. */
  token: string;
  attempt: Bytes;
  /** The other side's endpoint. */
  to: string;
}

/** The keys of an attempt on the relay. */
export interface RelayKeys {
  out: CryptoKey;
  back: CryptoKey;
}

export async function relayKeys(pair: Pair, attempt: Bytes): Promise<RelayKeys> {
  const label = Uint8Array.of(...utf8('fanfare mesh v1 relay\0'), ...attempt);
  const bytes = await exportText(pair, label, 2 * 32);
  const parts = [bytes.slice(0, 32), bytes.slice(32)] as const;
  const [out, back] = isLower(pair.own, pair.other) ? parts : ([parts[1], parts[0]] as const);
  return { out: await sealingKey(out), back: await sealingKey(back) };
}

/** Counts the messages of one direction: a key must not seal two under one number. */
export class Counter {
  private count = 0n;

  /** The nonce of the next message. */
  next(): Bytes {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, this.count++);
    return nonce;
  }
}

export class Relay implements Way {
  readonly control: RelayPort;
  readonly lane: RelayPort;
  readonly largest = RELAY_LARGEST;
  readonly silent = false;
  private readonly socket: Socket;
  private readonly keys: RelayKeys;
  private readonly after: After;
  private readonly sent = new Counter();
  private readonly came = new Counter();
  /** Messages are sealed and opened side by side, and go on in their order. */
  private sending: Promise<void> = Promise.resolve();
  private opening: Promise<void> = Promise.resolve();
  private sealing = 0;
  private gone: () => void = () => undefined;
  closed = false;

  /** Meets the other side of an attempt. Fails when the server does not take us, or nobody comes. */
  static async open(socket: Socket, keys: RelayKeys, meeting: Meeting, after: After = pageTimer): Promise<Relay> {
    const late = setTimeout(() => socket.close(), WITHIN);
    try {
      await meet(socket, meeting);
      return new Relay(socket, keys, after);
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  private constructor(socket: Socket, keys: RelayKeys, after: After) {
    this.socket = socket;
    this.keys = keys;
    this.after = after;
    this.control = new RelayPort(this, 0);
    this.lane = new RelayPort(this, 1);
    // What has come before may be a goodbye, and is still being opened.
    socket.onclose = () => void this.opening.then(() => this.close());
    socket.onmessage = ({ data }) => this.arrived(data);
  }

  get buffered(): number {
    return this.sealing + this.socket.bufferedAmount;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  relayed(): Promise<boolean> {
    return Promise.resolve(true);
  }

  onGone(gone: () => void): void {
    this.gone = gone;
    if (this.closed) gone();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.close();
    this.gone();
  }

  /** Seals a message of a channel and sends it after those before. */
  send(channel: number, message: Bytes): boolean {
    if (this.closed || message.length > RELAY_LARGEST) return false;
    const plain = new Uint8Array(1 + message.length);
    plain[0] = channel;
    plain.set(message, 1);
    this.sealing += plain.length;
    const sealed = crypto.subtle.encrypt({ name: 'AES-GCM', iv: this.sent.next() }, this.keys.out, plain);
    this.sending = this.sending.then(async () => {
      const bytes = new Uint8Array(await sealed);
      this.sealing -= plain.length;
      if (!this.closed) this.socket.send(bytes);
    });
    return true;
  }

  private arrived(data: unknown): void {
    if (this.closed) return;
    if (!(data instanceof ArrayBuffer)) {
      this.close();
      return;
    }
    const opened = crypto.subtle.decrypt({ name: 'AES-GCM', iv: this.came.next() }, this.keys.back, data);
    opened.catch(() => undefined); // whoever waits for it hears of it
    this.opening = this.opening.then(async () => {
      try {
        const plain = new Uint8Array(await opened);
        const port = [this.control, this.lane][plain[0] ?? -1];
        if (!this.closed && port) port.put(plain.subarray(1));
        else this.close();
      } catch {
        this.close();
      }
    });
  }
}

/** Says who we are, and waits until the other side is there. */
function meet(socket: Socket, { token, attempt, to }: Meeting): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.onopen = () => socket.send(JSON.stringify({ type: 'relay', token, pair: toBase64(attempt) }));
    socket.onclose = () => reject(new Error('nobody came to the relay'));
    socket.onmessage = ({ data }) => {
      const peer = typeof data === 'string' ? peerIn(data) : undefined;
      if (peer === to) resolve();
      else reject(new Error('the relay does not take us'));
    };
  });
}

function peerIn(text: string): string | undefined {
  try {
    const said = JSON.parse(text) as { type?: unknown; peer?: unknown };
    return said.type === 'relayed' && typeof said.peer === 'string' ? said.peer : undefined;
  } catch {
    return undefined;
  }
}

// How many bytes may lie in the socket before whoever sends a leaf waits, and how often it looks (ms): a
// WebSocket does not tell when they have left. What lies there stands before control frames, too.
const HIGH = 512 * 1024;
const LOOK_EVERY = 20;

/** One of the two channels. */
class RelayPort implements Port {
  private readonly relay: Relay;
  private readonly channel: number;
  private readonly inbox = new Inbox();

  constructor(relay: Relay, channel: number) {
    this.relay = relay;
    this.channel = channel;
  }

  get open(): boolean {
    return !this.relay.closed;
  }

  get buffered(): number {
    return this.relay.buffered;
  }

  put(message: Bytes): void {
    this.inbox.put(message);
  }

  listen(take: Take): void {
    this.inbox.listen(take);
  }

  once(take: Take): void {
    this.inbox.once(take);
  }

  send(message: Bytes): boolean {
    return this.relay.send(this.channel, message);
  }

  async room(): Promise<void> {
    while (this.open && this.buffered >= HIGH) await this.relay.pause(LOOK_EVERY);
  }
}

/** The relay of the server that served the page. */
export function dialRelay({ protocol, host }: { protocol: string; host: string }, room: string): Socket {
  const socket = new WebSocket(`${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/f/${room}/relay`);
  socket.binaryType = 'arraybuffer';
  return socket as unknown as Socket;
}
