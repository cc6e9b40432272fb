// What a person has chosen, as the files of a manifest: paths tidied, doubled names told apart, and
// what cannot be shared left out with a reason. Pure, but for reading folders that were dropped.

import { type Entry, MAX_ENTRIES, MAX_TIME, MAX_TOTAL } from '../mesh/manifest';
import { checkPath, foldPath, PathError, type Rule } from '../mesh/path';

/** A file with its place among those that were chosen; a folder that is empty has no file. */
export interface Chosen {
  path: string;
  file: File | undefined;
  /** It is there, or was a moment ago, and the browser cannot read it. */
  unread?: boolean;
}

export interface LeftOut {
  path: string;
  why: Rule | 'too many' | 'too large' | 'unread';
}

export interface Collection {
  entries: Entry[];
  /** By the place of its entry. */
  files: Map<number, File>;
  leftOut: LeftOut[];
}

/** The files in the order of their paths. */
export function collect(chosen: readonly Chosen[]): Collection {
  const out: Collection = { entries: [], files: new Map(), leftOut: [] };
  const taken = new Set<string>();
  let total = 0;
  const sorted = [...chosen].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const { path: given, file, unread } of sorted) {
    const path = free(given.normalize('NFC'), taken);
    const why = unread ? 'unread' : fault(path, out.entries.length, total + (file?.size ?? 0));
    if (why) {
      out.leftOut.push({ path: given, why });
      continue;
    }
    taken.add(foldPath(path));
    total += file?.size ?? 0;
    if (file) out.files.set(out.entries.length, file);
    out.entries.push({ path, size: file?.size ?? 0, mtime: timeOf(file) });
  }
  return out;
}

function fault(path: string, count: number, total: number): LeftOut['why'] | undefined {
  if (count >= MAX_ENTRIES) return 'too many';
  if (total > MAX_TOTAL) return 'too large';
  try {
    checkPath(path);
    return undefined;
  } catch (error) {
    if (error instanceof PathError) return error.rule;
    throw error;
  }
}

/** A path that nobody has yet: "a.txt", then "a (2).txt". */
function free(path: string, taken: ReadonlySet<string>): string {
  if (!taken.has(foldPath(path)) || path.endsWith('/')) return path;
  const dot = path.lastIndexOf('.');
  const at = dot > path.lastIndexOf('/') + 1 ? dot : path.length;
  for (let i = 2; ; i++) {
    const next = `${path.slice(0, at)} (${i})${path.slice(at)}`;
    if (!taken.has(foldPath(next))) return next;
  }
}

function timeOf(file: File | undefined): number {
  return Math.min(MAX_TIME, Math.max(0, Math.floor((file?.lastModified ?? 0) / 1000)));
}

/** Files of an input, with the folders that they came from where a folder was chosen. */
export function ofInput(files: Iterable<File>): Chosen[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** What was dropped, folders with all that is in them; what cannot be read is marked so. Must be called inside the drop event. */
export async function ofDrop(data: DataTransfer): Promise<Chosen[]> {
  const items = [...data.items].filter((item) => item.kind === 'file');
  const found = items.map(async (item): Promise<Chosen[]> => {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory) return walk(entry as FileSystemDirectoryEntry);
    return file ? [{ path: file.name, file }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function walk(folder: FileSystemDirectoryEntry): Promise<Chosen[]> {
  const path = `${pathOf(folder)}/`;
  const inside = await listOf(folder).catch(() => undefined);
  if (!inside) return [{ path, file: undefined, unread: true }];
  if (inside.length === 0) return [{ path, file: undefined }];
  const found = inside.map((entry) =>
    entry.isDirectory ? walk(entry as FileSystemDirectoryEntry) : one(entry as FileSystemFileEntry),
  );
  return (await Promise.all(found)).flat();
}

async function one(entry: FileSystemFileEntry): Promise<Chosen[]> {
  const path = pathOf(entry);
  try {
    return [{ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) }];
  } catch {
    return [{ path, file: undefined, unread: true }];
  }
}

const pathOf = ({ fullPath }: FileSystemEntry): string => fullPath.replace(/^\//u, '');

/** A reader gives a hundred at a time, and nothing when it has no more. */
async function listOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
