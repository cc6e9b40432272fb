// A sink that gives everything on at once, in order, as downloads of the browser: for what is larger
// than this browser can keep. It has a window of memory: what comes earlier than it can be given on
// waits there. Nothing of it can be read again, so it is lost with the page, and cannot be passed on.

import type { Bytes } from '../mesh/bytes';
import type { Layout } from '../mesh/layout';
import { LEAF } from '../mesh/merkle';
import type { Sink } from '../mesh/peer/sink';
import type { Flowing } from './served';

/** Bytes that may wait to be given on; at least some pieces, the largest of which have 4 MiB. */
export const WINDOW = 32 * 1024 * 1024;

/** The person has ended the download. */
export class Cancelled extends Error {}

export class Streamed implements Sink {
  readonly lasting = false;
  readonly placed = true;
  readonly window = WINDOW;
  private readonly layout: Layout;
  /** Files that are given on, in order. */
  private readonly files: readonly number[];
  /** By where they begin in the stream. */
  private readonly chunks = new Map<number, Bytes>();
  /** The file that is given on now, its place in files, and how far it has gone in the stream. */
  private current = 0;
  private at: number;
  private failed: Error | undefined;
  private waiting: (() => void)[] = [];
  /** Hears that the next file can be asked for. */
  onNext: (file: number) => void = () => undefined;

  /** files: those that are wanted and have bytes, in order. */
  constructor(layout: Layout, files: readonly number[]) {
    this.layout = layout;
    this.files = files;
    this.at = this.startOf(0);
  }

  /** The file that the browser has to ask for now. */
  get next(): number | undefined {
    return this.files[this.current];
  }

  /** How far everything has been given on, in bytes of the stream. */
  get position(): number {
    return this.at;
  }

  /** The browser asks for a file: the bytes, as they come. Undefined unless it is its turn. */
  flow(file: number, head: { status: number; headers: Record<string, string> }): Flowing | undefined {
    if (this.files[this.current] !== file || this.at !== this.startOf(this.current)) return undefined;
    return { ...head, next: () => this.bytesOf(file), stop: () => this.fail(new Cancelled()) };
  }

  private async bytesOf(file: number): Promise<Bytes | undefined> {
    for (;;) {
      if (this.failed) throw this.failed;
      if (this.files[this.current] !== file) return undefined;
      const bytes = this.take();
      if (bytes) return bytes;
      await this.news();
    }
  }

  /** What is here of the file at its turn, a part at a time; it goes on to the next file after the last. */
  private take(): Bytes | undefined {
    const end = this.endOf(this.current);
    const [start, chunk] = this.chunkAt(this.at) ?? [];
    if (start === undefined || !chunk) return undefined;
    const stop = Math.min(end, start + chunk.length);
    const bytes = chunk.slice(this.at - start, stop - start);
    this.at = stop;
    if (stop === start + chunk.length) this.chunks.delete(start);
    if (this.at === end) this.nextFile();
    return bytes;
  }

  private nextFile(): void {
    this.current += 1;
    const file = this.files[this.current];
    if (file !== undefined) {
      this.at = this.startOf(this.current);
      for (const [start, chunk] of this.chunks) if (start + chunk.length <= this.at) this.chunks.delete(start);
      this.onNext(file);
    }
    this.wake();
  }

  private chunkAt(at: number): [number, Bytes] | undefined {
    const { piece, leaf } = { piece: Math.floor(at / this.layout.piece), leaf: at % this.layout.piece };
    const start = this.layout.leafStart(piece, Math.floor(leaf / LEAF));
    const chunk = this.chunks.get(start);
    return chunk ? [start, chunk] : undefined;
  }

  async write(at: number, bytes: Bytes): Promise<void> {
    if (this.failed) throw this.failed;
    if (at + bytes.length > this.at) this.chunks.set(at, bytes);
    this.wake();
  }

  async flush(): Promise<boolean> {
    return false;
  }

  /** Resolves when the browser has taken everything. */
  async finish(): Promise<void> {
    while (this.current < this.files.length) {
      if (this.failed) throw this.failed;
      await this.news();
    }
    this.chunks.clear();
  }

  read(): Promise<Bytes> {
    return Promise.reject(new Error('nothing can be read again'));
  }

  blob(): Blob {
    throw new Error('it is with the browser already');
  }

  async remove(): Promise<void> {
    this.fail(new Cancelled());
  }

  private fail(error: Error): void {
    if (this.current >= this.files.length) return;
    this.failed = error;
    this.chunks.clear();
    this.wake();
  }

  private news(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private startOf(place: number): number {
    const file = this.files[place];
    return file === undefined ? this.layout.total : this.layout.fileStart(file);
  }

  private endOf(place: number): number {
    const file = this.files[place];
    return file === undefined ? this.layout.total : this.layout.fileStart(file + 1);
  }
}
