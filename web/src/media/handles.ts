// Keeps the handles of chosen files (File System Access API), so that a file can go on after a
// reload with one click. Only Chromium has them, and only on secure pages; elsewhere everything
// here finds nothing, and the file is chosen again.

const DATABASE = 'fanfare-studio';
const STORE = 'handles';

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

export async function keepHandle(id: string, handle: FileSystemFileHandle): Promise<void> {
  await inStore('readwrite', (store) => store.put(handle, id));
}

/** Drops all handles but these. */
export async function keepOnly(ids: readonly string[]): Promise<void> {
  const kept = (await inStore('readonly', (store) => store.getAllKeys())) ?? [];
  for (const key of kept) {
    if (!ids.includes(String(key))) await inStore('readwrite', (store) => store.delete(key));
  }
}

export async function hasHandle(id: string): Promise<boolean> {
  return (await inStore('readonly', (store) => store.get(id))) !== undefined;
}

/** The file behind a kept handle. Asks the person if need be, so it must follow a click. */
export async function reopen(id: string): Promise<Chosen | undefined> {
  const handle = (await inStore('readonly', (store) => store.get(id))) as Handle | undefined;
  if (!handle) return undefined;
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
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE));
  return request;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });
}
