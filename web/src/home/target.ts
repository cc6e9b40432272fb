// Where a pasted link or name leads. Pure.

import { MAX_NAME } from '../signal/msg.gen';

const NAME = new RegExp(`^[A-Za-z0-9_-]{1,${MAX_NAME}}$`);
const FILES = new RegExp(`^/f/[A-Za-z0-9_-]{1,${MAX_NAME}}$`);

/**
 * The address of the watch page, or of that for files, for what a person typed: a whole link of this or another
 * server, a path, or the bare name of a stream. undefined when it is none of these.
 */
export function watchTarget(typed: string, origin: string): string | undefined {
  const text = typed.trim();
  if (NAME.test(text)) return `/w/${text}`;
  let url: URL;
  try {
    // "192.0.2.7:8080/w/name" is what a person reads off a screen: the scheme is missing.
    url = /^[a-z]+:\/\//i.test(text) ? new URL(text) : new URL(text.startsWith('/') ? text : `http://${text}`, origin);
  } catch {
    return undefined;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  // A link to files: its secret is behind "#".
  if (url.hash !== '' && FILES.test(url.pathname)) {
    return url.host === new URL(origin).host ? url.pathname + url.hash : url.origin + url.pathname + url.hash;
  }
  const name = /^\/(?:w|whep)\/([^/]+)\/?$/.exec(url.pathname)?.[1];
  if (!name || !NAME.test(name)) return undefined;
  if (url.host === new URL(origin).host) return `/w/${name}`;
  return `${url.origin}/w/${name}`;
}
