import { describe, expect, it } from 'vitest';
import { checkPaths } from '../mesh/path';
import { collect, ofDrop } from './collect';

const file = (size = 3, lastModified = 1_700_000_000_999): File => ({ size, lastModified }) as File;
const paths = (...given: string[]) => collect(given.map((path) => ({ path, file: file() })));

describe('collect', () => {
  it('gives files in the order of their paths, with sizes and seconds', () => {
    const out = collect([
      { path: 'b.txt', file: file(5) },
      { path: 'a/c.txt', file: file(0, -1) },
    ]);
    expect(out.entries).toEqual([
      { path: 'a/c.txt', size: 0, mtime: 0 },
      { path: 'b.txt', size: 5, mtime: 1_700_000_000 },
    ]);
    expect([...out.files.keys()]).toEqual([0, 1]);
    expect(out.leftOut).toEqual([]);
  });

  it('tells doubled names apart, in any case of letters', () => {
    const { entries } = paths('a.txt', 'A.txt', 'x/b', 'x/B', '.env', '.ENV');
    expect(entries.map((e) => e.path)).toEqual(['.ENV', '.env (2)', 'A.txt', 'a (2).txt', 'x/B', 'x/b (2)']);
    expect(() => checkPaths(entries)).not.toThrow();
  });

  it('writes names in their composed form', () => {
    expect(paths('ma\u0308rz.txt').entries[0]?.path).toBe('m\u00e4rz.txt');
  });

  it('leaves out what others could not store, and says why', () => {
    const { entries, leftOut } = paths('CON.txt', 'a:b', 'ok', 'x'.repeat(300), 'end.');
    expect(entries.map((e) => e.path)).toEqual(['ok']);
    expect(new Map(leftOut.map((l) => [l.path.slice(0, 8), l.why]))).toEqual(
      new Map([
        ['CON.txt', 'device name'],
        ['a:b', 'forbidden character'],
        ['end.', 'dot or space at the end'],
        ['xxxxxxxx', 'part too long'],
      ]),
    );
  });

  it('has a place for folders that are empty', () => {
    const { entries, files } = collect([{ path: 'empty/', file: undefined }]);
    expect(entries).toEqual([{ path: 'empty/', size: 0, mtime: 0 }]);
    expect(files.size).toBe(0);
  });

  it('stops at the limits of a manifest', () => {
    const many = collect(Array.from({ length: 10_001 }, (_, i) => ({ path: `${i}`, file: file() })));
    expect(many.entries.length).toBe(10_000);
    expect(many.leftOut.map((l) => l.why)).toEqual(['too many']);
    const large = collect([
      { path: 'a', file: file(2 ** 40) },
      { path: 'b', file: file(1) },
    ]);
    expect(large.leftOut).toEqual([{ path: 'b', why: 'too large' }]);
  });
});

describe('what was dropped', () => {
  const fails = (_: unknown, reject: (error: Error) => void): void =>
    reject(new DOMException('no', 'NotReadableError'));
  const entry = (fullPath: string, read: (resolve: (file: File) => void, reject: (error: Error) => void) => void) => ({
    ...{ fullPath, isDirectory: false, file: read },
  });
  const folder = (fullPath: string, ...inside: unknown[]) => {
    const parts = [inside, []];
    return {
      ...{ fullPath, isDirectory: true },
      createReader: () => ({ readEntries: (resolve: (some: unknown) => void) => resolve(parts.shift()) }),
    };
  };
  const locked = (fullPath: string) => ({
    ...{ fullPath, isDirectory: true, createReader: () => ({ readEntries: fails }) },
  });
  const drop = (top: unknown) =>
    ofDrop({
      items: [{ kind: 'file', webkitGetAsEntry: () => top, getAsFile: () => null }],
    } as unknown as DataTransfer);

  it('is shared but for what cannot be read, which is said', async () => {
    const good = entry('/photos/a.jpg', (resolve) => resolve(file()));
    const found = await drop(
      folder('/photos', good, entry('/photos/b.jpg', fails), locked('/photos/private'), folder('/photos/none')),
    );
    const { entries, leftOut } = collect(found);
    expect(entries.map(({ path }) => path)).toEqual(['photos/a.jpg', 'photos/none/']);
    expect(leftOut).toEqual([
      { path: 'photos/b.jpg', why: 'unread' },
      { path: 'photos/private/', why: 'unread' },
    ]);
  });
});
