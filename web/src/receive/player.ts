// Plays a file while it comes: a player's requests are answered with bytes that are here and verified,
// and what follows them is asked for first. It waits for the rest.

import type { Bytes } from '../mesh/bytes';
import type { Layout } from '../mesh/layout';
import type { Manifest } from '../mesh/manifest';
import { headOf, mediaType } from './range';
import type { Flowing } from './served';

/** Where a player's bytes come from. */
export interface Source {
  /** How many bytes of the stream are here in one run from a byte on, of at most so many. */
  here(at: number, most: number): number;
  read(at: number, length: number): Promise<Bytes>;
  /** Asks for what follows a byte of the stream first; undefined ends that. */
  play(at: number | undefined): void;
}

/** Bytes that are given to a player at a time. */
const CHUNK = 256 * 1024;

export class Player {
  private readonly manifest: Manifest;
  private readonly layout: Layout;
  private readonly source: Source;
  private readonly waiting = new Set<() => void>();
  private playing: number | undefined;

  constructor(manifest: Manifest, layout: Layout, source: Source) {
    this.manifest = manifest;
    this.layout = layout;
    this.source = source;
  }

  /** Another file is played, or none. What was asked for before ends. */
  play(file: number | undefined): void {
    this.playing = file;
    this.source.play(file === undefined ? undefined : this.layout.fileStart(file));
    this.news();
  }

  /** More is here. */
  news(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  /** What a player asks for; undefined unless the file is the one that is played. */
  answer(file: number, header: string | null): Flowing | undefined {
    const entry = this.manifest.files[file];
    const type = mediaType(entry?.path ?? '');
    if (!entry || !type || this.playing !== file) return undefined;
    const { status, headers, body } = headOf(header, entry.size, type);
    const start = this.layout.fileStart(file);
    let [at, stopped] = [start + body.first, false];
    const next = async (): Promise<Bytes | undefined> => {
      while (at < start + body.end) {
        if (stopped || this.playing !== file) throw new Error('nobody plays it');
        this.source.play(at);
        const length = this.source.here(at, Math.min(CHUNK, start + body.end - at));
        if (length > 0) {
          const bytes = await this.source.read(at, length);
          at += length;
          return bytes;
        }
        await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
      return undefined;
    };
    const stop = (): void => {
      stopped = true;
      this.news();
    };
    return { status, headers, next, stop };
  }
}
