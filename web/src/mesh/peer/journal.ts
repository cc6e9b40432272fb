// What a receiver remembers over a reload, in IndexedDB: who it is, what it has taken, and which
// pieces are stored for sure. Where storage is barred (private windows) it remembers nothing.

import type { Bytes } from '../bytes';
import type { Root } from './content';
import { Database, under } from './database';
import type { Identity } from './identity';

/** A transfer that was begun. */
export interface Begun {
  /** Of the manifest. */
  id: Bytes;
  /** Places of the files that are wanted. */
  wanted: readonly number[];
  /** In the browser's own place lies what is wanted alone, without gaps. */
  packed?: boolean;
  /** Where it lies, when that is not the browser's own place. */
  target?: Target;
}

/** A place that the person has chosen. */
export type Target =
  | { kind: 'file'; handle: FileSystemFileHandle }
  /** names: what the names at the top have become, since nothing that was there is written over. */
  | { kind: 'folder'; handle: FileSystemDirectoryHandle; names: readonly (readonly [string, string])[] };

interface Kept {
  /** When it was last written, ms since the epoch. */
  at: number;
  identity: Identity;
  begun: Begun | undefined;
}

/** A piece that is whole and flushed. */
export interface StoredPiece extends Root {
  piece: number;
}

const TRANSFERS = 'transfers';
const PIECES = 'pieces';
const database = new Database('fanfare-received', [TRANSFERS, PIECES]);

export class Journal {
  identity: Identity | undefined;
  begun: Begun | undefined;
  private readonly name: string;

  private constructor(name: string, kept: Kept | undefined) {
    this.name = name;
    this.identity = kept?.identity;
    this.begun = kept?.begun;
  }

  /** The journal of one link; name is told by it alone. What is older than age (ms) is forgotten, of all links. */
  static async open(name: string, now: number, age: number): Promise<Journal> {
    let mine: Kept | undefined;
    for (const key of await database.keys(TRANSFERS)) {
      const kept = await database.get<Kept>(TRANSFERS, key);
      if (kept && now - kept.at > age) await forget(String(key));
      else if (key === name) mine = kept;
    }
    return new Journal(name, mine);
  }

  async keepIdentity(identity: Identity, now: number): Promise<void> {
    this.identity = identity;
    await this.keep(now);
  }

  /** Another transfer begins: what was stored of an older one does not count. */
  async begin(begun: Begun, now: number): Promise<void> {
    this.begun = begun;
    await forget(this.name);
    await this.keep(now);
  }

  pieces(): Promise<StoredPiece[]> {
    return database.all<StoredPiece>(PIECES, under(this.name));
  }

  /** Notes pieces that are on disk for sure. */
  async add(pieces: readonly StoredPiece[]): Promise<void> {
    const entries = pieces.map((piece): [IDBValidKey, unknown] => [[this.name, piece.piece], piece]);
    await database.put(PIECES, entries);
  }

  /** Forgets pieces that are not there after all. */
  async drop(pieces: readonly number[]): Promise<void> {
    for (const piece of pieces) await database.delete(PIECES, [this.name, piece]);
  }

  private async keep(now: number): Promise<void> {
    const { identity, begun } = this;
    if (!identity) return;
    const kept: Kept = { at: now, identity, begun };
    await database.put(TRANSFERS, [[this.name, kept]]);
  }
}

async function forget(name: string): Promise<void> {
  await database.delete(TRANSFERS, name);
  await database.delete(PIECES, under(name));
}
