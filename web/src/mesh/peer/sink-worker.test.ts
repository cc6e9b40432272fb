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
async function started(browser: object) {
  const port = new EventTarget();
  const answers: SinkAnswer[] = [];
  const file = new Uint8Array(1024);
  const handle = {
    write: (from: Uint8Array, { at }: { at: number }) => {
      file.set(from, at);
      return from.length;
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
  return { file, give };
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
});
