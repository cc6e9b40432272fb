import { forceCloseDatabase, IDBKeyRange, indexedDB } from 'fake-indexeddb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Database, under } from './database';

const STORE = 'things';

const done = (request: IDBRequest): Promise<unknown> =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', resolve);
    request.addEventListener('error', reject);
    request.addEventListener('blocked', reject);
  });

describe('a database of the browser', () => {
  beforeAll(() => {
    vi.stubGlobal('indexedDB', indexedDB);
    vi.stubGlobal('IDBKeyRange', IDBKeyRange);
  });
  afterAll(() => vi.unstubAllGlobals());
  afterEach(() => vi.restoreAllMocks());

  it('is opened once, and stays so', async () => {
    const open = vi.spyOn(indexedDB, 'open');
    const database = new Database('once', [STORE]);
    await Promise.all([database.put(STORE, [[1, 'a']]), database.put(STORE, [[2, 'b']])]);
    await database.put(STORE, [[['c', 3], 'c']]);
    await database.delete(STORE, 1);
    expect(await database.all(STORE)).toEqual(['b', 'c']);
    expect(await database.all(STORE, under('c'))).toEqual(['c']);
    expect(await database.keys(STORE)).toEqual([2, ['c', 3]]);
    expect(open).toHaveBeenCalledTimes(1);
  });

  it('keeps nobody from deleting it, and begins anew then', async () => {
    const database = new Database('deleted', [STORE]);
    await database.put(STORE, [[1, 'a']]);
    await done(indexedDB.deleteDatabase('deleted'));
    expect(await database.get(STORE, 1)).toBeUndefined();
    await database.put(STORE, [[1, 'b']]);
    expect(await database.get(STORE, 1)).toBe('b');
  });

  it('is opened anew when the browser has closed it', async () => {
    const open = vi.spyOn(indexedDB, 'open');
    const database = new Database('closed', [STORE]);
    await database.put(STORE, [[1, 'a']]);
    const request = open.mock.results[0]?.value as IDBOpenDBRequest;
    forceCloseDatabase(request.result as unknown as Parameters<typeof forceCloseDatabase>[0]);
    expect(await database.get(STORE, 1)).toBe('a');
    expect(open).toHaveBeenCalledTimes(2);
    const again = open.mock.results[1]?.value as IDBOpenDBRequest;
    again.result.close(); // no event tells of it
    expect(await database.get(STORE, 1)).toBe('a');
  });

  it('is tried again when it could not be opened', async () => {
    const newer = indexedDB.open('newer', 2);
    await done(newer);
    newer.result.close();
    const database = new Database('newer', [STORE]);
    await database.put(STORE, [[1, 'a']]);
    expect(await database.get(STORE, 1)).toBeUndefined();
    await done(indexedDB.deleteDatabase('newer'));
    await database.put(STORE, [[1, 'b']]);
    expect(await database.get(STORE, 1)).toBe('b');
  });

  it('remembers nothing where storage is barred, and goes on when it is no more', async () => {
    const open = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('barred', 'SecurityError');
    });
    const database = new Database('barred', [STORE]);
    await database.put(STORE, [[1, 'a']]);
    expect(await database.get(STORE, 1)).toBeUndefined();
    expect(await database.all(STORE)).toEqual([]);
    open.mockRestore();
    await database.put(STORE, [[1, 'b']]);
    expect(await database.get(STORE, 1)).toBe('b');
  });
});
