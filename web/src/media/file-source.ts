// Files as a source: one media element plays them one after the other, and what it plays is
// captured. The element's volume is the uploader's alone: capture takes the sound before it
// (measured in Chromium and Firefox, muted included).

import { Capture, canCapture } from './capture';
import { titleOf } from './card';
import { Drawn } from './drawn';
import { inspect } from './inspect';
import { type Contents, NO_CAPTURE, soundless, verdict } from './refusal';
import type { Size, Source, SourceEvent, Tracks, Trouble } from './source';
import type { Stamp } from './strip';

/** How long a file may look for the place where it goes on. ms */
const SEEK_PATIENCE = 5_000;
/** How long a file may look for its end: in the preview, and while viewers wait for it. ms */
const END_PATIENCE = { preview: 15_000, live: 2_000 };
/** Behind the end of any file. s */
const FAR = 1e9;

export type FileEvent =
  | SourceEvent
  | { kind: 'loaded'; duration: number; picture: boolean; sound: boolean }
  | { kind: 'refused'; trouble: Trouble }
  /** The picture is sent, and the sound cannot be. */
  | { kind: 'soundless'; trouble: Trouble }
  | { kind: 'playing' }
  | { kind: 'paused' }
  | { kind: 'seeking' }
  | { kind: 'seeked' }
  | { kind: 'position'; seconds: number }
  /** The file turns out to be of another length than it said. */
  | { kind: 'duration'; seconds: number }
  | { kind: 'ended' }
  /** The browser wants a gesture before it plays with sound; it plays without. */
  | { kind: 'muted' };

export interface Start {
  /** seconds */
  at: number;
  play: boolean;
}

export class FileSource implements Source {
  readonly kind = 'file';
  readonly preview = document.createElement('video');
  private readonly tell: (event: FileEvent) => void;
  private readonly capture: Capture;
  private readonly drawn = new Drawn();
  /** Counts loads: what comes late for an earlier file is not heard. */
  private turn = 0;
  private url = '';
  private name = '';
  private turned = false;
  private ready = false;
  /** The codec of the file's sound; undefined when it has none, or this has been told already. */
  private soundDue: string | null | undefined;

  constructor(tell: (event: FileEvent) => void) {
    this.tell = tell;
    this.capture = new Capture(this.preview, () => this.arrange());
    this.preview.playsInline = true;
    this.preview.preload = 'auto';
    this.listen();
  }

  tracks(): Tracks {
    const { video, audio } = this.capture.tracks();
    return { video: this.isDrawn() ? this.drawn.track : video, audio };
  }

  size(): Size | undefined {
    if (!this.ready) return undefined;
    if (this.isDrawn()) return this.drawn.size();
    return { width: this.preview.videoWidth, height: this.preview.videoHeight };
  }

  /** Plays another file in the place of the one before. Viewers keep the last picture meanwhile. */
  async load(file: File, start: Start): Promise<void> {
    const turn = ++this.turn;
    this.leave();
    this.name = file.name;
    if (!canCapture(this.preview)) return this.refuse(NO_CAPTURE);
    const looked = inspect(file);
    const opened = await this.open(file);
    const contents = await looked;
    if (turn !== this.turn) return;
    const picture = this.preview.videoWidth > 0;
    const trouble = verdict(file.name, { failed: !opened, picture }, contents);
    if (trouble) return this.refuse(trouble);
    this.turned = picture && (contents?.rotation ?? 0) !== 0;
    if (this.preview.duration === Number.POSITIVE_INFINITY) await this.measure(start.play);
    if (turn !== this.turn) return;
    if (start.at > 0 && start.at < this.preview.duration) await this.seekAndWait(start.at);
    if (turn !== this.turn) return;
    if (this.preview.error) return this.refuse(BROKEN);
    await this.begin(contents, start.play);
  }

  async play(): Promise<void> {
    try {
      await this.preview.play();
    } catch (cause) {
      if (!(cause instanceof DOMException) || cause.name !== 'NotAllowedError') return;
      this.preview.muted = true;
      this.tell({ kind: 'muted' });
      await this.preview.play().catch(() => undefined);
    }
  }

  pause(): void {
    this.preview.pause();
  }

  /** seconds */
  seek(to: number): void {
    const { duration } = this.preview;
    if (!Number.isNaN(duration)) this.preview.currentTime = Math.min(Math.max(0, to), duration);
  }

  /** What the uploader hears; viewers are not touched. volume: 0…1 */
  listenAt(volume: number, muted: boolean): void {
    this.preview.volume = volume;
    this.preview.muted = muted;
  }

  withTime(stamp: (() => Stamp) | undefined): void {
    this.drawn.stamp = stamp;
    this.arrange();
  }

  close(): void {
    this.turn++;
    this.ready = false;
    this.preview.pause();
    this.capture.forget();
    this.drawn.close();
    this.preview.removeAttribute('src');
    this.preview.load();
    URL.revokeObjectURL(this.url);
  }

