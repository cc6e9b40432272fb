// Where the network lets no WebRTC through: the stream by plain HTTP, if the uploader sends it that way too,
// for as long as nothing else brings a picture. What is on the screen stays until the other one has a picture.

import type { Signal } from '@preact/signals';
import type { Snapshot } from '../stats/vocabulary';
import { failureOf } from '../topology/failure';
import { HttpPlayer } from '../topology/play';

export interface FallbackOptions {
  /** Whether it is what is on the screen. */
  playing: Signal<boolean>;
  /** Where to ask for it, by the latest Welcome. */
  server(): { url: string; token: string | undefined };
  /** Lets this attach to an element over the picture of before, which is seen from its first picture on. */
  over(attach: (video: HTMLVideoElement) => void, seen: () => void): void;
  /** The picture of before again once it goes on, or when something else comes over it; gone: told then, once. */
  below(gone: () => void): void;
  onSnapshot(snapshot: Snapshot): void;
}

/** Between two questions for a recording, at least: many may wait behind one address. And between two looks at the figures. ms */
const AGAIN = 10_000;
const LOOK = 1_000;
/** After a recording has ended: the next one has begun already, as a rule. ms */
const SOON = 1_000;

export class Fallback {
  private readonly options: FallbackOptions;
  private wanted = false;
  private player: HttpPlayer | undefined;
  /** Something of it lies over the picture of before. */
  private over = false;
  /** Counts beginnings and ends: what was awaited in between is of no use any more. */
  private beginnings = 0;
  private again: ReturnType<typeof setTimeout> | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;

  constructor(options: FallbackOptions) {
    this.options = options;
  }

  want(want: boolean): void {
    if (want === this.wanted) return;
    this.wanted = want;
    if (want) void this.begin();
    else this.end();
  }

  private end(): void {
    const player = this.halt();
    if (!this.over) {
      player?.close();
      return;
    }
    this.options.below(() => {
      this.over = false;
      this.options.playing.value = false;
      player?.close();
    });
  }

  /** Nothing of what was begun goes on by itself. */
  private halt(): HttpPlayer | undefined {
    this.beginnings++;
    clearTimeout(this.again);
    clearInterval(this.looking);
    const { player } = this;
    this.player = undefined;
    return player;
  }

  private async begin(): Promise<void> {
    const beginning = ++this.beginnings;
    try {
      const player: HttpPlayer = new HttpPlayer({
        ...this.options.server(),
        onEnd: () => {
          if (this.player === player) this.retry(SOON);
        },
      });
      this.player = player;
      await player.open();
      if (beginning === this.beginnings) this.play(player);
    } catch (cause) {
      if (beginning !== this.beginnings) return;
      const { kind, retryAfter } = failureOf(cause);
      if (kind !== 'never') this.retry(Math.max(AGAIN, (retryAfter ?? 0) * 1000));
    }
  }

  private play(player: HttpPlayer): void {
    this.options.over(
      (video) => player.attach(video),
      () => {
        this.options.playing.value = true;
      },
    );
    this.over = true;
    this.looking = setInterval(() => this.options.onSnapshot(player.snapshot()), LOOK);
  }

  /** Its last picture stays until there is another one. */
  private retry(pause: number): void {
    this.halt()?.close();
    this.options.playing.value = false;
    this.again = setTimeout(() => void this.begin(), pause);
  }
}
