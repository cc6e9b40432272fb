// A sink in a file or folder that the person has chosen (File System Access): for what is larger than
// the browser's private file system. What is written is there after a commit alone, and cannot be read
// again before; so nothing of it is passed on, and the journal notes pieces after commits.

import type { Bytes } from '../mesh/bytes';
import type { Layout } from '../mesh/layout';
import type { Manifest } from '../mesh/manifest';
import { LEAF } from '../mesh/merkle';
import type { Target } from '../mesh/peer/journal';
import { NoRoom, type Sink } from '../mesh/peer/sink';
import { commitDue } from './place';
import { freeName } from './save';

/** Files that are open at a time; of the others what was written is committed. */
const OPEN = 8;

export class Picked implements Sink {
  readonly lasting = true;
  readonly placed = true;
  private readonly target: Target;
  private readonly manifest: Manifest;
  private readonly layout: Layout;
  private readonly wanted: ReadonlySet<number>;
  /** 1 for each leaf that was written: some come twice. */
  private readonly written: Uint8Array;
  /** Bytes that each file misses. */
  private readonly left: number[];
  private readonly open = new Map<number, FileSystemWritableFileStream>();
  private pending = 0;
  private committed = 0;
  /** Everything was there at the beginning. */
  readonly complete: boolean;
  /** One thing after the other. */
  private chain: Promise<unknown> = Promise.resolve();

  /** whole: pieces that were committed at an earlier time. */
  constructor(
    target: Target,
    manifest: Manifest,
    layout: Layout,
    wanted: ReadonlySet<number>,
    whole: Iterable<number>,
  ) {
    this.target = target;
    this.manifest = manifest;
    this.layout = layout;
    this.wanted = wanted;
    this.written = new Uint8Array(Math.ceil(layout.total / LEAF));
    this.left = manifest.files.map((file) => file.size);
    for (const piece of whole) {
      this.note(layout.pieceStart(piece), layout.pieceLength(piece));
      this.committed += layout.pieceLength(piece);
    }
    this.complete = this.written.includes(1) && [...wanted].every((file) => this.left[file] === 0);
  }

  write(at: number, bytes: Bytes): Promise<void> {
    return this.after(async () => {
      if (this.written[at / LEAF] !== 0) return;
      for (const { file, offset, length } of this.layout.spans(at, bytes.length)) {
        if (!this.wanted.has(file)) continue;
        const begin = this.layout.fileStart(file) + offset - at;
        const stream = await this.writing(file);
        await stream.write({ type: 'write', position: offset, data: bytes.slice(begin, begin + length) });
        this.pending += length;
      }
      this.note(at, bytes.length);
      for (const [file, stream] of this.open) if (this.left[file] === 0) await this.close(file, stream);
    });
  }

  /** Commits, when that is worth it: then what was written before is safe. */
  flush(): Promise<boolean> {
    return this.after(async () => {
      if (this.open.size > 0 && !commitDue(this.pending, this.committed)) return false;
      await this.commit();
      return true;
    });
  }

  finish(): Promise<void> {
    return this.after(async () => {
      await this.commit();
      if (this.complete) return;
      for (const file of this.wanted) if (this.manifest.files[file]?.size === 0) await this.makeEmpty(file);
    });
  }

  read(): Promise<Bytes> {
    return Promise.reject(new Error('it cannot be read before it is whole'));
  }

  blob(): Blob {
    throw new Error('it is where the person wants it already');
  }

  async remove(): Promise<void> {
    await this.after(async () => {
      for (const stream of this.open.values()) await stream.abort();
      this.open.clear();
    });
  }

  private after<T>(work: () => Promise<T>): Promise<T> {
    const done = this.chain.then(work).catch((error) => {
      throw error instanceof DOMException && error.name === 'QuotaExceededError' ? new NoRoom() : error;
    });
    this.chain = done.catch(() => undefined); // whoever asked for it hears of it
    return done;
  }

  /** Leaves from here on are written, and their files miss less. */
  private note(at: number, length: number): void {
    for (let i = at / LEAF; i * LEAF < at + length; i++) this.written[i] = 1;
    for (const span of this.layout.spans(at, length)) this.left[span.file] = (this.left[span.file] ?? 0) - span.length;
  }

