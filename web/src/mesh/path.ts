// Which names of files are taken (docs/MESH.md section 5). They come from somebody else and go to
// somebody's disk, so that whatever any system reads in its own way is refused on all.

import { isUnicode, utf8 } from './bytes';
import { MeshError } from './error';

/** Bytes of UTF-8: of a whole path, and of one part of it. */
export const MAX_PATH = 1024;
export const MAX_PART = 255;

/** The rules, in the order in which a path is held to them; the golden files name them so. */
export type Rule =
  | 'not UTF-8'
  | 'absolute'
  | 'too long'
  | 'not NFC'
  | 'empty part'
  | 'dot part'
  | 'part too long'
  | 'control character'
  | 'bidi control'
  | 'forbidden character'
  | 'dot or space at the end'
  | 'device name'
  | 'folder with a size'
  | 'duplicate'
  | 'file as folder';

/** Which path breaks which rule. What a page shows of the path must be made safe for showing. */
export class PathError extends MeshError {
  readonly path: string;
  readonly rule: Rule;
  /** The other path, where two do not go together. */
  readonly other: string | undefined;

  constructor(path: string, rule: Rule, other?: string) {
    super(rule);
    this.path = path;
    this.rule = rule;
    this.other = other;
  }
}

/** What the rules want to know of an entry of the manifest. */
interface Named {
  path: string;
  size: number;
}

const CONTROL = /\p{Cc}/u;
const BIDI = /\p{Bidi_Control}/u;
// What Windows takes for a drive, a stream, a wildcard or a pipe, and its separator.
const FORBIDDEN = /[\\:<>"|?*]/u;
const BAD_ENDING = /[. ]$/u;
// Alone or before a dot, with spaces between, in any case; the superscript digits are digits to Windows.
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/iu;

const ASCII = /^\p{ASCII}*$/u;

/** An empty folder's path ends in a slash. */
export const isFolder = (path: string): boolean => path.endsWith('/');

/** Holds one path to the rules. Throws PathError with the first that is broken. */
export function checkPath(path: string): void {
  const rule =
    wholeRule(path) ??
    withoutSlash(path)
      .split('/')
      .map(partRule)
      .find((broken) => broken !== undefined);
  if (rule !== undefined) throw new PathError(path, rule);
}

/** Holds the paths of a manifest to the rules, each by itself and then among each other. Throws PathError. */
export function checkPaths(files: readonly Named[]): void {
  for (const { path, size } of files) {
    checkPath(path);
    if (isFolder(path) && size !== 0) throw new PathError(path, 'folder with a size');
  }
  checkCollisions(files.map((f) => f.path));
}

function wholeRule(path: string): Rule | undefined {
  if (!isUnicode(path)) return 'not UTF-8';
  if (path.startsWith('/')) return 'absolute';
  if (utf8(path).length > MAX_PATH) return 'too long';
  if (path.normalize('NFC') !== path) return 'not NFC';
  return undefined;
}

function partRule(part: string): Rule | undefined {
  if (part === '') return 'empty part';
  if (part === '.' || part === '..') return 'dot part';
  if (utf8(part).length > MAX_PART) return 'part too long';
  if (CONTROL.test(part)) return 'control character';
  if (BIDI.test(part)) return 'bidi control';
  if (FORBIDDEN.test(part)) return 'forbidden character';
  if (BAD_ENDING.test(part)) return 'dot or space at the end';
  if (DEVICE.test(part)) return 'device name';
  return undefined;
}

/**
 * Sorts the folded paths with the slash below all other characters. Then equal ones are neighbours,
 * and what needs a file as its folder comes right behind that file.
 */
function checkCollisions(paths: readonly string[]): void {
  const entries = paths.map((path) => ({ path, key: foldPath(path).replaceAll('/', '\0') }));
  entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const [i, b] of entries.entries()) {
    const a = entries[i - 1];
    if (a === undefined) continue;
    if (a.key === b.key) throw new PathError(b.path, 'duplicate', a.path);
    if (!isFolder(a.path) && b.key.startsWith(`${a.key}\0`)) throw new PathError(a.path, 'file as folder', b.path);
  }
}

/**
 * What two paths have in common that are the same where capitals are not told apart: as after
 * full case folding (Unicode section 3.13), in NFC, without the slash of an empty folder.
 */
export function foldPath(path: string): string {
  const bare = withoutSlash(path);
  return ASCII.test(bare) ? bare.toLowerCase() : Array.from(bare, foldLetter).join('').normalize('NFC');
}

// JavaScript has no folding, but the small letters of the capitals of the small letters tell the same
// letters apart, if the dotless i is left alone.
const foldLetter = (letter: string): string =>
  letter === 'ı' ? letter : letter.toLowerCase().toUpperCase().toLowerCase();

const withoutSlash = (path: string): string => (isFolder(path) ? path.slice(0, -1) : path);
