// Where bytes are read from and kept: files that a person has chosen, the browser's private file
// system (by a worker), or memory for little. Everything is one stream, as docs/MESH.md section 5
// lays it out. Nothing here verifies.

import type { Bytes } from '../bytes';
import type { Layout } from '../layout';
import type { SinkAnswer, SinkOrder, Written } from './sink-worker';

/** What is there has changed since it was shared or stored. */
export class SourceChanged extends Error {}

/** There is no room for what is wanted. */
export class NoRoom extends Error {}

/** Bytes of the stream. */
export interface Store {
  /** Throws SourceChanged, or an error of the browser's. */
  read(at: number, length: number): Promise<Bytes>;
}

export interface Sink extends Store {
  /** Takes over the memory of the bytes. Resolves when more may come. Throws NoRoom. */
  write(at: number, bytes: Bytes): Promise<void>;
  /** Whether what was written before is safe now from a crash of the page. */
  flush(): Promise<boolean>;
  /** Nothing more is written. What follows can be saved by the person. */
  finish(): Promise<void>;
  /** What was finished takes bytes again; left out where it always does, or has nothing from an earlier time. */
  reopen?(): Promise<void>;
  /** A part of the stream as a file, after finish. */
  blob(at: number, length: number): Blob;
  /** Forgets all. */
  remove(): Promise<void>;
  /** Whether it is still there after a reload. */
  readonly lasting: boolean;
  /**
   * The files are where the person wants them, as soon as they are whole. Then nothing can be read
   * before, so that nothing is passed on, and there is nothing to be saved.
   */
  readonly placed: boolean;
  /**
   * Bytes that may wait until they are taken in their order: nothing is fetched that lies further behind
   * position. undefined: any order will do.
   */
  readonly window?: number;
  /** How far everything was taken, in bytes of the stream. */
  readonly position?: number;
}

/** Chosen files as a stream. */
export class Files implements Store {
  private readonly layout: Layout;
  private readonly files: ReadonlyMap<number, Blob>;
  /** Files as they were when they were first read. */
  private readonly known = new Map<number, Blob>();

  constructor(layout: Layout, files: ReadonlyMap<number, Blob>) {
    this.layout = layout;
    this.files = files;
  }

  async read(at: number, length: number): Promise<Bytes> {
    const spans = this.layout.spans(at, length);
    const [only] = spans;
    if (only && spans.length === 1) return this.part(only.file, only.offset, length);
    const out = new Uint8Array(length);
    let filled = 0;
    for (const { file, offset, length: part } of spans) {
      const bytes = await this.part(file, offset, part);
      out.set(bytes, filled);
      filled += bytes.length;
    }
    return out;
  }

  private async part(file: number, offset: number, length: number): Promise<Bytes> {
    const slice = this.whole(file)?.slice(offset, offset + length);
    // A browser refuses to read a file that has changed since it was chosen.
    const buffer = await slice?.arrayBuffer().catch(() => undefined);
    if (!buffer || buffer.byteLength !== length) throw new SourceChanged();
    return new Uint8Array(buffer);
  }

  /**
   * A file as it was. When a part of a chosen file itself is taken, Chromium asks the system anew how long the file is and
   * when it was changed, and the page's thread waits for the answer: that took more of it than the hashes do.
   */
  private whole(file: number): Blob | undefined {
    const blob = this.known.get(file) ?? this.files.get(file)?.slice();
    if (blob) this.known.set(file, blob);
    return blob;
  }
}

/** For browsers without a private file system, and little. */
export class Memory implements Sink {
  readonly lasting = false;
  readonly placed = false;
  private readonly bytes: Bytes;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  async read(at: number, length: number): Promise<Bytes> {
    return this.bytes.slice(at, at + length);
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    this.bytes.set(bytes, at);
  }

  async finish(): Promise<void> {}
  async remove(): Promise<void> {}

  async flush(): Promise<boolean> {
    return false;
  }

  blob(at: number, length: number): Blob {
    return new Blob([this.bytes.subarray(at, at + length)]);
  }
}

/** Bytes that may wait for the disk before whoever writes waits. */
const WAITING = 8 * 1024 * 1024;

/** Bytes that go to the worker together: sixteen leaves, since a message for each costs both sides more than the writing. */
const TOGETHER = 1024 * 1024;

/** How often, and after how long (ms), a file that is in use is asked for again. */
const TRIES = 5;
const TRY_EVERY = 200;

/** A file of the browser's private file system, written by a worker, as pages may not. */
export class PrivateFile implements Sink {
  readonly lasting = true;
  readonly placed = false;
  private readonly worker: Worker;
  private readonly name: string;
  private readonly calls = new Map<number, { resolve(answer: SinkAnswer): void; reject(error: Error): void }>();
  private next = 0;
  /** Bytes that were handed over and are not written, those of batch among them. */
  private waiting = 0;
  private batch: Written[] = [];
  private batched = 0;
  private failed: Error | undefined;
  private file: File | undefined;
  /** It is being closed, or opened again. */
  private turning: Promise<unknown> = Promise.resolve();