  private async writing(file: number): Promise<FileSystemWritableFileStream> {
    const known = this.open.get(file);
    if (known) {
      // The one used last is the last.
      this.open.delete(file);
      this.open.set(file, known);
      return known;
    }
    const [oldest] = this.open;
    if (oldest && this.open.size >= OPEN) await this.close(...oldest);
    const stream = await (await this.handleOf(file)).createWritable({ keepExistingData: true });
    this.open.set(file, stream);
    return stream;
  }

  private async commit(): Promise<void> {
    for (const [file, stream] of [...this.open]) await this.close(file, stream);
    this.committed += this.pending;
    this.pending = 0;
  }

  private async close(file: number, stream: FileSystemWritableFileStream): Promise<void> {
    this.open.delete(file);
    await stream.close();
  }

  private async makeEmpty(file: number): Promise<void> {
    const path = this.manifest.files[file]?.path ?? '';
    if (path.endsWith('/')) await this.folderOf(path.split('/').slice(0, -1));
    else await (await (await this.handleOf(file)).createWritable({ keepExistingData: true })).close();
  }

  private async handleOf(file: number): Promise<FileSystemFileHandle> {
    if (this.target.kind === 'file') return this.target.handle;
    const parts = (this.manifest.files[file]?.path ?? '').split('/');
    const name = parts.pop() ?? '';
    if (parts.length > 0) return (await this.folderOf(parts)).getFileHandle(name, { create: true });
    return this.target.handle.getFileHandle(this.renamed(name), { create: true });
  }

  private async folderOf(parts: readonly string[]): Promise<FileSystemDirectoryHandle> {
    let folder = this.target.handle as FileSystemDirectoryHandle;
    for (const [i, part] of parts.entries()) {
      folder = await folder.getDirectoryHandle(i === 0 ? this.renamed(part) : part, { create: true });
    }
    return folder;
  }

  private renamed(top: string): string {
    const { target } = this;
    return (target.kind === 'folder' ? target.names.find(([name]) => name === top)?.[1] : undefined) ?? top;
  }
}

type Pickers = {
  showSaveFilePicker?: (how: { suggestedName: string }) => Promise<FileSystemFileHandle>;
  showDirectoryPicker?: (how: { mode: 'readwrite' }) => Promise<FileSystemDirectoryHandle>;
};

const pickers = (): Pickers => window as Pickers;

export const canPick = (): { saveFile: boolean; folder: boolean } => ({
  saveFile: pickers().showSaveFilePicker !== undefined,
  folder: pickers().showDirectoryPicker !== undefined,
});

/** Asks the person for a place; undefined when the dialog was closed. Must follow a click. */
export async function pickTarget(manifest: Manifest, wanted: ReadonlySet<number>): Promise<Target | undefined> {
  const paths = [...wanted].map((file) => manifest.files[file]?.path ?? '');
  const [only] = paths;
  try {
    if (isSingle(manifest, wanted) && only !== undefined) {
      const handle = await pickers().showSaveFilePicker?.({ suggestedName: only });
      return handle && { kind: 'file', handle };
    }
    const handle = await pickers().showDirectoryPicker?.({ mode: 'readwrite' });
    if (!handle) return undefined;
    const tops = [...new Set(paths.map((path) => path.split('/')[0] ?? ''))];
    const names: [string, string][] = [];
    for (const top of tops) names.push([top, await freeName(handle, top)]);
    return { kind: 'folder', handle, names };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    throw error;
  }
}

/** It is one file, which lies in no folder. */
export function isSingle(manifest: Manifest, wanted: ReadonlySet<number>): boolean {
  const [only] = wanted;
  return wanted.size === 1 && only !== undefined && !manifest.files[only]?.path.includes('/');
}

type Permitted = FileSystemHandle & {
  queryPermission?: (how: { mode: 'readwrite' }) => Promise<PermissionState>;
  requestPermission?: (how: { mode: 'readwrite' }) => Promise<PermissionState>;
};

/** Whether the page may write there again after a reload; ask: with a question, which must follow a click. */
export async function permitted({ handle }: Target, ask: boolean): Promise<boolean> {
  const one = handle as Permitted;
  const how = { mode: 'readwrite' } as const;
  const state = await (ask ? one.requestPermission?.(how) : one.queryPermission?.(how));
  return state === undefined || state === 'granted';
}
