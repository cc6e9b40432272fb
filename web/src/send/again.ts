// The same files as before a reload: whether they are, by path, size and date. What is in them is
// compared later, by the hashes that were signed. Pure.

import type { Entry } from '../mesh/manifest';
import { type Chosen, collect } from './collect';

/** Which of the files are not there, or not as they were. */
export interface Lack {
  path: string;
  why: 'missing' | 'changed';
}

/** The files by the place of their entries, or the first that lacks. Of files of one name those that come first in the list count. */
export function match(entries: readonly Entry[], chosen: readonly Chosen[]): ReadonlyMap<number, File> | Lack {
  const found = collect(chosen);
  const places = new Map(found.entries.map((entry, place) => [entry.path, place]));
  const files = new Map<number, File>();
  for (const [place, { path, size, mtime }] of entries.entries()) {
    if (path.endsWith('/')) continue;
    const there = places.get(path) ?? -1;
    const entry = found.entries[there];
    const file = found.files.get(there);
    if (!entry || !file) return { path, why: 'missing' };
    if (entry.size !== size || entry.mtime !== mtime) return { path, why: 'changed' };
    files.set(place, file);
  }
  return files;
}

export const isLack = (found: ReadonlyMap<number, File> | Lack): found is Lack => 'why' in found;

/** How the person has to choose what lacks: as files, or as folders. */
export const inFolder = (entries: readonly Entry[]): boolean => entries.some((entry) => entry.path.includes('/'));
export const alone = (entries: readonly Entry[]): boolean => entries.some((entry) => !entry.path.includes('/'));
