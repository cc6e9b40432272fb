// base64url without padding (RFC 4648 section 5), read strictly: one text for one value.

import type { Bytes } from './bytes';
import { MeshError } from './error';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((letter, value) => [letter, value]));

export function toBase64(bytes: Bytes): string {
  let out = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += ALPHABET[(held >> bits) & 63];
    }
  }
  return bits > 0 ? out + ALPHABET[(held << (6 - bits)) & 63] : out;
}

/** The bytes of a text. Throws MeshError on letters of no value, spare bits that are set, and padding. */
export function fromBase64(text: string): Bytes {
  if (text.length % 4 === 1) throw new MeshError('base64 of a length that no bytes have');
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let at = 0;
  let bits = 0;
  let held = 0;
  for (const letter of text) {
    const value = VALUES.get(letter);
    if (value === undefined) throw new MeshError('a letter that is not of base64url');
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = (held >> bits) & 0xff;
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new MeshError('base64 with spare bits that are set');
  return out;
}

/** The bytes of a text that must stand for exactly that many. */
export function fromBase64Of(text: string, size: number): Bytes {
  const bytes = fromBase64(text);
  if (bytes.length !== size) throw new MeshError(`base64 of ${bytes.length} bytes in place of ${size}`);
  return bytes;
}
