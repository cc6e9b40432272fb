import { expect, it, onTestFinished, vi } from 'vitest';
import { Line, World } from '../mesh/peer/line.fixture';
import { Couple, wanted } from '../mesh/peer/pair.fixture';
import { PrivateFile } from '../mesh/peer/sink';
import type { SinkAnswer, SinkOrder } from '../mesh/peer/sink-worker';
import { initial, type State, step } from './state';
import { endWords } from './words';

/** Bytes that the disk takes: less than is wanted. */
const ROOM = 500_000;

/** The worker for the disk as it is, whose file takes so much; full: what the disk does then. */
async function disk(full: () => number): Promise<void> {
  const inside = new EventTarget();
  let left = ROOM;
  const handle = {
    write: ({ length }: Uint8Array) => {
      if (length > left) return full();
      left -= length;
      return length;
    },
    flush: () => undefined,
    close: () => undefined,
  };
  const folder = {
    getDirectoryHandle: async () => folder,
    getFileHandle: async () => ({ createSyncAccessHandle: async () => handle }),
  };
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => folder } });
  const outside: EventTarget[] = [];
  class Disk extends EventTarget {
    constructor() {
      super();
      outside.push(this);
    }

    postMessage(order: SinkOrder): void {
      inside.dispatchEvent(new MessageEvent('message', { data: order }));
    }

    terminate(): void {}
  }
  const construct = (Timers: typeof Worker, [url]: [URL]) =>
    url.href.includes('sink-worker') ? new Disk() : new Timers(url);
  vi.stubGlobal('Worker', new Proxy(Worker, { construct }));
  vi.stubGlobal('self', {
    addEventListener: inside.addEventListener.bind(inside),
    postMessage: (answer: SinkAnswer) => {
      queueMicrotask(() => outside[0]?.dispatchEvent(new MessageEvent('message', { data: answer })));
    },
  });
  vi.resetModules();
  await import('../mesh/peer/sink-worker');
}

it.each([
  ['takes nothing more', () => 0],
  [
    'says so',
    () => {
      throw new DOMException('no room', 'QuotaExceededError');
    },
  ],
])('a disk that %s in the midst of a transfer ends it with words for the person', async (_, full) => {
  const world = new World();
  onTestFinished(() => world.end());
  await disk(full);
  const sink = await PrivateFile.open('one');
  const couple = await Couple.make(world, new Line(world));
  let state: State = initial;
  const receiver = await couple.receiver((event) => {
    state = step(state, { kind: 'mesh', event });
    if (event.kind === 'offered') receiver.accept({ sink, wanted, whole: new Map() });
  });
  await couple.connect(receiver);
  while (state.end === undefined) await world.turn();
  expect(endWords(state.end)).toEqual({
    title: 'This browser has no room left.',
    advice: expect.stringMatching(/^Free some space on the disk, then reload this page/u),
  });
  expect(state.phase).toBe('ended');
  await expect(sink.flush()).rejects.toThrow(); // so nothing of it is noted as safe
  await couple.end();
});
