// The manifest: what is shared, as deterministic CBOR (docs/MESH.md section 5, RFC 8949 section
// 4.2.1). There is one encoding of a manifest, so its hash is its name: bytes that this code would
// not write itself are refused. It holds no bytes of files.

import { type Bytes, concat, equal, isUnicode, utf8 } from './bytes';
import { decodeCbor, encodeCbor, LongListError } from './cbor';
import { MeshError } from './error';
import { Layout, pieceSize } from './layout';
import { LEAF, sha256 } from './merkle';
import { checkPaths } from './path';
import { SIGNATURE, sign, verify } from './sign';

/** A file, or an empty folder: then its path ends in a slash and its size is 0. */
export interface Entry {
  path: string;
  size: number; // bytes
  mtime: number; // seconds since the epoch, 0 where it is not known
}

/** What is shared. The sizes of leaves and pieces follow from it. */
export interface Manifest {
  /** In the order of the stream. */
  files: readonly Entry[];
  created: number; // seconds since the epoch
  /** A text that is shared, empty for none. */
  text: string;
}

/** A manifest whose signature is good. */
export interface Opened {
  manifest: Manifest;
  /** The hash of its CBOR, by which roots are signed and what is on disk is known again. */
  id: Bytes;
}

/** Bytes of signature and CBOR. */
export const MAX_BLOB = 4 * 1024 * 1024;
export const MAX_ENTRIES = 10_000;
/** Bytes of all files together: 1 TiB. */
export const MAX_TOTAL = 2 ** 40;
/** Bytes of UTF-8 of the text. */
export const MAX_TEXT = 65_536;
/** The last second that a time may name, the end of the year 9999. */
export const MAX_TIME = 253_402_300_799;

const VERSION = 1;
const DOMAIN = 'fanfare manifest v1';
const ROOT_DOMAIN = 'fanfare root v1';

/** Which rule a manifest breaks, beside those of its paths; the golden files name them so. */
export type ManifestRule =
  | 'form'
  | 'version'
  | 'large'
  | 'entries'
  | 'nothing'
  | 'total'
  | 'time'
  | 'text'
  | 'cut'
  | 'signature';

export class ManifestError extends MeshError {
  readonly rule: ManifestRule;

  constructor(rule: ManifestRule) {
    super(`a manifest that breaks a rule: ${rule}`);
    this.rule = rule;
  }
}

/** The map as it is written. The sizes follow from the files, and are compared. */
interface Form extends Manifest {
  version: number;
  leaf: number;
  piece: number;
}

/** The CBOR of a manifest. Throws ManifestError or PathError when it breaks a rule, as decodeManifest would. */
export function encodeManifest(manifest: Manifest): Bytes {
  check(manifest);
  const cbor = encodeForm({ ...manifest, version: VERSION, leaf: LEAF, piece: pieceSize(totalOf(manifest)) });
  must(cbor.length <= MAX_BLOB - SIGNATURE, 'large');
  return cbor;
}

/** The manifest of these bytes of CBOR. Throws ManifestError or PathError when they break a rule. */
export function decodeManifest(cbor: Bytes): Manifest {
  must(cbor.length <= MAX_BLOB - SIGNATURE, 'large');
  const form = readForm(cbor);
  must(form.version === VERSION, 'version');
  must(equal(encodeForm(form), cbor), 'form');
  const { files, created, text } = form;
  check({ files, created, text });
  must(form.leaf === LEAF && form.piece === pieceSize(totalOf(form)), 'cut');
  return { files, created, text };
}

/** Where the manifest's files lie. */
export const layoutOf = (manifest: Manifest): Layout => new Layout(manifest.files.map((f) => f.size));

/** The signed form of a manifest's CBOR, as MANIFEST frames carry it. key: the uploader's, private. */
export async function sealManifest(cbor: Bytes, room: string, key: CryptoKey): Promise<Bytes> {
  return concat(await sign(key, DOMAIN, signed(room, cbor)), cbor);
}

