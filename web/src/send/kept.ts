// What the sending page remembers over a reload, in IndexedDB: the room with its keys, of which the
// private ones cannot be taken out of the browser, what is shared, who was let in, and what went out.

import type { Bytes } from '../mesh/bytes';
import type { Manifest } from '../mesh/manifest';
import type { Before } from '../mesh/peer/config';
import { Database, under } from '../mesh/peer/database';
import type { Guest, Rule } from '../mesh/peer/door';
import type { Identity } from '../mesh/peer/identity';
import type { StoredPiece } from '../mesh/peer/journal';
import type { Revocations } from '../mesh/token';

/** What stays as it is for as long as there is the room. */
export interface Room {
  name: string;
  secret: Bytes;
  keys: CryptoKeyPair;
  identity: Identity;
  /** What the server knows us by, where that is not its own key; "" where it is. */
  owner: string;
  manifest: Manifest;
  /** Where the files can be had again, in browsers that say so; else the person has to choose them. */
  handles: readonly FileSystemHandle[];
}

/** What the person and those who come change. */
export interface Terms {
  rule: Rule;
  /** Bytes a second, 0 for no limit. */
  rate: number;
  /** ms since the epoch. */
  expires: number;
  guests: readonly Guest[];
  revoked: Revocations;
}

export interface Kept {
  room: Room;
  terms: Terms;
}

const ROOMS = 'rooms';
const TERMS = 'terms';
const ROOTS = 'roots';
const database = new Database('fanfare-sent', [ROOMS, TERMS, ROOTS]);

export async function keep({ room, terms }: Kept): Promise<void> {
  await database.put(ROOMS, [[room.name, room]]);
  await keepTerms(room.name, terms);
}

export async function keepTerms(name: string, terms: Terms): Promise<void> {
  await database.put(TERMS, [[name, terms]]);
}

/** Notes the roots of pieces that have gone out. */
export async function keepRoots(name: string, pieces: readonly StoredPiece[]): Promise<void> {
  const entries = pieces.map((piece): [IDBValidKey, unknown] => [[name, piece.piece], piece]);
  await database.put(ROOTS, entries);
}

/** The rooms that are still good at now (ms); the others are forgotten. */
export async function keptRooms(now: number): Promise<Kept[]> {
  const out: Kept[] = [];
  for (const room of await database.all<Room>(ROOMS)) {
    const terms = await database.get<Terms>(TERMS, room.name);
    if (terms && terms.expires > now) out.push({ room, terms });
    else await forget(room.name);
  }
  return out;
}

/** What an uploader has to know to go on. */
export async function before({ room, terms }: Kept): Promise<Before> {
  const pieces = await database.all<StoredPiece>(ROOTS, under(room.name));
  const roots = new Map(pieces.map(({ piece, ...root }) => [piece, root]));
  return { guests: terms.guests, revoked: terms.revoked, roots };
}

export async function forget(name: string): Promise<void> {
  await database.delete(ROOMS, name);
  await database.delete(TERMS, name);
  await database.delete(ROOTS, under(name));
}

/** How long the page before may hold what is its own while it is being reloaded (ms). */
const HANDING_OVER = 1_500;
const lockOf = (name: string): string => `fanfare.sent.${name}`;

/** Makes this page the one that sends in a room, until it goes away. False when another tab does. */
export function hold(name: string): Promise<boolean> {
  const { locks } = navigator as { locks?: LockManager };
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = (): Promise<void> => {
      resolve(true);
      return new Promise(() => undefined); // as long as the page lives
    };
    locks.request(lockOf(name), { signal: AbortSignal.timeout(HANDING_OVER) }, held).catch(() => resolve(false));
  });
}

/** Those of the rooms in which no page sends now. */
export async function idle(all: readonly Kept[]): Promise<Kept[]> {
  const { locks } = navigator as { locks?: LockManager };
  const held = new Set(((await locks?.query())?.held ?? []).map((lock) => lock.name));
  return all.filter(({ room }) => !held.has(lockOf(room.name)));
}
