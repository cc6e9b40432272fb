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
/** How many requests of a player stay open; the one before these ends. */
const MOST_OPEN = 4;

/** Something that a player asks for, in bytes of the stream. */
interface Flow {
  readonly file: number;
  at: number;
  readonly end: number;
  stopped: boolean;
}

export class Player {
  private readonly manifest: Manifest;
  private readonly layout: Layout;
  private readonly source: Source;
  private readonly waiting = new Set<() => void>();
  /**
   * What the player has not had whole, in the order in which it asked: where it asked last, there it is.
   * Players ask for several places at a time, and some browsers (Firefox) neither end requests that they
   * want no more nor stop taking from them.
   */
  private readonly flows = new Set<Flow>();
  private playing: number | undefined;

  constructor(manifest: Manifest, layout: Layout, source: Source) {
    this.manifest = manifest;
    this.layout = layout;
    this.source = source;
  }

  /** Another file is played, or none. What was asked for before ends. */
  play(file: number | undefined): void {
    this.playing = file;
    this.flows.clear();
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
    const flow: Flow = { file, at: start + body.first, end: start + body.end, stopped: false };
    if (flow.at < flow.end) this.flows.add(flow);
    const [first] = this.flows;
    if (first && this.flows.size > MOST_OPEN) this.stop(first);
    return { status, headers, next: () => this.next(flow), stop: () => this.stop(flow) };
  }

  private stop(flow: Flow): void {
    flow.stopped = true;
    this.over(flow);
  }

  private async next(flow: Flow): Promise<Bytes | undefined> {
    while (flow.at < flow.end) {
      if (flow.stopped || this.playing !== flow.file) throw new Error('nobody plays it');
      if ([...this.flows].at(-1) === flow) this.source.play(flow.at);
      const length = this.source.here(flow.at, Math.min(CHUNK, flow.end - flow.at));
      if (length > 0) {
        const bytes = await this.source.read(flow.at, length);
        flow.at += length;
        return bytes;
      }
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
    this.over(flow);
    return undefined;
  }

  /** Others that wait are where the player is now. */
  private over(flow: Flow): void {
    if (this.flows.delete(flow)) this.news();
  }
}
