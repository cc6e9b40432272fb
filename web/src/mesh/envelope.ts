// Envelopes: what members of a room send each other by the server, which carries them and cannot
// read them (docs/MESH.md section 2). AES-256-GCM binds each to its kind, room, sender and receiver.
// It seals and opens; which message may come next is for others to say.

import { type Bytes, concat, equal, utf8 } from './bytes';
import { MeshError } from './error';
import { type Pair, type RoomKeys, random } from './keys';
import { decodeMessage, encodeMessage, type GroupMessage, type PairMessage } from './messages';
import { checkNames } from './names';
import { PUBLIC } from './sign';

/** The first byte: a message of the short code's exchange, what every holder of the link may read, or between two peers. */
export const PAKE = 0x01;
export const GROUP = 0x02;
export const PAIR = 0x03;

export const NONCE = 12;
const TAG = 16;
/** The most bytes of an envelope: 48 Ki characters of base64 for the server. */
export const MAX_ENVELOPE = 36 * 1024;

/** Who sends to whom: endpoints as the server tells them. */
export interface Way {
  from: string;
  to: string;
}

/** Puts a card or a key in an envelope that every holder of the link can open. */
export async function sealGroup(
  keys: RoomKeys,
  way: Way,
  message: GroupMessage,
  nonce = random(NONCE),
): Promise<Bytes> {
  const sealed = await seal(keys.group, encodeMessage(message), label(GROUP, keys.room, way), nonce);
  return concat(Uint8Array.of(GROUP), sealed);
}

/** The card, not yet verified, or the key of an envelope. Throws MeshError when it is none, or not of this room and way. */
export async function openGroup(keys: RoomKeys, way: Way, envelope: Bytes): Promise<GroupMessage> {
  mustBe(envelope, GROUP, 1);
  const message = decodeMessage(await open(keys.group, envelope.subarray(1), label(GROUP, keys.room, way)));
  if (message.type !== 'card' && message.type !== 'key') {
    throw new MeshError(`${message.type} in an envelope of the room`);
  }
  return message;
}

/** The key of whoever made an envelope between two peers, as it claims: by it the pair is found. Throws MeshError. */
export function senderOf(envelope: Bytes): Bytes {
  mustBe(envelope, PAIR, 1 + PUBLIC);
  return envelope.slice(1, 1 + PUBLIC);
}

/** Puts a message for the other side in an envelope. Throws MeshError when the message is too long. */
export async function sealPair(pair: Pair, way: Way, message: PairMessage, nonce = random(NONCE)): Promise<Bytes> {
  const sealed = await seal(pair.sealOut, encodeMessage(message), label(PAIR, pair.room, way), nonce);
  const envelope = concat(Uint8Array.of(PAIR), pair.own, sealed);
  if (envelope.length > MAX_ENVELOPE) throw new MeshError('a message that is too long');
  return envelope;
}

/** The message of the other side. Throws MeshError when the envelope is of others, for others, or was changed. */
export async function openPair(pair: Pair, way: Way, envelope: Bytes): Promise<PairMessage> {
  if (!equal(senderOf(envelope), pair.other)) throw new MeshError('an envelope of another peer');
  const sealed = envelope.subarray(1 + PUBLIC);
  const message = decodeMessage(await open(pair.sealIn, sealed, label(PAIR, pair.room, way)));
  if (message.type === 'card' || message.type === 'key') {
    throw new MeshError(`a ${message.type} in an envelope of a pair`);
  }
  return message;
}

function mustBe(envelope: Bytes, kind: number, head: number): void {
  if (envelope[0] !== kind || envelope.length < head + NONCE + TAG || envelope.length > MAX_ENVELOPE) {
    throw new MeshError('not an envelope of this kind');
  }
}

/** What an envelope is bound to besides its keys. */
function label(kind: number, room: string, { from, to }: Way): Bytes {
  checkNames(room, from, to);
  return concat(utf8('fanfare envelope v1\0'), Uint8Array.of(kind), utf8(`${room}\0${from}\0${to}`));
}

/** nonce ‖ ciphertext ‖ tag. A nonce must never be used twice with one key. */
async function seal(key: CryptoKey, plain: Bytes, additionalData: Bytes, iv: Bytes): Promise<Bytes> {
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain)));
}

async function open(key: CryptoKey, sealed: Bytes, additionalData: Bytes): Promise<Bytes> {
  const iv = sealed.subarray(0, NONCE);
  try {
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, sealed.subarray(NONCE));
    return new Uint8Array(plain);
  } catch {
    throw new MeshError('the envelope does not open');
  }
}
