import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SinkAnswer, SinkOrder } from './sink-worker';

/** A worker that keeps what it is given until it has ended, as browsers do. */
class Other {
  static made: Other[] = [];
  ended = false;
  readonly kept: unknown[] = [];

  constructor() {
    Other.made.push(this);
  }

  terminate(): void {
    this.ended = true;
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    const moved = structuredClone(message, { transfer });
    if (!this.ended) this.kept.push(moved, transfer);
  }
}

const CHROMIUM = { userAgentData: {} };
const FIREFOX = {};

/** The worker, with a file in memory in place of the browser's. */
async function started(browser: object, most = 1024) {
  const port = new EventTarget();
  const answers: SinkAnswer[] = [];
  const file = new Uint8Array(1024);
  const writes: [at: number, count: number][] = [];
  const handle = {
    write: (from: Uint8Array, { at }: { at: number }) => {
      const count = Math.min(from.length, most);
      file.set(from.subarray(0, count), at);
      writes.push([at, count]);
      return count;
    },
  };
  const folder = {
    getDirectoryHandle: async () => folder,
    getFileHandle: async () => ({ createSyncAccessHandle: async () => handle }),
  };
  Other.made = [];
  vi.stubGlobal('Worker', Other);
  vi.stubGlobal('navigator', { ...browser, storage: { getDirectory: async () => folder } });
  vi.stubGlobal('self', {
    addEventListener: port.addEventListener.bind(port),
    postMessage: (answer: SinkAnswer) => answers.push(answer),
    location: { href: 'https://files.example.org/assets/worker.js' },
  });
  vi.resetModules();
  await import('./sink-worker');
  const give = async (order: SinkOrder) => {
    port.dispatchEvent(new MessageEvent('message', { data: order }));
    await vi.waitUntil(() => answers.some(({ id }) => id === order.id));
    return answers.find(({ id }) => id === order.id);
  };
  return { file, writes, give };
}

describe('the worker for the disk', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('lets go of what it has written, for good', async () => {
    const { file, give } = await started(CHROMIUM);
    await give({ id: 0, kind: 'open', name: 'one' });
    const batch = [
      { at: 5, bytes: Uint8Array.of(9, 1, 2, 3).buffer, offset: 1, length: 3 },
      { at: 9, bytes: Uint8Array.of(4).buffer, offset: 0, length: 1 },
    ];
    expect(await give({ id: 1, kind: 'write', batch })).toEqual({ id: 1 });
    expect([...file.subarray(4, 11)]).toEqual([0, 1, 2, 3, 0, 4, 0]);
    expect(batch.map(({ bytes }) => bytes.byteLength)).toEqual([0, 0]);
    // Detached is not enough: it has to lie with nobody, not even in a queue.
    expect(Other.made.map(({ ended, kept }) => [ended, kept.length])).toEqual([[true, 0]]);
  });

  it('begins no other where the browser frees messages by itself', async () => {
    const { file, give } = await started(FIREFOX);
    await give({ id: 0, kind: 'open', name: 'one' });
    const batch = [{ at: 0, bytes: Uint8Array.of(1).buffer, offset: 0, length: 1 }];
    expect(await give({ id: 1, kind: 'write', batch })).toEqual({ id: 1 });
    expect(file[0]).toBe(1);
    expect(Other.made).toEqual([]);
  });

  it('writes what belongs together at once, each where it belongs', async () => {
    const { file, writes, give } = await started(CHROMIUM);
    await give({ id: 0, kind: 'open', name: 'one' });
    const part = (at: number, ...bytes: number[]) => ({
      at,
      bytes: Uint8Array.of(0, ...bytes).buffer,
      offset: 1,
      length: bytes.length,
    });
    await give({
      id: 1,
      kind: 'write',
      batch: [part(8, 1, 2), part(11, 4, 5), part(10, 3), part(5, 8), part(2, 6), part(4, 7)],
    });
    expect([...file.subarray(0, 14)]).toEqual([0, 0, 6, 0, 7, 8, 0, 0, 1, 2, 3, 4, 5, 0]);
    await give({ id: 2, kind: 'write', batch: [part(20, 9), part(21, 10)] }); // shorter than the run before
    expect(writes).toEqual([
      [2, 1],
      [4, 2],
      [8, 5],
      [20, 2],
    ]);
    expect([...file.subarray(19, 24)]).toEqual([0, 9, 10, 0, 0]);
  });

  it('goes on where the disk took a part, and tells when it takes no more', async () => {
    const some = await started(CHROMIUM, 2);
    await some.give({ id: 0, kind: 'open', name: 'one' });
    const batch = [{ at: 3, bytes: Uint8Array.of(1, 2, 3, 4, 5).buffer, offset: 0, length: 5 }];
    expect(await some.give({ id: 1, kind: 'write', batch })).toEqual({ id: 1 });
    expect([...some.file.subarray(2, 9)]).toEqual([0, 1, 2, 3, 4, 5, 0]);
    const none = await started(CHROMIUM, 0);
    await none.give({ id: 0, kind: 'open', name: 'one' });
    const lost = [{ at: 0, bytes: Uint8Array.of(1).buffer, offset: 0, length: 1 }];
    expect(await none.give({ id: 1, kind: 'write', batch: lost })).toEqual({ id: 1, fault: 'QuotaExceededError' });
  });
});
