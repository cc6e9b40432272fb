// What a receiver remembers over a reload, in IndexedDB: who it is, what it has taken, and which
// pieces are stored for sure. Where storage is barred (private windows) it remembers nothing.

import type { Bytes } from '../bytes';
import type { Root } from './content';
import type { Identity } from './identity';

/** A transfer that was begun. */
export interface Begun {
  /** Of the manifest. */
  id: Bytes;
  /** Places of the files that are wanted. */
  wanted: readonly number[];
}

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

const DATABASE = 'fanfare-received';
const TRANSFERS = 'transfers';
const PIECES = 'pieces';

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
    const all = (await inStore<IDBValidKey[]>(TRANSFERS, 'readonly', (store) => store.getAllKeys())) ?? [];
    let mine: Kept | undefined;
    for (const key of all) {
      const kept = await inStore<Kept>(TRANSFERS, 'readonly', (store) => store.get(key));
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

  async pieces(): Promise<StoredPiece[]> {
    return (await inStore<StoredPiece[]>(PIECES, 'readonly', (store) => store.getAll(range(this.name)))) ?? [];
  }

  /** Notes pieces that are on disk for sure. */
  async add(pieces: readonly StoredPiece[]): Promise<void> {
    await inStore<IDBValidKey>(PIECES, 'readwrite', (store) =>
      pieces.map((piece) => store.put(piece, [this.name, piece.piece])).at(-1),
    );
  }

  private async keep(now: number): Promise<void> {
    const { identity, begun } = this;
    if (!identity) return;
    const kept: Kept = { at: now, identity, begun };
    await inStore<IDBValidKey>(TRANSFERS, 'readwrite', (store) => store.put(kept, this.name));
  }
}

/** Arrays come after all numbers in the order of keys. */
const range = (name: string): IDBKeyRange => IDBKeyRange.bound([name], [name, []]);

async function forget(name: string): Promise<void> {
  await inStore<undefined>(TRANSFERS, 'readwrite', (store) => store.delete(name));
  await inStore<undefined>(PIECES, 'readwrite', (store) => store.delete(range(name)));
}

/** The answer to the last request; undefined where storage is barred. */
async function inStore<T>(
  name: string,
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<T> | undefined,
): Promise<T | undefined> {
  try {
    const database = await settled(opening());
    try {
      const transaction = database.transaction(name, mode);
      const done = new Promise<void>((resolve, reject) => {
        transaction.addEventListener('complete', () => resolve());
        transaction.addEventListener('abort', () => reject(transaction.error));
      });
      const request = act(transaction.objectStore(name));
      await done;
      return request?.result;
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

function opening(): IDBOpenDBRequest {
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener('upgradeneeded', () => {
    request.result.createObjectStore(TRANSFERS);
    request.result.createObjectStore(PIECES);
  });
  return request;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });
}
