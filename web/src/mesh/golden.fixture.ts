// Tests of the mesh read the golden files that the Go half writes: mesh/testdata.

import { readFileSync } from 'node:fs';
import { toBase64 } from './base64';
import type { Bytes } from './bytes';

/** The content of a golden file. Its shape is what the test says: the test fails where it is not so. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../mesh/testdata/${name}`, import.meta.url), 'utf8')) as T;
}

/** The bytes of hexadecimal text. */
export function unhex(text: string): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/u.test(text)) throw new Error(`not hexadecimal: ${text}`);
  return Uint8Array.from(text.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Bytes that golden files describe in place of holding: byte i is (i×31 + seed) mod 251. */
export function pattern(seed: number, length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251);
}

/** A private key that a golden file gives away: its number and its public point. */
export async function privateKey(name: 'ECDSA' | 'ECDH', scalar: Bytes, point: Bytes): Promise<CryptoKey> {
  const [d, x, y] = [scalar, point.slice(1, 33), point.slice(33)].map(toBase64) as [string, string, string];
  const usages: KeyUsage[] = name === 'ECDSA' ? ['sign'] : ['deriveBits'];
  return crypto.subtle.importKey(
    'jwk',
    { kty: 'EC', crv: 'P-256', d, x, y },
    { name, namedCurve: 'P-256' },
    false,
    usages,
  );
}
