import { describe, expect, it } from 'vitest';
import { concat, hex } from './bytes';
import { MeshError } from './error';
import { golden, unhex } from './golden.fixture';
import { Layout } from './layout';
import {
  decodeManifest,
  encodeManifest,
  layoutOf,
  type Manifest,
  ManifestError,
  openManifest,
  verifyRoot,
} from './manifest';
import { checkPath, checkPaths, foldPath, isFolder, PathError } from './path';
import { verifyingKey } from './sign';

const file = golden<{
  room: string;
  publicKey: string;
  good: {
    name: string;
    files: { path: string; size: number; mtime: number }[];
    created: number;
    text?: string;
    cbor: string;
    id: string;
    piece: number;
    pieces: number;
    signature: string;
  }[];
  bad: { name: string; cbor: string; rule: string }[];
  root: { id: string; piece: number; root: string; signature: string };
}>('manifests.json');

const paths = golden<{
  good: string[];
  bad: { path: string; rule: string }[];
  same: [string, string][];
  apart: [string, string][];
  clash: { paths: string[]; path: string; other: string; rule: string }[];
}>('paths.json');

const layouts = golden<{
  totals: { total: number; piece: number; pieces: number; lastPiece: number; leaves: number; lastLeaf: number }[];
  files: {
    sizes: number[];
    filePieces: [number, number][];
    spans: { offset: number; length: number; spans: [number, number, number][] | null }[];
  }[];
}>('layout.json');

/** The rule that is broken, as the golden files name it. */
const ruleOf = (work: () => unknown): string => {
  try {
    work();
    return '';
  } catch (error) {
    if (error instanceof ManifestError || error instanceof PathError) return error.rule;
    throw error;
  }
};

const key = await verifyingKey(unhex(file.publicKey));

describe('manifests', () => {
  it.each(file.good)('$name', async (g) => {
    const manifest: Manifest = { files: g.files, created: g.created, text: g.text ?? '' };
    expect(hex(encodeManifest(manifest))).toBe(g.cbor);
    const opened = await openManifest(concat(unhex(g.signature), unhex(g.cbor)), file.room, key);
    expect(opened.manifest).toEqual(manifest);
    expect(hex(opened.id)).toBe(g.id);
    const { piece, pieces } = layoutOf(opened.manifest);
    expect([piece, pieces]).toEqual([g.piece, g.pieces]);
    await expect(openManifest(concat(unhex(g.signature), unhex(g.cbor)), 'other', key)).rejects.toThrow(MeshError);
  });

  it.each(file.bad)('$name is refused: $rule', ({ cbor, rule }) => {
    expect(ruleOf(() => decodeManifest(unhex(cbor)))).toBe(rule);
  });

  it('the root of a piece is signed', async () => {
    const { id, piece, root, signature } = file.root;
    expect(await verifyRoot(key, unhex(id), piece, unhex(root), unhex(signature))).toBe(true);
    expect(await verifyRoot(key, unhex(id), piece + 1, unhex(root), unhex(signature))).toBe(false);
  });
});

describe('paths', () => {
  it.each(paths.good)('%j is taken', (path) => {
    expect(ruleOf(() => checkPath(path))).toBe('');
  });

  it.each(paths.bad)('$path is refused: $rule', ({ path, rule }) => {
    expect(ruleOf(() => checkPath(path))).toBe(rule);
  });

  it.each(paths.same)('%j and %j are the same but for capitals', (a, b) => {
    expect(foldPath(a)).toBe(foldPath(b));
  });

  const entries = (all: readonly string[]) => all.map((path) => ({ path, size: 0 }));

  it.each(paths.apart)('%j and %j go together', (a, b) => {
    expect(ruleOf(() => checkPaths(entries([a, b])))).toBe('');
    expect(ruleOf(() => checkPaths(entries([b, a])))).toBe('');
  });

  it.each(paths.clash)('$paths do not go together: $rule', ({ paths: all, path, other, rule }) => {
    try {
      checkPaths(entries(all));
    } catch (error) {
      expect(error).toBeInstanceOf(PathError);
      const found = error as PathError;
      expect([found.path, found.other, found.rule]).toEqual([path, other, rule]);
      return;
    }
    throw new Error('taken');
  });

  it('a folder with a size is refused', () => {
    expect(isFolder('a/')).toBe(true);
    expect(ruleOf(() => checkPaths([{ path: 'a/', size: 1 }]))).toBe('folder with a size');
  });
});

describe('layouts', () => {
  it.each(layouts.totals)('of $total bytes', ({ total, ...want }) => {
    const layout = new Layout([total]);
    const last = layout.pieces - 1;
    const leaves = layout.leaves(last);
    expect({
      piece: layout.piece,
      pieces: layout.pieces,
      lastPiece: layout.pieceLength(last),
      leaves,
      lastLeaf: layout.leafLength(last, leaves - 1),
    }).toEqual(want);
  });

  it.each(layouts.files)('of files of $sizes', ({ sizes, filePieces, spans }) => {
    const layout = new Layout(sizes);
    expect(sizes.map((_, i) => layout.filePieces(i)).map(({ first, end }) => [first, end])).toEqual(filePieces);
    for (const { offset, length, spans: want } of spans) {
      const got = layout.spans(offset, length).map((s) => [s.file, s.offset, s.length]);
      expect(got).toEqual(want ?? []);
    }
  });
});
