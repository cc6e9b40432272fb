// The shell round Pacer: watches how large the picture is shown and whether anybody looks, tells the
// server, and keeps what it answers. It decides nothing.

import { signal } from '@preact/signals';
import type { Path } from '../topology/path';
import type { Picture } from '../topology/picture';
import { Pacer, type Shown, wishOf } from './wish';

export class QualityWatch {
  /** What there is and what comes; undefined while the server has not said. */
  readonly picture = signal<Picture | undefined>(undefined);
  /** The height that was chosen by hand, for as long as the page is open; undefined: automatic. */
  readonly chosen = signal<number | undefined>(undefined);
  private readonly pacer = new Pacer();
  private readonly listening = new AbortController();
  private video: HTMLVideoElement | undefined;
  private observer: ResizeObserver | undefined;
  private window: PictureInPictureWindow | undefined;
  private path: Path | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** video is the element that shows the picture. */
  attach(video: HTMLVideoElement): void {
    this.video = video;
    const { signal } = this.listening;
    const changed = (): void => this.changed();
    // Zoom and another screen change the pixels, not always the element.
    for (const name of ['resize', 'fullscreenchange']) window.addEventListener(name, changed, { signal });
    document.addEventListener('visibilitychange', changed, { signal });
    video.addEventListener('resize', () => this.look(), { signal });
    video.addEventListener('enterpictureinpicture', (event) => this.enter(event), { signal });
    video.addEventListener('leavepictureinpicture', () => this.leave(), { signal });
    if (typeof ResizeObserver === 'function') {
      this.observer = new ResizeObserver(changed);
      this.observer.observe(video);
    }
  }

  /** The path that is shown now. */
  use(path: Path | undefined): void {
    this.path = path;
    this.pacer.forget();
    this.picture.value = undefined;
    this.changed();
  }

  /** Whether the server is there, and is the one that made the path: another one knows nothing of it. */
  reach(reachable: boolean): void {
    this.pacer.reach(reachable);
    this.arm();
  }

  choose(height: number | undefined): void {
    this.chosen.value = height;
    this.changed();
  }

  /** The controls or the figures are on the screen. */
  watch(curious: boolean): void {
    this.pacer.watch(curious);
    this.arm();
  }

  get hidden(): boolean {
    return document.visibilityState === 'hidden' && document.pictureInPictureElement !== this.video;
  }

  close(): void {
    clearTimeout(this.timer);
    this.listening.abort();
    this.observer?.disconnect();
    this.path = undefined;
  }

  private enter(event: Event): void {
    this.window = (event as PictureInPictureEvent).pictureInPictureWindow;
    this.window?.addEventListener('resize', () => this.changed(), { signal: this.listening.signal });
    this.changed();
  }

  private leave(): void {
    this.window = undefined;
    this.changed();
  }

  private look(): void {
    this.pacer.look();
    this.changed();
  }

  private changed(): void {
    if (this.video) this.pacer.want(wishOf(this.shown(this.video), this.chosen.value), performance.now());
    this.arm();
  }

  private shown(video: HTMLVideoElement): Shown {
    return {
      width: this.window?.width ?? video.clientWidth,
      height: this.window?.height ?? video.clientHeight,
      ratio: window.devicePixelRatio || 1,
      pictureWidth: video.videoWidth,
      pictureHeight: video.videoHeight,
      hidden: this.hidden,
    };
  }

  private arm(): void {
    clearTimeout(this.timer);
    const due = this.path ? this.pacer.due() : undefined;
    if (due !== undefined) this.timer = setTimeout(() => void this.ask(), Math.max(0, due - performance.now()));
  }

  private async ask(): Promise<void> {
    const path = this.path;
    const request = path && this.pacer.take(performance.now());
    if (path && request) {
      // What fails is asked again with the next wish; a lost session is the path's own matter.
      const picture = await path.picture(request.wish).catch(() => undefined);
      if (path !== this.path) return;
      if (picture) this.picture.value = picture;
    }
    this.arm();
  }
}
