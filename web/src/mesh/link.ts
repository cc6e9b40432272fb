// The link: all that a receiver needs (docs/MESH.md section 1). What is behind "#" never reaches
// the server.

import { fromBase64, toBase64 } from './base64';
import type { Bytes } from './bytes';
import { MeshError } from './error';
import { isName } from './names';

/** Bytes of the room's secret S, and of K, the part of the hash of the uploader's key. */
export const SECRET = 16;
export const KEY_HASH = 16;

export interface Link {
  /** The server's origin, without a slash at its end. */
  server: string;
  room: string;
  /** S: whoever knows it may ask to come in. */
  secret: Bytes;
  /** K: what the uploader's key must hash to. */
  key: Bytes;
}

/**
 * Why a text is no link: it is another text, or the address of another page; characters are missing,
 * or too many; it was made by another version; a character is wrong. The golden files name them so.
 */
export type LinkFault = 'not a link' | 'cut' | 'version' | 'damaged';

export class LinkError extends MeshError {
  readonly fault: LinkFault;

  constructor(fault: LinkFault) {
    super(`a link that is refused: ${fault}`);
    this.fault = fault;
  }
}

/** The whole link. It holds the secret. */
export function formatLink({ server, room, secret, key }: Link): string {
  return `${server}/f/${room}#v1.${toBase64(secret)}.${toBase64(key)}`;
}

/** Reads a link; white space round it does not matter. Throws LinkError. */
export function parseLink(text: string): Link {
  const whole = text.trim();
  const hash = whole.indexOf('#');
  const address = parseAddress(hash < 0 ? whole : whole.slice(0, hash));
  if (hash < 0) throw new LinkError('cut');
  return { ...address, ...parseFragment(whole.slice(hash + 1)) };
}

/** Reads what follows "#" in a link, as the page that it leads to has it. Throws LinkError. */
export function parseFragment(fragment: string): Pick<Link, 'secret' | 'key'> {
  const [version, secret, ...rest] = fragment.split('.');
  if (version !== 'v1') throw new LinkError(/^v[0-9]+$/u.test(version ?? '') ? 'version' : 'damaged');
  return { secret: part(secret ?? '', SECRET), key: part(rest.join('.'), KEY_HASH) };
}

function parseAddress(address: string): Pick<Link, 'server' | 'room'> {
  // Read by hand, for URL would change what it reads: it mends, decodes and writes anew.
  const found = /^(https?):\/\/([^/?@\s]+)(\/[^?]*)?(\?.*)?$/iu.exec(address);
  const [, scheme = '', host = '', path = '', query] = found ?? [];
  if (!found || !isOrigin(`${scheme}://${host}`)) throw new LinkError('not a link');
  if (query !== undefined || host.endsWith(':')) throw new LinkError('damaged');
  if (!path.startsWith('/f/')) throw new LinkError('not a link');
  const room = path.slice(3);
  if (!isName(room)) throw new LinkError('damaged');
  return { server: `${scheme.toLowerCase()}://${host}`, room };
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).hostname !== '';
  } catch {
    return false;
  }
}

function part(text: string, size: number): Bytes {
  if (text.length !== Math.ceil((size * 4) / 3)) throw new LinkError('cut');
  try {
    return fromBase64(text);
  } catch {
    throw new LinkError('damaged');
  }
}
