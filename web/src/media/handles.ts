// Keeps the handles of chosen files (File System Access API), so that a file can go on after a
// reload with one click. Only Chromium has them, and only on secure pages; elsewhere everything
// here finds nothing, and the file is chosen again.
//
// All tabs of a browser share the store, and each drops what it has put there itself. What a tab
// leaves behind goes when it is old.

const DATABASE = 'fanfare-studio';
const STORE = 'handles';
const BY_AGE = 'at';
/** Longer than any list is left and gone on with. ms */
const TOO_OLD = 30 * 24 * 3600_000;

interface Kept {
  handle: Handle;
  /** When it was put there, ms since the epoch. */
  at: number;
}

type Handle = FileSystemFileHandle & {
  queryPermission?(how: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(how: { mode: 'read' }): Promise<PermissionState>;
};

/** A chosen file, with its handle where the browser has one. */
export interface Chosen {
  file: File;
  handle?: FileSystemFileHandle;
}

/** Files that were dropped on the page. Must be called inside the drop event: its data is gone afterwards. */
export async function dropped(data: DataTransfer): Promise<Chosen[]> {
  const items = [...data.items].filter((item) => item.kind === 'file');
  const chosen = items.map(async (item): Promise<Chosen | undefined> => {
    const file = item.getAsFile();
    const handle = 'getAsFileSystemHandle' in item ? await askHandle(item) : undefined;
    return file ? { file, ...(handle ? { handle } : {}) } : undefined;
  });
  return (await Promise.all(chosen)).filter((c) => c !== undefined);
}

async function askHandle(item: DataTransferItem): Promise<FileSystemFileHandle | undefined> {
  const asker = item as DataTransferItem & { getAsFileSystemHandle(): Promise<FileSystemHandle | null> };
  const handle = await asker.getAsFileSystemHandle().catch(() => null);
  return handle?.kind === 'file' ? (handle as FileSystemFileHandle) : undefined;
}

/** Opens the browser's own dialog that gives handles; undefined where there is none. [] when it was closed. */
export async function pickWithHandles(): Promise<Chosen[] | undefined> {
  const picker = (window as { showOpenFilePicker?(how: object): Promise<FileSystemFileHandle[]> }).showOpenFilePicker;
  if (!picker) return undefined;
  try {
    const handles = await picker({
      multiple: true,
      types: [{ description: 'Video and sound', accept: { 'video/*': [], 'audio/*': [] } }],
    });
    return await Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle })));
  } catch (cause) {
    // Closed by the person; or barred, as in a frame: then the plain input does it.
    return cause instanceof DOMException && cause.name === 'AbortError' ? [] : undefined;
  }
}

/** now: ms since the epoch. */
export async function keepHandle(id: string, handle: FileSystemFileHandle, now: number): Promise<void> {
  await inStore('readwrite', (store) => store.put({ handle, at: now } satisfies Kept, id));
}

export async function dropHandle(id: string): Promise<void> {
  await inStore('readwrite', (store) => store.delete(id));
}

/** Drops what was left behind long ago. now: ms since the epoch. */
export async function dropOldHandles(now: number): Promise<void> {
  const before = IDBKeyRange.upperBound(now - TOO_OLD);
  const old = (await inStore('readonly', (store) => store.index(BY_AGE).getAllKeys(before))) ?? [];
  for (const key of old) await dropHandle(String(key));
}

export async function hasHandle(id: string): Promise<boolean> {
  return (await inStore('readonly', (store) => store.get(id))) !== undefined;
}

/** The file behind a kept handle. Asks the person if need be, so it must follow a click. */
export async function reopen(id: string): Promise<Chosen | undefined> {
  const kept = (await inStore('readonly', (store) => store.get(id))) as Kept | undefined;
  if (!kept) return undefined;
  const { handle } = kept;
  try {
    const how = { mode: 'read' } as const;
    let state = (await handle.queryPermission?.(how)) ?? 'granted';
    if (state === 'prompt') state = (await handle.requestPermission?.(how)) ?? 'denied';
    return state === 'granted' ? { file: await handle.getFile(), handle } : undefined;
  } catch {
    return undefined; // moved or deleted
  }
}

/** One request in the store; undefined when storage is barred (private windows). */
async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>) {
  try {
    const database = await settled(opening());
    try {
      return await settled(act(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

function opening(): IDBOpenDBRequest {
  const request = indexedDB.open(DATABASE, 2);
  request.addEventListener('upgradeneeded', () => {
    const database = request.result;
    // The first version kept handles without their age.
    if (database.objectStoreNames.contains(STORE)) database.deleteObjectStore(STORE);
    database.createObjectStore(STORE).createIndex(BY_AGE, 'at');
  });
  return request;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });
}
