// The random identifier by which a removed viewer stays removed. It says nothing about the
// person and goes to this server only.

import { VIEWER_LENGTH } from './msg.gen';

const KEY = 'fanfare.viewer';
const PATTERN = new RegExp(`^[A-Za-z0-9_-]{${VIEWER_LENGTH}}$`);

type Keep = Pick<Storage, 'getItem' | 'setItem'>;

/** 128 random bits in base64url (22 characters). getRandomValues exists on insecure pages too, randomUUID does not. */
export function newViewerId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** The kept identifier, or a new one. Where storage is barred (private windows, frames) it lasts as long as the page. */
export function viewerId(storage: () => Keep = () => window.localStorage): string {
  try {
    const keep = storage();
    const old = keep.getItem(KEY);
    if (old && PATTERN.test(old)) return old;
    const made = newViewerId();
    keep.setItem(KEY, made);
    return made;
  } catch {
    return newViewerId();
  }
}
