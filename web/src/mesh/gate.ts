// By what a peer judges others, before it reads anything else of an offer or an answer (docs/MESH.md
// section 2).

import { type Bytes, equal, hex } from './bytes';
import { HASH } from './merkle';
import { type Revocations, type Token, TokenError, verifyToken } from './token';

export interface Gate {
  room: string;
  /** K of the link. */
  key: Bytes;
  /** The newest list that is known. */
  revoked: Revocations;
}

/** What a peer shows: its token, the agreement key that it sealed with, and its SDP. */
export interface Shown {
  token: Bytes;
  dh: Bytes;
  sdp: string;
}

/**
 * The token of a peer that may connect at now (ms since the epoch): it is good, gives the rights in
 * need and was not taken back; the peer sealed with the token's agreement key, and its SDP has the
 * token's certificate and no other. Throws TokenError.
 */
export async function admit(gate: Gate, { token, dh, sdp }: Shown, now: number, need: number): Promise<Token> {
  const good = await verifyToken(token, gate.key, gate.room, now, need);
  if (gate.revoked.serials.includes(good.serial)) throw new TokenError('revoked');
  const fingerprint = sdpFingerprint(sdp);
  if (!equal(good.dh, dh) || !equal(good.fingerprint, fingerprint)) throw new TokenError('holder');
  return good;
}

/**
 * The one fingerprint of an SDP (RFC 8122, section 5), which may stand on several levels. Another
 * hash than SHA-256 and a second certificate are refused: a browser would take any of them.
 * Attributes are found in any case, so that no reader is more tolerant. Throws TokenError.
 */
export function sdpFingerprint(sdp: string): Bytes {
  const found = sdp.split(/[\r\n]+/u).flatMap((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon < 0 ? line.length : colon).replace(/\p{White_Space}+/gu, '');
    return /^a=fingerprint$/iu.test(name) ? [parseFingerprint(colon < 0 ? '' : line.slice(colon + 1))] : [];
  });
  const [first] = found;
  if (first === undefined || !found.every((other) => equal(other, first))) throw new TokenError('sdp');
  return first;
}

/** Reads "sha-256 AB:CD:…". */
function parseFingerprint(value: string): Bytes {
  const digits = /^sha-256 ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/iu.exec(value)?.[1]?.split(':') ?? [];
  if (digits.length !== HASH) throw new TokenError('sdp');
  return Uint8Array.from(digits, (octet) => Number.parseInt(octet, 16));
}

/** A fingerprint as SDP writes it, without the name of the hash. */
export function formatFingerprint(fingerprint: Bytes): string {
  return (hex(fingerprint).toUpperCase().match(/../gu) ?? []).join(':');
}
