// A database of the browser's, for what has to outlive a reload. Where storage is barred (private
// windows) it remembers nothing, and says nothing.

export class Database {
  private readonly name: string;
  private readonly stores: readonly string[];
  private database: Promise<IDBDatabase> | undefined;

  /** stores: names of its object stores, whose keys are given from outside. */
  constructor(name: string, stores: readonly string[]) {
    this.name = name;
    this.stores = stores;
  }

  /** What a store has for a key. */
  get<T>(store: string, key: IDBValidKey): Promise<T | undefined> {
    return this.within<T>(store, 'readonly', (all) => all.get(key));
  }

  /** What a store has for the keys of a range, all by default. */
  async all<T>(store: string, range?: IDBKeyRange): Promise<T[]> {
    return (await this.within<T[]>(store, 'readonly', (all) => all.getAll(range))) ?? [];
  }

  async keys(store: string): Promise<IDBValidKey[]> {
    return (await this.within<IDBValidKey[]>(store, 'readonly', (all) => all.getAllKeys())) ?? [];
  }

  /** Writes values under their keys. Resolves when they are there to stay, or cannot be written. */
  async put(store: string, values: readonly (readonly [IDBValidKey, unknown])[]): Promise<void> {
    await this.within<IDBValidKey>(store, 'readwrite', (all) =>
      values.map(([key, value]) => all.put(value, key)).at(-1),
    );
  }

  async delete(store: string, which: IDBValidKey | IDBKeyRange): Promise<void> {
    await this.within<undefined>(store, 'readwrite', (all) => all.delete(which));
  }

  /** The answer to the last request. */
  private async within<T>(
    name: string,
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest<T> | undefined,
  ): Promise<T | undefined> {
    try {
      const transaction = await this.begin(name, mode);
      const done = new Promise<void>((resolve, reject) => {
        transaction.addEventListener('complete', () => resolve());
        transaction.addEventListener('abort', () => reject(transaction.error));
      });
      const request = act(transaction.objectStore(name));
      await done;
      return request?.result;
    } catch {
      return undefined;
    }
  }

  private async begin(name: string, mode: IDBTransactionMode): Promise<IDBTransaction> {
    try {
      return (await this.open()).transaction(name, mode);
    } catch {
      this.database = undefined; // it was closed without a word, say
      return (await this.open()).transaction(name, mode);
    }
  }

  /** It stays open, for to open it costs more than to write, until somebody wants to delete it or the browser closes it. */
  private open(): Promise<IDBDatabase> {
    const gone = () => {
      this.database = undefined;
    };
    if (this.database) return this.database;
    this.database = settled(this.opening()).then((database) => {
      database.addEventListener('close', gone);
      database.addEventListener('versionchange', () => {
        database.close();
        gone();
      });
      return database;
    });
    this.database.catch(gone);
    return this.database;
  }

  private opening(): IDBOpenDBRequest {
    const request = indexedDB.open(this.name, 1);
    request.addEventListener('upgradeneeded', () => {
      for (const store of this.stores) request.result.createObjectStore(store);
    });
    return request;
  }
}

/** The keys [name, …]: arrays come after all numbers in the order of keys. */
export const under = (name: string): IDBKeyRange => IDBKeyRange.bound([name], [name, []]);

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });
}
