// Signing keys and signatures: ECDSA on P-256 with SHA-256, r ‖ s in 64 bytes (FIPS 186-5), over a
// domain, a zero and a message (docs/MESH.md). WebCrypto signs and checks; nothing is kept here.

import { type Bytes, concat, utf8 } from './bytes';
import { MeshError } from './error';

/** Bytes of a signature, and of a public key as an uncompressed point. */
export const SIGNATURE = 64;
export const PUBLIC = 65;

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGN = { name: 'ECDSA', hash: 'SHA-256' } as const;
const UNCOMPRESSED = 0x04;

/** A pair of signing keys. The private one cannot be taken out of the browser; it may be kept in IndexedDB. */
export async function newSigningKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(CURVE, false, ['sign', 'verify']);
}

/** The signature by a private key over domain ‖ 0 ‖ message. */
export async function sign(key: CryptoKey, domain: string, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(SIGN, key, framed(domain, message)));
}

/** Whether the signature over domain ‖ 0 ‖ message was made by the holder of this public key. */
export async function verify(key: CryptoKey, domain: string, message: Bytes, signature: Bytes): Promise<boolean> {
  return crypto.subtle.verify(SIGN, key, signature, framed(domain, message));
}

/** A public key for verify. Throws MeshError when the bytes are no point of the curve. */
export function verifyingKey(point: Bytes): Promise<CryptoKey> {
  return importPoint(point, CURVE, ['verify']);
}

/** A public key as the 65 bytes of its point. */
export async function pointOf(key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey('raw', key));
}

/** A point as a public key. WebCrypto itself sees whether it is on the curve. */
export async function importPoint(
  point: Bytes,
  algorithm: EcKeyImportParams,
  usages: readonly KeyUsage[],
): Promise<CryptoKey> {
  if (point.length !== PUBLIC || point[0] !== UNCOMPRESSED) throw new MeshError('not an uncompressed point');
  try {
    return await crypto.subtle.importKey('raw', point, algorithm, true, [...usages]);
  } catch {
    throw new MeshError('a point that is not on the curve');
  }
}

function framed(domain: string, message: Bytes): Bytes {
  return concat(utf8(domain), Uint8Array.of(0), message);
}
