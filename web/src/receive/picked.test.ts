import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Bytes } from '../mesh/bytes';
import { layoutOf, type Manifest } from '../mesh/manifest';
import { LEAF } from '../mesh/merkle';
import type { Target } from '../mesh/peer/journal';
import { NoRoom } from '../mesh/peer/sink';
import { isSingle, Picked, permitted, pickTarget } from './picked';
import { FakeFile, FakeFolder } from './picked.fixture';

const entry = (path: string, size: number) => ({ path, size, mtime: 0 });
const manifest: Manifest = {
  files: [
    entry('one', LEAF + 10),
    entry('none', 0),
    entry('a/b/two', 5),
    entry('a/empty/', 0),
    entry('three', 2 * LEAF),
  ],
  created: 0,
  text: '',
};
const layout = layoutOf(manifest);
const bytes: Bytes = Uint8Array.from({ length: layout.total }, (_, i) => (i * 31 + (i >> 8)) & 255);
const part = (file: number): number[] => [
  ...bytes.slice(layout.fileStart(file), layout.fileStart(file) + (manifest.files[file]?.size ?? 0)),
];
const leaves = [0, 1, 2, 3];

const folderTarget = (folder: FakeFolder, names: [string, string][] = []): Target =>
  ({ kind: 'folder', handle: folder, names }) as unknown as Target;

async function write(sink: Picked, which: readonly number[]): Promise<void> {
  await Promise.all(which.map((leaf) => sink.write(leaf * LEAF, bytes.slice(leaf * LEAF, (leaf + 1) * LEAF))));
}

describe('files in a place of the person’s', () => {
  it('are what was shared, with their folders, whatever comes first', async () => {
    const folder = new FakeFolder();
    const sink = new Picked(folderTarget(folder), manifest, layout, new Set([0, 1, 2, 3, 4]), []);
    await write(sink, [3, 1, 0, 1, 2]);
    await sink.finish();
    expect(folder.all()).toEqual({
      one: part(0),
      none: [],
      'a/b/two': part(2),
      'a/empty/': undefined,
      three: part(4),
    });
  });

  it('are those that are wanted, and no other', async () => {
    const folder = new FakeFolder();
    const sink = new Picked(folderTarget(folder), manifest, layout, new Set([2]), []);
    await write(sink, [1]);
    await sink.finish();
    expect(folder.all()).toEqual({ 'a/b/two': part(2) });
  });

  it('give way to what is there under their names', async () => {
    const folder = new FakeFolder();
    const names: [string, string][] = [
      ['one', 'one (2)'],
      ['a', 'a (2)'],
    ];
    const sink = new Picked(folderTarget(folder, names), manifest, layout, new Set([0, 2]), []);
    await write(sink, leaves);
    await sink.finish();
    expect(Object.keys(folder.all()).sort()).toEqual(['a (2)/b/two', 'one (2)']);
  });

  it('are there when they are whole, and committed once', async () => {
    const folder = new FakeFolder();
    const sink = new Picked(folderTarget(folder), manifest, layout, new Set([0, 4]), []);
    await write(sink, [0, 1]);
    expect(folder.all()).toEqual({ one: part(0), three: [] });
    await write(sink, [2, 3]);
    await sink.finish();
    expect(((await folder.getFileHandle('three')) as FakeFile).commits).toBe(1);
  });

  it('go on after a reload with what was committed', async () => {
    const folder = new FakeFolder();
    const target = folderTarget(folder);
    const wanted = new Set([0, 4]);
    const before = new Picked(target, manifest, layout, wanted, []);
    await write(before, [0, 1]);
    expect(await before.flush()).toBe(false); // it is not worth a commit
    const after = new Picked(target, manifest, layout, wanted, [0]);
    expect(after.complete).toBe(false);
    await write(after, [1, 2, 3]);
    await after.finish();
    expect(folder.all()).toEqual({ one: part(0), three: part(4) });
    const again = new Picked(target, manifest, layout, wanted, leaves);
    expect(again.complete).toBe(true);
    await again.finish();
  });

  it('are committed after a reload no more often than without one', async () => {
    const MiB = 1024 * 1024;
    const handle = { createWritable: async () => ({ write: async () => undefined, close: async () => undefined }) };
    const large: Manifest = { ...manifest, files: [entry('large', 72 * MiB)] };
    const all = layoutOf(large);
    const two = Array.from({ length: (all.pieces * 2) / 3 }, (_, i) => i); // 48 MiB, of which half is due next
    const sink = new Picked({ kind: 'file', handle } as unknown as Target, large, all, new Set([0]), two);
    const fill = async (from: number, to: number): Promise<void> => {
      for (let at = from * MiB; at < to * MiB; at += LEAF) await sink.write(at, new Uint8Array(LEAF));
    };
    await fill(48, 71);
    expect(await sink.flush()).toBe(false);
    await fill(71, 72);
    expect(await sink.flush()).toBe(true);
  });

  it('tell that the disk is full', async () => {
    const file = new FakeFile();
    file.createWritable = async () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    const sink = new Picked({ kind: 'file', handle: file } as unknown as Target, manifest, layout, new Set([0]), []);
    await expect(write(sink, [0])).rejects.toThrow(NoRoom);
  });
});

describe('asking the person', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is for a file where one is wanted that lies in no folder', () => {
    expect(isSingle(manifest, new Set([0]))).toBe(true);
    expect(isSingle(manifest, new Set([2]))).toBe(false);
    expect(isSingle(manifest, new Set([0, 4]))).toBe(false);
  });

  it('gives a file, or a folder with names that are free', async () => {
    const folder = new FakeFolder();
    await folder.getFileHandle('one', { create: true });
    const showSaveFilePicker = vi.fn(async () => new FakeFile());
    vi.stubGlobal('window', { showSaveFilePicker, showDirectoryPicker: async () => folder });
    expect(await pickTarget(manifest, new Set([0]))).toMatchObject({ kind: 'file' });
    expect(showSaveFilePicker).toHaveBeenCalledWith({ suggestedName: 'one' });
    expect(await pickTarget(manifest, new Set([0, 2]))).toMatchObject({
      kind: 'folder',
      names: [
        ['one', 'one (2)'],
        ['a', 'a'],
      ],
    });
  });

  it('gives nothing when the dialog is closed', async () => {
    vi.stubGlobal('window', {
      showSaveFilePicker: async () => {
        throw new DOMException('closed', 'AbortError');
      },
    });
    expect(await pickTarget(manifest, new Set([0]))).toBeUndefined();
  });

  it.each([
    ['granted', false, true],
    ['prompt', false, false],
    ['granted', true, true],
    ['denied', true, false],
    [undefined, true, true],
  ] as const)('permission %s, asked: %s', async (state, ask, may) => {
    const other = async (): Promise<never> => {
      throw new Error('the wrong question');
    };
    const right = state && (async () => state);
    const handle = ask
      ? { requestPermission: right, queryPermission: other }
      : { queryPermission: right, requestPermission: other };
    expect(await permitted({ kind: 'file', handle } as unknown as Target, ask)).toBe(may);
  });
});
