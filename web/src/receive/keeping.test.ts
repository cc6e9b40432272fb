import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { layoutOf } from '../mesh/manifest';
import { LEAF, leafHash, Tree } from '../mesh/merkle';
import type { Offered } from '../mesh/peer/config';
import type { Journal } from '../mesh/peer/journal';
import { NoRoom } from '../mesh/peer/sink';
import type { SinkAnswer, SinkOrder } from '../mesh/peer/sink-worker';
import { Keeping } from './keeping';

const sizes = [100 * LEAF, LEAF, 3 * LEAF];
const manifest = { files: sizes.map((size, i) => ({ path: `${i}`, size, mtime: 0 })), created: 0, text: '' };
const offered: Offered = { manifest, id: new Uint8Array(32) };
const layout = layoutOf(manifest);
const served = async () => undefined;

/** What lies on the disk of this browser, which has so many bytes left. */
let disk: Uint8Array<ArrayBuffer>;
let free: number;

/** The folder of what was received, as the page sees it. */
const folder = {
  getDirectoryHandle: async () => folder,
  getFileHandle: async () => ({ getFile: async () => new File([disk], 'name') }),
};

/** The worker that writes, which answers at once. */
class Disk extends EventTarget {
  private open = false;

  terminate(): void {}

  postMessage({ id, kind, at: from = 0, length: size = 0, batch = [] }: SinkOrder): void {
    const answer: SinkAnswer = { id };
    if (kind === 'open' || kind === 'close') this.open = kind === 'open';
    else if (!this.open) answer.fault = 'Error';
    for (const { at, bytes, offset, length } of batch) {
      const grown = new Uint8Array(Math.max(disk.length, at + length));
      grown.set(disk);
      grown.set(new Uint8Array(bytes, offset, length), at);
      disk = grown;
    }
    if (kind === 'read') answer.bytes = disk.slice(from, from + size).buffer;
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event('message'), { data: answer })));
  }
}

beforeEach(() => {
  disk = new Uint8Array();
  free = 1e9;
  vi.stubGlobal('Worker', Disk);
  vi.stubGlobal('window', {});
  vi.stubGlobal('navigator', {
    storage: { estimate: async () => ({ quota: free, usage: 0 }), getDirectory: async () => folder },
    userAgent: '',
    deviceMemory: 0.001,
  });
});

afterEach(() => vi.unstubAllGlobals());

/** The journal of one who wants some files, and what it was told to forget. */
function journal(wanted: readonly number[] = []) {
  const pieces: { piece: number; hash: Uint8Array<ArrayBuffer>; signature: Uint8Array<ArrayBuffer> }[] = [];
  const dropped: number[] = [];
  const kept = {
    begun: { id: offered.id, wanted, packed: true },
    begin: async (begun: object) => Object.assign(kept.begun, begun),
    pieces: async () => pieces,
    drop: async (some: readonly number[]) => void dropped.push(...some),
  };
  return { kept: kept as unknown as Journal, pieces, dropped };
}

/** Work that ends when the test says so. */
function withEnd(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((ends) => {
    resolve = ends;
  });
  return { promise, resolve };
}

/** A receiver who has fetched these files before the page was loaded again. */
async function fetched(wanted: readonly number[]) {
  const { kept, pieces, dropped } = journal();
  const keeping = new Keeping(kept, 'name');
  const { sink } = await keeping.begin(offered, new Set(wanted), served);
  for (const file of wanted) {
    const { first, end } = layout.filePieces(file);
    for (let piece = first; piece < end; piece++) {
      const bytes = new Uint8Array(LEAF).fill(piece + 1);
      pieces.push({ piece, hash: new Tree([await leafHash(bytes)]).root, signature: new Uint8Array(64) });
      await sink.write(layout.pieceStart(piece), bytes);
    }
  }
  await sink.flush();
  return { kept, dropped, again: () => new Keeping(kept, 'name').goOn(offered, false) };
}

describe('a place', () => {
  it('needs the room of what is wanted, not of everything', async () => {
    free = 5 * LEAF;
    const { sink } = await new Keeping(journal().kept, 'name').begin(offered, new Set([2]), served);
    expect(sink.lasting).toBe(true);
    await sink.write(layout.fileStart(2), new Uint8Array(LEAF).fill(7));
    await sink.flush();
    expect(disk.length).toBe(LEAF);
    await expect(new Keeping(journal().kept, 'name').begin(offered, new Set([0]), served)).rejects.toThrow(NoRoom);
  });
});

describe('what lies there after a reload', () => {
  it('is as it was, and goes on', async () => {
    const { again, dropped } = await fetched([1, 2]);
    const { whole, sink } = await again();
    expect([...whole.keys()]).toEqual([100, 101, 102, 103]);
    expect((await sink.read(layout.fileStart(2), 1))[0]).toBe(102);
    expect(dropped).toEqual([]);
  });

  it('is fetched again where it is not what was stored, all of which is then looked at', async () => {
    const { again, dropped } = await fetched([0]);
    disk[0] = 99; // the first is always looked at
    disk[37 * LEAF + 5] = 99;
    const { whole } = await again();
    expect(dropped).toEqual([0, 37]);
    expect(whole.size).toBe(98);
    expect(whole.has(37)).toBe(false);
  });

  it('is fetched again where the disk has lost its end', async () => {
    const { again } = await fetched([0]);
    disk = disk.slice(0, 60 * LEAF + 1);
    expect((await again()).whole.size).toBe(60);
  });

  it('is looked at to its end when the page has nothing better to do', async () => {
    const { kept, dropped, again } = await fetched([2]);
    const { whole } = await again();
    disk[LEAF] = 99;
    const keeping = new Keeping(kept, 'name');
    await keeping.goOn(offered, false);
    dropped.length = 0;
    vi.stubGlobal('requestIdleCallback', (call: () => void) => queueMicrotask(call));
    const wrong = vi.fn(async () => undefined);
    await keeping.lookOn(offered, whole, wrong);
    expect(wrong.mock.calls).toEqual([[102]]);
    expect(dropped).toEqual([102]);
  });

  it('is not looked at while it is given away', async () => {
    const { kept, again } = await fetched([2]);
    const { whole } = await again();
    disk[LEAF] = 99;
    const keeping = new Keeping(kept, 'name');
    const { sink } = await keeping.goOn(offered, false);
    const read = vi.spyOn(sink, 'read');
    vi.stubGlobal('requestIdleCallback', (call: () => void) => queueMicrotask(call));
    const { promise, resolve } = withEnd();
    const given = keeping.give(() => promise);
    const wrong = vi.fn(async () => undefined);
    const looked = keeping.lookOn(offered, whole, wrong);
    await new Promise((turn) => setTimeout(turn)); // all that can go on has done so
    expect(read).not.toHaveBeenCalled();
    resolve();
    await Promise.all([given, looked]);
    expect(wrong.mock.calls).toEqual([[102]]);
  });

  it('can be read while it is being finished, and then takes what is fetched again', async () => {
    const { again } = await fetched([2]);
    const { sink } = await again();
    const at = layout.pieceStart(102);
    const first = async (): Promise<number | undefined> => (await sink.read(at, LEAF))[0];
    expect(await Promise.all([sink.finish(), first()])).toEqual([undefined, 103]);
    await sink.reopen?.();
    await sink.write(at, new Uint8Array(LEAF).fill(7));
    expect(await first()).toBe(7);
    await sink.finish();
    expect([...new Uint8Array(await sink.blob(at, 2).arrayBuffer())]).toEqual([7, 7]);
  });
});
