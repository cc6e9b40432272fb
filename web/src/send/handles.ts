// Handles of files and folders, which some browsers give and keep over a reload (Chromium): picking
// them, asking whether they may still be read, and finding the files.

import type { Chosen } from './collect';

/** What was chosen, with the handles by which all of it can be had again; none where there are not. */
export interface Picked {
  chosen: Chosen[];
  handles: readonly FileSystemHandle[];
}

type Permission = { mode: 'read' };
type Askable = FileSystemHandle & {
  queryPermission?(how: Permission): Promise<PermissionState>;
  requestPermission?(how: Permission): Promise<PermissionState>;
};

interface Pickers {
  showOpenFilePicker?(how: { multiple: true }): Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?(how: Permission): Promise<FileSystemDirectoryHandle>;
}

export const canPick = (): boolean => (window as Pickers).showOpenFilePicker !== undefined;

/** Asks the person for files or a folder; undefined when they chose none. Must follow a click. Where canPick. */
export async function pick(what: 'files' | 'folder'): Promise<Picked | undefined> {
  const pickers = window as Pickers;
  try {
    const picked: readonly (FileSystemHandle | undefined)[] =
      what === 'files'
        ? ((await pickers.showOpenFilePicker?.({ multiple: true })) ?? [])
        : [await pickers.showDirectoryPicker?.({ mode: 'read' })];
    const handles = picked.filter((handle) => handle !== undefined);
    return { chosen: await ofHandles(handles), handles };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    throw error;
  }
}

/** The handles of what was dropped. Must be called inside the drop event. */
export async function droppedHandles(data: DataTransfer): Promise<readonly FileSystemHandle[]> {
  type Item = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };
  const items = [...data.items].filter((item) => item.kind === 'file');
  const asked = items.map((item) => (item as Item).getAsFileSystemHandle?.());
  const handles = await Promise.all(asked).catch(() => []);
  return handles.every((handle) => handle) ? (handles as FileSystemHandle[]) : [];
}

/** Whether all may be read, which the browser may ask the person. Must follow a click. */
export async function mayRead(handles: readonly FileSystemHandle[]): Promise<boolean> {
  for (const handle of handles as readonly Askable[]) {
    const now = await handle.queryPermission?.({ mode: 'read' });
    if (now === 'granted' || now === undefined) continue;
    if ((await handle.requestPermission?.({ mode: 'read' })) !== 'granted') return false;
  }
  return true;
}

/** The files of handles, folders with all that is in them. What is gone, or cannot be read, is marked so. */
export async function ofHandles(handles: readonly FileSystemHandle[]): Promise<Chosen[]> {
  return (await Promise.all(handles.map((handle) => walk(handle, handle.name)))).flat();
}

async function walk(handle: FileSystemHandle, path: string): Promise<Chosen[]> {
  if (handle.kind === 'file') {
    const file = await (handle as FileSystemFileHandle).getFile().catch(() => undefined);
    return [file ? { path, file } : { path, file: undefined, unread: true }];
  }
  const folder = handle as FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };
  const inside: Promise<Chosen[]>[] = [];
  try {
    for await (const one of folder.values()) inside.push(walk(one, `${path}/${one.name}`));
  } catch {
    return [{ path: `${path}/`, file: undefined, unread: true }];
  }
  return inside.length === 0 ? [{ path: `${path}/`, file: undefined }] : (await Promise.all(inside)).flat();
}