/** Checks the uploader's signature, then reads. Throws as decodeManifest does. */
export async function openManifest(blob: Bytes, room: string, key: CryptoKey): Promise<Opened> {
  must(blob.length <= MAX_BLOB, 'large');
  must(blob.length >= SIGNATURE, 'signature');
  const cbor = blob.subarray(SIGNATURE);
  must(await verify(key, DOMAIN, signed(room, cbor), blob.subarray(0, SIGNATURE)), 'signature');
  return { manifest: decodeManifest(cbor), id: await sha256(cbor) };
}

/** The uploader's signature of the root of a piece. */
export function signRoot(key: CryptoKey, id: Bytes, piece: number, root: Bytes): Promise<Bytes> {
  return sign(key, ROOT_DOMAIN, rootText(id, piece, root));
}

/** Whether the uploader signed this root of this piece of this manifest. */
export function verifyRoot(key: CryptoKey, id: Bytes, piece: number, root: Bytes, signature: Bytes): Promise<boolean> {
  return verify(key, ROOT_DOMAIN, rootText(id, piece, root), signature);
}

function rootText(id: Bytes, piece: number, root: Bytes): Bytes {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, piece);
  return concat(id, number, root);
}

const signed = (room: string, cbor: Bytes): Bytes => concat(utf8(room), Uint8Array.of(0), cbor);

function encodeForm({ version, files, leaf, piece, created, text }: Form): Bytes {
  const entries = files.map(({ path, size, mtime }) => ({ path, size, mtime }));
  const map = { v: version, files: entries, leaf, piece, created };
  return encodeCbor(text === '' ? map : { ...map, text });
}

function readForm(cbor: Bytes): Form {
  const map = members(readCbor(cbor), ['v', 'files', 'leaf', 'piece', 'created'], 'text');
  const files = map.get('files');
  if (!Array.isArray(files)) throw new ManifestError('form');
  return {
    version: number(map.get('v'), 'version'),
    files: files.map(readEntry),
    leaf: number(map.get('leaf'), 'cut'),
    piece: number(map.get('piece'), 'cut'),
    created: number(map.get('created'), 'time'),
    text: map.has('text') ? string(map.get('text')) : '',
  };
}

function readCbor(cbor: Bytes): unknown {
  try {
    return decodeCbor(cbor, MAX_ENTRIES);
  } catch (error) {
    throw new ManifestError(error instanceof LongListError ? 'entries' : 'form');
  }
}

function readEntry(value: unknown): Entry {
  const map = members(value, ['path', 'size', 'mtime']);
  return {
    path: string(map.get('path')),
    size: number(map.get('size'), 'total'),
    mtime: number(map.get('mtime'), 'time'),
  };
}

/** The map, when it has all of these members, perhaps the optional one, and no others. */
function members(value: unknown, wanted: readonly string[], optional = ''): Map<unknown, unknown> {
  if (!(value instanceof Map)) throw new ManifestError('form');
  const others = value.size - wanted.length - (value.has(optional) ? 1 : 0);
  must(others === 0 && wanted.every((key) => value.has(key)), 'form');
  return value;
}

/** A number of 0 or more. One that is too large to be exact breaks the rule that bounds it. */
function number(value: unknown, bound: ManifestRule): number {
  if (typeof value === 'bigint' && value > 0n) throw new ManifestError(bound);
  if (typeof value !== 'number' || !(value >= 0)) throw new ManifestError('form');
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new ManifestError('form');
  return value;
}

/** Throws ManifestError or PathError with the first rule that is broken. */
function check({ files, created, text }: Manifest): void {
  must(files.length > 0 || text !== '', 'nothing');
  must(files.length <= MAX_ENTRIES, 'entries');
  must(isUnicode(text) && utf8(text).length <= MAX_TEXT, 'text');
  must(isCount(created, MAX_TIME), 'time');
  let left = MAX_TOTAL;
  for (const { size, mtime } of files) {
    must(isCount(mtime, MAX_TIME), 'time');
    must(isCount(size, left), 'total');
    left -= size;
  }
  checkPaths(files);
}

const totalOf = ({ files }: Pick<Manifest, 'files'>): number => files.reduce((sum, { size }) => sum + size, 0);

const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 0 && value <= most;

function must(holds: boolean, rule: ManifestRule): void {
  if (!holds) throw new ManifestError(rule);
}
