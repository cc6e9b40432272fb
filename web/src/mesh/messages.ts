// What envelopes hold: JSON of one object with the member "type" (docs/MESH.md section 2). Reading
// is strict: unknown types and members are refused, and members that are missing, of another kind
// or over a limit.

import { fromBase64Of, toBase64 } from './base64';
import { type Bytes, concat, equal, isUnicode, text, utf8 } from './bytes';
import { MeshError } from './error';
import { keyHash } from './keys';
import { PUBLIC, pointOf, SIGNATURE, sign, verify, verifyingKey } from './sign';
import { TOKEN } from './token';

/** Bytes of a whole message, of its SDP, candidate and password; characters of a name; the last lane. */
export const MAX_PLAIN = 36 * 1024 - 94;
export const MAX_SDP = 24 * 1024;
export const MAX_CANDIDATE = 512;
export const MAX_PASSWORD = 256;
export const MAX_NAME = 64;
export const MAX_LANE = 3;

const HASH = 32;
const ATTEMPT = 16;

export type Reason = 'denied' | 'full' | 'password' | 'expired' | 'removed' | 'closed';
const REASONS: readonly string[] = ['denied', 'full', 'password', 'expired', 'removed', 'closed'];

/** The uploader's, in an envelope of the room: its keys, before anybody has asked for anything. */
export interface Card {
  type: 'card';
  key: Bytes;
  dh: Bytes;
  signature: Bytes;
}

/** A receiver's agreement key, in an envelope of the room, for a peer that does not know it yet. It gives no right. */
export interface Key {
  type: 'key';
  dh: Bytes;
}

/** Asks the uploader to be let in. name is what its person is shown, and may be empty. */
export interface Ask {
  type: 'ask';
  fingerprint: Bytes;
  name: string;
  password?: string;
}

/** Opens an attempt at a connection; lane 0 is the first connection of a pair. */
export interface Offer {
  type: 'offer';
  attempt: Bytes;
  lane: number;
  token: Bytes;
  sdp: string;
}

export interface Answer {
  type: 'answer';
  attempt: Bytes;
  token: Bytes;
  sdp: string;
}

/** An ICE candidate of an attempt; an empty one says that there are no more. */
export interface Candidate {
  type: 'candidate';
  attempt: Bytes;
  candidate: string;
}

/** What travels between two peers. wait: the uploader's person has to approve. token lets in who asked. */
export type PairMessage =
  | Ask
  | { type: 'wait' }
  | { type: 'token'; token: Bytes }
  | { type: 'refused'; reason: Reason }
  | Offer
  | Answer
  | Candidate;

/** What is said before a pair has keys. */
export type GroupMessage = Card | Key;

export type Message = GroupMessage | PairMessage;

const CARD_DOMAIN = 'fanfare card v1';

/** The uploader's card: its agreement key, signed for a room. */
export async function newCard(keys: CryptoKeyPair, room: string, dh: Bytes): Promise<Card> {
  const signature = await sign(keys.privateKey, CARD_DOMAIN, cardText(room, dh));
  return { type: 'card', key: await pointOf(keys.publicKey), dh, signature };
}

/** The signing key of a card, when it hashes to K of the link and has signed. Throws MeshError when not. */
export async function verifyCard(card: Card, k: Bytes, room: string): Promise<CryptoKey> {
  if (!equal(await keyHash(card.key), k)) throw new MeshError('the card has another key than the link names');
  const key = await verifyingKey(card.key);
  if (!(await verify(key, CARD_DOMAIN, cardText(room, card.dh), card.signature))) {
    throw new MeshError('the card was changed');
  }
  return key;
}

const cardText = (room: string, dh: Bytes): Bytes => concat(utf8(room), Uint8Array.of(0), dh);

/** The bytes of a message, its members in one order. Throws MeshError when decodeMessage would refuse it. */
export function encodeMessage(message: Message): Bytes {
  return utf8(toJson(decodeMessage(utf8(toJson(message)))));
}