  private constructor(name: string) {
    this.name = name;
    this.worker = new Worker(new URL('./sink-worker.ts', import.meta.url), { type: 'module' });
    this.worker.addEventListener('message', ({ data }: MessageEvent<SinkAnswer>) => this.answered(data));
    this.worker.addEventListener('error', () => this.broke(new Error('the worker for files has ended')));
  }

  /** Throws where there is no such file system, or the file is in use by another tab. */
  static async open(name: string): Promise<PrivateFile> {
    const sink = new PrivateFile(name);
    for (let left = TRIES; ; left--) {
      try {
        await sink.call({ kind: 'open', name });
        return sink;
      } catch (error) {
        if (left === 0) {
          sink.worker.terminate();
          throw error;
        }
      }
      // After a reload the page before may hold the file a moment longer.
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
    }
  }

  async read(at: number, length: number): Promise<Bytes> {
    await this.turning;
    void this.writeBatch();
    const bytes = this.file
      ? await this.file.slice(at, at + length).arrayBuffer()
      : (await this.call({ kind: 'read', at, length })).bytes;
    if (bytes?.byteLength !== length) throw new SourceChanged();
    return new Uint8Array(bytes);
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    if (this.failed) throw this.failed;
    const { buffer, byteOffset: offset, length } = bytes;
    this.batch.push({ at, bytes: buffer, offset, length });
    this.batched += length;
    this.waiting += length;
    if (this.batched < TOGETHER) return;
    const written = this.writeBatch();
    if (this.waiting > WAITING) await written;
    if (this.failed) throw this.failed;
  }

  /** Hands over what there is; what is asked of the worker next comes behind it. */
  private async writeBatch(): Promise<void> {
    const { batch, batched } = this;
    if (batch.length === 0) return;
    this.batch = [];
    this.batched = 0;
    const memory = batch.map(({ bytes }) => bytes);
    try {
      await this.call({ kind: 'write', batch }, memory);
      this.waiting -= batched;
    } catch (error) {
      this.failed = error as Error;
    }
  }

  async flush(): Promise<boolean> {
    if (this.file) return true;
    void this.writeBatch();
    await this.call({ kind: 'flush' });
    if (this.failed) throw this.failed;
    return true;
  }

  finish(): Promise<void> {
    return this.turn(async () => {
      if (this.file) return;
      await this.flush();
      await this.call({ kind: 'close' });
      this.file = await (await (await folder()).getFileHandle(this.name)).getFile();
    });
  }

  reopen(): Promise<void> {
    return this.turn(async () => {
      if (!this.file) return;
      await this.call({ kind: 'open', name: this.name });
      this.file = undefined;
    });
  }

  /** Whoever reads waits for it: in between there is neither a handle nor a file. */
  private turn(work: () => Promise<void>): Promise<void> {
    const turned = this.turning.then(work);
    this.turning = turned.catch(() => undefined);
    return turned;
  }

  blob(at: number, length: number): Blob {
    if (!this.file) throw new Error('not finished');
    return this.file.slice(at, at + length);
  }

  async remove(): Promise<void> {
    this.worker.terminate();
    await (await folder()).removeEntry(this.name).catch(() => undefined);
  }

  private call(order: Omit<SinkOrder, 'id'>, transfer: Transferable[] = []): Promise<SinkAnswer> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      this.worker.postMessage({ ...order, id }, transfer);
    });
  }

  private answered(answer: SinkAnswer): void {
    const call = this.calls.get(answer.id);
    this.calls.delete(answer.id);
    if (answer.fault === undefined) call?.resolve(answer);
    else call?.reject(answer.fault === 'QuotaExceededError' ? new NoRoom() : new Error(answer.fault));
  }

  private broke(error: Error): void {
    this.failed = error;
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
  }
}

/** Where received files lie until they are saved. */
export const FOLDER = 'received';

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

/** Bytes that the browser's private file system still takes; 0 where there is none. */
export async function privateRoom(): Promise<number> {
  try {
    const { quota = 0, usage = 0 } = await navigator.storage.estimate();
    return Math.max(0, quota - usage);
  } catch {
    return 0;
  }
}

/** What no room can still be using goes. now and age in ms. */
export async function dropOldFiles(now: number, age: number): Promise<void> {
  try {
    const all = (await folder()) as FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };
    for await (const one of all.values()) {
      const file = one.kind === 'file' ? await (one as FileSystemFileHandle).getFile() : undefined;
      if (file && now - file.lastModified > age) await all.removeEntry(one.name);
    }
  } catch {
    // There is no private file system, or another tab is at it.
  }
}
