// Writes one file of the browser's private file system: only workers may have the handle that does
// so at once and keeps what was written when the page goes away. It decides nothing.

/** What the page asks for; each order is answered once, in order. */
export interface SinkOrder {
  id: number;
  kind: 'open' | 'write' | 'read' | 'flush' | 'close';
  name?: string;
  /** What is to be written. */
  batch?: Written[];
  /** What is to be read. */
  at?: number;
  length?: number;
}

/** Bytes that lie in a buffer from offset on, and where they belong in the file. */
export interface Written {
  at: number;
  bytes: ArrayBuffer;
  offset: number;
  length: number;
}

export interface SinkAnswer {
  id: number;
  bytes?: ArrayBuffer;
  /** The name of the error. */
  fault?: string;
}

interface SyncHandle {
  read(into: Uint8Array, how: { at: number }): number;
  write(from: Uint8Array, how: { at: number }): number;
  flush(): void;
  close(): void;
}

type Openable = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncHandle> };

const FOLDER = 'received';
let handle: SyncHandle | undefined;
/** Where runs are put together. */
let room = new Uint8Array();

// A worker that has ended, in Chromium; nobody.ts tells why. In Firefox workers that workers began and ended at
// once kept others from beginning, now and then: the file was never opened.
const nobody = 'userAgentData' in navigator ? new Worker(self.location.href) : undefined;
nobody?.terminate();

/**
 * Bytes that Chromium takes for used, though nobody touches them, so that they take no memory. It gives back to the system what is
 * let go at once, beyond an eighth of what is used, and asks for it anew with the next message: that cost a receiver more than
 * writing does.
 */
const UNTOUCHED = 64 * 1024 * 1024;
try {
  if (nobody) Object.assign(self, { untouched: new ArrayBuffer(UNTOUCHED) });
} catch {
  // Then it is slower.
}

self.addEventListener('message', ({ data }: MessageEvent<SinkOrder>) => {
  if (data.kind === 'open') void open(data);
  else answer(data.id, () => carryOut(data));
});

async function open({ id, name = '' }: SinkOrder): Promise<void> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const file = (await folder.getFileHandle(name, { create: true })) as Openable;
    handle = await file.createSyncAccessHandle();
    answer(id, () => undefined);
  } catch (error) {
    answer(id, () => {
      throw error;
    });
  }
}

function carryOut({ kind, batch = [], at = 0, length = 0 }: SinkOrder): ArrayBuffer | undefined {
  if (!handle) throw new Error('closed');
  if (kind === 'write') {
    for (const run of runsOf(batch)) write(handle, run[0]?.at ?? 0, joined(run));
    const written = batch.map(({ bytes }) => bytes);
    nobody?.postMessage(undefined, written);
  }
  if (kind === 'read') {
    const out = new Uint8Array(length);
    return out.buffer.slice(0, handle.read(out, { at }));
  }
  if (kind === 'flush') handle.flush();
  if (kind === 'close') {
    handle.close();
    handle = undefined;
  }
  return undefined;
}

/** What belongs together in the file, in its order: each writing asks other processes of the browser, too. */
function runsOf(batch: readonly Written[]): Written[][] {
  const runs: Written[][] = [];
  for (const one of batch.toSorted((a, b) => a.at - b.at)) {
    const last = runs.at(-1)?.at(-1);
    if (last && last.at + last.length === one.at) runs.at(-1)?.push(one);
    else runs.push([one]);
  }
  return runs;
}

/** The bytes of a run. They are good until the next call. */
function joined(run: readonly Written[]): Uint8Array {
  const parts = run.map(({ bytes, offset, length }) => new Uint8Array(bytes, offset, length));
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (room.length < size) room = new Uint8Array(size);
  let filled = 0;
  for (const part of parts) {
    room.set(part, filled);
    filled += part.length;
  }
  return room.subarray(0, size);
}

function write(to: SyncHandle, at: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const count = to.write(bytes.subarray(done), { at: at + done });
    // A full disk may take a part, and then nothing.
    if (count <= 0) throw new DOMException('the disk takes no more', 'QuotaExceededError');
    done += count;
  }
}

function answer(id: number, work: () => ArrayBuffer | undefined): void {
  const out: SinkAnswer = { id };
  try {
    const bytes = work();
    if (bytes) out.bytes = bytes;
  } catch (error) {
    out.fault = error instanceof Error ? error.name : 'Error';
  }
  const port = self as unknown as { postMessage(message: SinkAnswer, transfer: Transferable[]): void };
  port.postMessage(out, out.bytes ? [out.bytes] : []);
}