  private leave(): void {
    if (this.ready) this.drawn.still(this.preview);
    this.drawn.rest();
    this.ready = false;
    this.turned = false;
    this.preview.pause();
    this.capture.forget();
    URL.revokeObjectURL(this.url);
  }

  /** Whether the element could open the file. (A later load settles an earlier one; its turn is over then.) */
  private open(file: File): Promise<boolean> {
    this.url = URL.createObjectURL(file);
    this.preview.src = this.url;
    this.capture.start();
    return new Promise((resolve) => {
      const over = new AbortController();
      const settle = (opened: boolean) => (): void => {
        over.abort();
        resolve(opened);
      };
      this.preview.addEventListener('loadeddata', settle(true), { signal: over.signal });
      this.preview.addEventListener('error', settle(false), { signal: over.signal });
    });
  }

  private refuse(trouble: Trouble): void {
    this.preview.removeAttribute('src');
    this.preview.load();
    this.tell({ kind: 'refused', trouble });
  }

  /** Until the element is there, or cannot get there: then it shows the place where it stands. */
  private seekAndWait(to: number, patience = SEEK_PATIENCE): Promise<void> {
    return new Promise((resolve) => {
      const over = new AbortController();
      const settle = (): void => {
        clearTimeout(late);
        over.abort();
        resolve();
      };
      const late = setTimeout(settle, patience);
      this.preview.addEventListener('seeked', settle, { signal: over.signal });
      this.preview.addEventListener('error', settle, { signal: over.signal });
      this.preview.currentTime = to;
    });
  }

  /**
   * What a browser has recorded does not say how long it is, and cannot be moved in before that is
   * known: the element knows it once it has been at the end, for which Chromium reads all of it.
   * Nothing of this is seen: until a file is ready, viewers have the last picture of the one before.
   */
  private async measure(awaited: boolean): Promise<void> {
    await this.seekAndWait(FAR, awaited ? END_PATIENCE.live : END_PATIENCE.preview);
    await this.seekAndWait(0);
  }

  private async begin(contents: Contents | undefined, play: boolean): Promise<void> {
    this.ready = true;
    this.soundDue = contents?.audio;
    const { duration, videoWidth } = this.preview;
    const sound = contents ? contents.audio !== undefined : this.capture.tracks().audio !== null;
    this.tell({ kind: 'loaded', duration, picture: videoWidth > 0, sound });
    this.arrange();
    if (play) await this.play();
  }

  /** The browser's capture does well with a picture that moves and lies as it is stored. */
  private isDrawn(): boolean {
    return this.isRedrawn() || this.preview.paused || this.preview.videoWidth === 0;
  }

  /** Each picture of it goes through the page's hands. */
  private isRedrawn(): boolean {
    return this.turned || this.drawn.stamp !== undefined;
  }

  private arrange(): void {
    if (!this.ready) return;
    if (this.preview.videoWidth === 0) this.drawn.card(titleOf(this.name));
    else if (this.preview.paused) this.drawn.still(this.preview);
    else if (this.isRedrawn()) this.drawn.follow(this.preview);
    else this.drawn.rest();
    this.tell({ kind: 'tracks' });
  }

  /** Once a file plays its tracks are there. Browsers leave out sound that they cannot play, and say nothing. */
  private missSound(): void {
    const codec = this.soundDue;
    this.soundDue = undefined;
    if (codec !== undefined && this.capture.tracks().audio === null) {
      this.tell({ kind: 'soundless', trouble: soundless(this.name, codec) });
    }
  }

  private listen(): void {
    const on = (name: keyof HTMLMediaElementEventMap, heard: () => void): void => {
      this.preview.addEventListener(name, () => {
        if (this.ready) heard();
      });
    };
    on('playing', () => {
      this.arrange();
      this.tell({ kind: 'playing' });
      this.missSound();
    });
    on('pause', () => {
      this.arrange();
      // A file that comes to its end is paused before it is ended, and the next one follows: no pause for viewers.
      if (!this.preview.ended) this.tell({ kind: 'paused' });
    });
    on('seeking', () => this.tell({ kind: 'seeking' }));
    on('seeked', () => {
      this.arrange();
      this.tell({ kind: 'seeked' });
    });
    on('resize', () => this.arrange());
    on('timeupdate', () => this.tell({ kind: 'position', seconds: this.preview.currentTime }));
    on('durationchange', () => this.tell({ kind: 'duration', seconds: this.preview.duration }));
    on('ended', () => this.tell({ kind: 'ended' }));
    on('error', () => this.tell({ kind: 'refused', trouble: BROKEN }));
  }
}

const BROKEN: Trouble = {
  title: 'The file stopped in the middle.',
  advice: 'It may be damaged, or it was moved, changed or deleted while it was playing.',
};
