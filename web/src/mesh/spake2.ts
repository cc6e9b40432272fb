// SPAKE2 of RFC 9382 with P-256, SHA-256, HKDF and HMAC: two who share a weak password agree on a
// strong key, and whoever listens or sits between learns nothing but whether one guess was right.
// Pure: what is random is given. Points are multiplied by a library made to take the same time
// whatever the number; hashes are WebCrypto's. The messages that carry this are in pake.ts.

import { p256 } from '@noble/curves/nist.js';
import { type Bytes, concat, hex, utf8 } from './bytes';
import { MeshError } from './error';
import { hkdf, macKey } from './keys';
import { sha256 } from './merkle';
import { PUBLIC } from './sign';

const { Point } = p256;
type Point = InstanceType<typeof Point>;

// RFC 9382 section 4, for P-256.
const M = Point.fromHex('02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f');
const N = Point.fromHex('03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49');

/** Bytes of an integer of the group, as RFC 9382 puts w into the transcript. */
const SCALAR = 32;

/** Which of the two sides: A blinds with M, B with N. */
export type Side = 'A' | 'B';

/** What a side has after its own first message. */
export interface Started {
  side: Side;
  w: bigint;
  secret: bigint;
  /** pA or pB, 65 bytes: what the other side gets. */
  share: Bytes;
}

/** What both sides have when they used the same password. */
export interface Agreed {
  /** Ke, 16 bytes: the key that is for use. */
  key: Bytes;
  /** Ka, 16 bytes: what the confirmations come from. */
  confirmationKey: Bytes;
  /** cA and cB, 32 bytes each: A sends the first and expects the second. */
  confirmA: Bytes;
  confirmB: Bytes;
}

/** A number from 1 to the group's order less 1, by chance. */
export const randomScalar = (): bigint => Point.Fn.fromBytes(p256.utils.randomSecretKey());

/** Big-endian bytes, 40 or more so that no number is more likely, as a number below the group's order. */
export const scalarOf = (bytes: Bytes): bigint => BigInt(`0x${hex(bytes)}`) % Point.Fn.ORDER;

/** The first message of a side: pA = x·G + w·M, or pB = y·G + w·N. */
export function start(side: Side, w: bigint, secret: bigint): Started {
  const share = Point.BASE.multiply(secret).add(blind(side).multiply(w));
  return { side, w, secret, share: bytesOf(share) };
}

/**
 * The keys, from the other's first message. Throws MeshError when that is no point of the curve, or
 * one that gives no key. Identities and additional data are those of RFC 9382 sections 3.3 and 4.
 */
export async function finish(own: Started, theirs: Bytes, a: string, b: string, aad: Bytes): Promise<Agreed> {
  const shared = bytesOf(sharedPoint(own, theirs));
  const [pA, pB] = own.side === 'A' ? [own.share, theirs] : [theirs, own.share];
  const w = Uint8Array.from(Point.Fn.toBytes(own.w));
  if (w.length !== SCALAR) throw new RangeError('a scalar of another size');
  const transcript = concat(...[utf8(a), utf8(b), pA, pB, shared, w].flatMap((part) => [lengthOf(part), part]));
  const hash = await sha256(transcript);
  const key = hash.slice(0, 16);
  const confirmationKey = hash.slice(16);
  const macs = await hkdf(confirmationKey, new Uint8Array(), concat(utf8('ConfirmationKeys'), aad), 32);
  return {
    key,
    confirmationKey,
    confirmA: await mac(macs.subarray(0, 16), transcript),
    confirmB: await mac(macs.subarray(16), transcript),
  };
}

function sharedPoint(own: Started, theirs: Bytes): Point {
  const blinded = pointOf(theirs);
  const other = own.side === 'A' ? 'B' : 'A';
  const bare = blinded.subtract(blind(other).multiply(own.w));
  // The other side took w·M or w·N itself: the key would be known to everybody.
  if (bare.is0()) throw new MeshError('a share that gives no key');
  return bare.multiply(own.secret);
}

function pointOf(bytes: Bytes): Point {
  if (bytes.length !== PUBLIC) throw new MeshError('not an uncompressed point');
  try {
    return Point.fromBytes(bytes);
  } catch {
    throw new MeshError('a point that is not on the curve');
  }
}

const blind = (side: Side): Point => (side === 'A' ? M : N);

const bytesOf = (point: Point): Bytes => Uint8Array.from(point.toBytes(false));

/** RFC 9382 writes lengths in eight bytes, the lowest first. */
function lengthOf(part: Bytes): Bytes {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setUint32(0, part.length, true);
  return out;
}

async function mac(key: Bytes, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', await macKey(key), message));
}
