// Giving what was received to the person: as downloads, or into a folder of theirs.

import type { Entry } from '../mesh/manifest';

/** A file to be saved; folders that are empty have no bytes. */
export interface Saved {
  entry: Entry;
  blob: Blob;
}

type Folder = FileSystemDirectoryHandle;
type Picker = (how: { mode: 'readwrite' }) => Promise<Folder>;

const picker = (): Picker | undefined => (window as { showDirectoryPicker?: Picker }).showDirectoryPicker;

export const canSaveFolders = (): boolean => picker() !== undefined;

/** The browser keeps the address for as long as a slow disk may take (ms). */
const KEEP = 600_000;

/** Downloads a file, as from any server. Must follow a click. */
export function download({ entry, blob }: Saved): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = entry.path.split('/').at(-1) ?? 'file';
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP);
}

/**
 * Whether the page's service worker is asked for links that are marked as downloads. Chromium asks the
 * network; it has other places for large files, too.
 */
export const canFeedDownloads = (): boolean => /Firefox/u.test(navigator.userAgent);

/** Has the browser download what it finds under an address of this page. */
export function fetchAsDownload(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}

/** The head of such a download. Whatever is in the file, it is never a page of ours. */
export function downloadHead({ path, size }: Entry): { status: number; headers: Record<string, string> } {
  const name = encodeURIComponent(path.split('/').at(-1) ?? 'file').replace(
    /['()*!]/gu,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return {
    status: 200,
    headers: {
      'Cache-Control': 'no-store',
      'Content-Disposition': `attachment; filename*=UTF-8''${name}`,
      'Content-Length': String(size),
      'Content-Security-Policy': "sandbox; default-src 'none'",
      'Content-Type': 'application/octet-stream',
      'X-Content-Type-Options': 'nosniff',
    },
  };
}

/** Writes files into a folder that the person chooses. False when it was closed. Must follow a click. */
export async function saveInto(files: readonly Saved[]): Promise<boolean> {
  const pick = picker();
  if (!pick) return false;
  let root: Folder;
  try {
    root = await pick({ mode: 'readwrite' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return false;
    throw error;
  }
  const names = new Map<string, string>();
  for (const file of files) await saveOne(root, file, names);
  return true;
}

/** Nothing that is there already is written over: names at the top give way. */
async function saveOne(root: Folder, { entry, blob }: Saved, names: Map<string, string>): Promise<void> {
  const parts = entry.path.split('/');
  const top = parts[0] ?? '';
  if (!names.has(top)) names.set(top, await freeName(root, top));
  parts[0] = names.get(top) ?? top;
  const name = parts.pop() ?? '';
  let folder = root;
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true });
  if (name === '') return;
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await blob.stream().pipeTo(writable);
}

/** A name that nothing in the folder has. */
export async function freeName(root: Folder, name: string): Promise<string> {
  for (let i = 1; ; i++) {
    const dot = name.lastIndexOf('.');
    const at = dot > 0 ? dot : name.length;
    const next = i === 1 ? name : `${name.slice(0, at)} (${i})${name.slice(at)}`;
    if (!(await exists(root, next))) return next;
  }
}

async function exists(root: Folder, name: string): Promise<boolean> {
  for (const open of [() => root.getFileHandle(name), () => root.getDirectoryHandle(name)]) {
    try {
      await open();
      return true;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'TypeMismatchError') return true;
    }
  }
  return false;
}
