// Where what is received is kept: chosen by what the browser has, and by what survives a reload. Pure.

/** What a browser has. Sizes in bytes. */
export interface Facts {
  /** What is to be kept. */
  size: number;
  /** It is one file, which lies in no folder. */
  single: boolean;
  /** Room in the browser's private file system; undefined where there is none. */
  free: number | undefined;
  /** A person can choose a place for one file, and a folder, that the page may write. */
  saveFile: boolean;
  folder: boolean;
  /** Downloads can be fed by the page. */
  service: boolean;
  /** What may be kept in memory. */
  memory: number;
}

/**
 * private: the browser's private file system, to be saved from there. picked: a file or folder of the
 * person's. memory: to be saved from there, and gone with the page. stream: a download while it comes,
 * in order, and gone with the page.
 */
export type Place = 'private' | 'picked' | 'memory' | 'stream';

/** undefined: there is no room for it. */
export function choosePlace({ size, single, free, saveFile, folder, service, memory }: Facts): Place | undefined {
  if (free !== undefined && free > size) return 'private';
  if (single ? saveFile : folder) return 'picked';
  if (size <= memory) return 'memory';
  return service ? 'stream' : undefined;
}

/** The most that is kept in memory. */
const MOST_MEMORY = 256 * 1024 * 1024;
/** A share of what the device has. */
const SHARE = 16;

/** What may be kept in memory on a device with so many GiB; undefined where the browser does not tell. */
export function memoryFor(device: number | undefined): number {
  return Math.min(MOST_MEMORY, device === undefined ? MOST_MEMORY : (device * 1024 ** 3) / SHARE);
}

/** Least that is written to a file of the person's before it is committed. */
const COMMIT_LEAST = 16 * 1024 * 1024;

/**
 * Whether files of the person's are to be committed, since otherwise a reload loses what was written.
 * Each commit copies what is there (File System Access, createWritable with what exists), so they come
 * when that has grown by half: everything is copied three times at most.
 */
export function commitDue(pending: number, committed: number): boolean {
  return pending >= Math.max(COMMIT_LEAST, committed / 2);
}