function toJson(message: Message): string {
  const members = Object.entries(message).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? toBase64(value as Bytes) : value,
  ]);
  return JSON.stringify(Object.fromEntries(members));
}

/** The message of these bytes. Throws MeshError. */
export function decodeMessage(bytes: Bytes): Message {
  if (bytes.length > MAX_PLAIN) throw new MeshError('a message that is too long');
  const members = new Members(parse(text(bytes)));
  const message = read(members);
  members.end();
  return message;
}

function parse(json: string): object {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new MeshError('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MeshError('no object');
  return value;
}

function read(m: Members): Message {
  const type = m.text('type', 16);
  switch (type) {
    case 'card':
      return {
        type,
        key: m.bytes('key', PUBLIC),
        dh: m.bytes('dh', PUBLIC),
        signature: m.bytes('signature', SIGNATURE),
      };
    case 'key':
      return { type, dh: m.bytes('dh', PUBLIC) };
    case 'ask':
      return readAsk(m);
    case 'wait':
      return { type };
    case 'token':
      return { type, token: m.bytes('token', TOKEN) };
    case 'refused':
      return { type, reason: reasonOf(m.text('reason', 16)) };
    case 'offer':
      return {
        type,
        attempt: m.bytes('attempt', ATTEMPT),
        lane: m.lane(),
        token: m.bytes('token', TOKEN),
        sdp: m.sdp(),
      };
    case 'answer':
      return { type, attempt: m.bytes('attempt', ATTEMPT), token: m.bytes('token', TOKEN), sdp: m.sdp() };
    case 'candidate':
      return { type, attempt: m.bytes('attempt', ATTEMPT), candidate: plain(m.text('candidate', MAX_CANDIDATE)) };
    default:
      throw new MeshError('a message of an unknown type');
  }
}

function readAsk(m: Members): Ask {
  const fingerprint = m.bytes('fingerprint', HASH);
  // What could make a name on the uploader's screen lie about itself: other lines, another direction.
  const name = plain(m.text('name', 4 * MAX_NAME));
  if ([...name].length > MAX_NAME || /[\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(name)) throw new MeshError('a wrong name');
  const ask: Ask = { type: 'ask', fingerprint, name };
  return m.has('password') ? { ...ask, password: m.text('password', MAX_PASSWORD) } : ask;
}

/** A text without control characters: a line break would begin another line of SDP. */
function plain(value: string): string {
  if (/\p{Cc}/u.test(value)) throw new MeshError('a control character');
  return value;
}

function reasonOf(value: string): Reason {
  if (!REASONS.includes(value)) throw new MeshError('an unknown reason');
  return value as Reason;
}

/** The members of an object, each taken once. */
class Members {
  private readonly left: Map<string, unknown>;

  constructor(object: object) {
    this.left = new Map(Object.entries(object));
  }

  has(name: string): boolean {
    return this.left.has(name);
  }

  /** A text of at most so many bytes of UTF-8. */
  text(name: string, most: number): string {
    const value = this.take(name);
    if (typeof value !== 'string' || !isUnicode(value)) throw new MeshError(`no text in ${name}`);
    if (utf8(value).length > most) throw new MeshError(`${name} is too long`);
    return value;
  }

  bytes(name: string, size: number): Bytes {
    return fromBase64Of(this.text(name, 2 * size), size);
  }

  sdp(): string {
    const sdp = this.text('sdp', MAX_SDP);
    if (sdp === '') throw new MeshError('an empty description');
    return sdp;
  }

  lane(): number {
    const lane = this.take('lane');
    if (!Number.isInteger(lane) || (lane as number) < 0 || (lane as number) > MAX_LANE) throw new MeshError('no lane');
    return lane as number;
  }

  end(): void {
    if (this.left.size > 0) throw new MeshError('a member that is not known');
  }

  private take(name: string): unknown {
    const value = this.left.get(name);
    this.left.delete(name);
    return value;
  }
}
