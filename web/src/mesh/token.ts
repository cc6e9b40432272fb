// Tokens, which admit one peer to a room, and the lists by which they are taken back (docs/MESH.md
// section 4). The uploader signs both; every peer that serves checks them.

import { type Bytes, concat, equal, Reader, Writer } from './bytes';
import { MeshError } from './error';
import { keyHash, roomHash } from './keys';
import { KEY_HASH } from './link';
import { HASH } from './merkle';
import { PUBLIC, SIGNATURE, sign, verify, verifyingKey } from './sign';

/** Bytes of a signed token. */
export const TOKEN = 256;
export const MAX_REVOKED = 1000;

/** What the holder of a token may do, added up: ask for leaves, be asked for them, be the uploader. */
export const RECEIVE = 1;
export const PASS_ON = 2;
export const UPLOADER = 4;

const VERSION = 1;
const ROOM = 16;
const TOKEN_DOMAIN = 'fanfare token v1';
const REVOKE_DOMAIN = 'fanfare revoke v1';
const REVOKE_HEAD = ROOM + 4 + 2;

/** Binds a peer's agreement key to its DTLS certificate. */
export interface Token {
  /** The first half of the hash of the room's name. */
  room: Bytes;
  /** The number of this admission; 0 is the uploader's own. */
  serial: number;
  /** Seconds since the epoch; good until then. */
  expiry: number;
  rights: number;
  dh: Bytes;
  fingerprint: Bytes;
  /** The uploader's signing key, which must hash to K of the link. */
  key: Bytes;
}

/**
 * Why a token or a list is refused, in the order in which it is looked for; the last three are about
 * a peer whose token is good in itself (gate.ts): it was removed, its SDP has not exactly one
 * certificate by SHA-256, or the token is another peer's.
 */
export type TokenFault = 'form' | 'room' | 'key' | 'signature' | 'expired' | 'rights' | 'revoked' | 'sdp' | 'holder';

export class TokenError extends MeshError {
  readonly fault: TokenFault;

  constructor(fault: TokenFault) {
    super(`refused: ${fault}`);
    this.fault = fault;
  }
}

/** The token as it travels. key: the uploader's, private; token.key must be its public half. Throws TokenError. */
export async function signToken(token: Token, key: CryptoKey): Promise<Bytes> {
  checkToken(token);
  const body = new Writer(TOKEN - SIGNATURE)
    .u8(VERSION)
    .put(token.room)
    .u32(token.serial)
    .u64(BigInt(token.expiry))
    .u8(token.rights)
    .put(token.dh)
    .put(token.fingerprint)
    .put(token.key)
    .done();
  return concat(body, await sign(key, TOKEN_DOMAIN, body));
}

/** Reads a token without judging who signed it. Throws TokenError. */
export function parseToken(signed: Bytes): Token {
  must(signed.length === TOKEN && signed[0] === VERSION, 'form');
  const r = new Reader(signed.slice(1, TOKEN - SIGNATURE));
  const token = {
    room: r.take(ROOM),
    serial: r.u32(),
    expiry: Number(r.u64()),
    rights: r.u8(),
    dh: r.take(PUBLIC),
    fingerprint: r.take(HASH),
    key: r.take(PUBLIC),
  };
  checkToken(token);
  return token;
}

/**
 * Reads a token that must be good: of this room, of the uploader whose key hashes to k, not expired
 * at now (ms since the epoch), with all the rights in need. Throws TokenError. Whether it was
 * revoked, and whether its holder is at the other end, is for others to say.
 */
export async function verifyToken(signed: Bytes, k: Bytes, room: string, now: number, need: number): Promise<Token> {
  const token = parseToken(signed);
  must(equal(token.room, await roomHash(room)), 'room');
  must(k.length === KEY_HASH && equal(await keyHash(token.key), k), 'key');
  const [body, signature] = [signed.subarray(0, -SIGNATURE), signed.subarray(-SIGNATURE)];
  must(await isSigned(token.key, TOKEN_DOMAIN, body, signature), 'signature');
  must(Math.floor(now / 1000) < token.expiry, 'expired');
  must((token.rights & need) === need, 'rights');
  return token;
}

/** The tokens that the uploader took back. A list of a higher version takes the place of a lower. */
export interface Revocations {
  version: number;
  /** Ascending, never 0. */
  serials: readonly number[];
}

/** What holds before there is any list. */
export const noRevocations: Revocations = { version: 0, serials: [] };

/** The list as it travels. key: the uploader's, private. Throws TokenError. */
export async function signRevocations(list: Revocations, key: CryptoKey, room: string): Promise<Bytes> {
  checkSerials(list.serials);
  const w = new Writer(REVOKE_HEAD + 4 * list.serials.length).put(await roomHash(room));
  w.u32(list.version).u16(list.serials.length);
  for (const serial of list.serials) w.u32(serial);
  const body = w.done();
  return concat(body, await sign(key, REVOKE_DOMAIN, body));
}

/** Reads a list that must be signed by key, the one that hashes to K, for this room. Throws TokenError. */
export async function verifyRevocations(list: Bytes, key: Bytes, room: string): Promise<Revocations> {
  must(list.length >= REVOKE_HEAD + SIGNATURE, 'form');
  const r = new Reader(list);
  const id = r.take(ROOM);
  const version = r.u32();
  const count = r.u16();
  must(r.left === 4 * count + SIGNATURE, 'form');
  const serials = Array.from({ length: count }, () => r.u32());
  checkSerials(serials);
  must(equal(id, await roomHash(room)), 'room');
  const [body, signature] = [list.subarray(0, -SIGNATURE), list.subarray(-SIGNATURE)];
  must(await isSigned(key, REVOKE_DOMAIN, body, signature), 'signature');
  return { version, serials };
}

async function isSigned(key: Bytes, domain: string, body: Bytes, signature: Bytes): Promise<boolean> {
  try {
    return await verify(await verifyingKey(key), domain, body, signature);
  } catch (error) {
    if (error instanceof MeshError) return false;
    throw error;
  }
}

/** The rights are known ones, serial 0 is the uploader's and nobody else's, and the expiry is exact. */
function checkToken({ room, serial, expiry, rights, dh, fingerprint, key }: Token): void {
  must(room.length === ROOM && dh.length === PUBLIC && fingerprint.length === HASH && key.length === PUBLIC, 'form');
  must(Number.isInteger(rights) && rights > 0 && rights <= (RECEIVE | PASS_ON | UPLOADER), 'form');
  must(isSerial(serial) && (serial === 0) === ((rights & UPLOADER) !== 0), 'form');
  must(Number.isSafeInteger(expiry) && expiry >= 0, 'form');
}

function checkSerials(serials: readonly number[]): void {
  must(serials.length <= MAX_REVOKED, 'form');
  must(
    serials.every((serial, i) => isSerial(serial) && serial > (serials[i - 1] ?? 0)),
    'form',
  );
}

const isSerial = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;

function must(holds: boolean, fault: TokenFault): void {
  if (!holds) throw new TokenError(fault);
}
