// The video element: what it plays, whether it may be heard, full screen and picture in
// picture. It plays a MediaStream of its own whose tracks are exchanged (media/output.ts). What is no
// path, but a source that an element plays itself, has a second element, which lies over the first (over.ts).

import { exchange } from '../media/output';
import type { Path } from '../topology/path';

export interface PlayerEvents {
  /** Muted, volume, pause, full screen or picture in picture has changed. */
  changed(): void;
}

/** Elements of Safari on iPhone, where only the video itself can fill the screen. */
interface AppleVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
  webkitSupportsFullscreen?: boolean;
}

interface PrefixedElement extends HTMLElement {
  webkitRequestFullscreen?(): void;
}

interface PrefixedDocument extends Document {
  webkitFullscreenElement?: Element | null;
  webkitExitFullscreen?(): void;
}

export class Player {
  /** Plays paths. */
  readonly video: HTMLVideoElement;
  /** Lies over it, unseen until it is shown. */
  readonly second: HTMLVideoElement;
  /** Set while the browser demands a gesture before there is sound. */
  soundBlocked = false;
  /** Set while the browser demands a gesture before there is anything. */
  playBlocked = false;
  /** The viewer's own pause. */
  stopped = false;
  private readonly frame: HTMLElement;
  private readonly events: PlayerEvents;
  private readonly output = new MediaStream();
  /** The element that is seen and heard. */
  private current: HTMLVideoElement;
  private readonly listening = new AbortController();

  /** second lies over video; frame is what goes full screen: both with their controls. */
  constructor(video: HTMLVideoElement, second: HTMLVideoElement, frame: HTMLElement, events: PlayerEvents) {
    this.video = video;
    this.second = second;
    this.current = video;
    this.frame = frame;
    this.events = events;
    const { signal } = this.listening;
    this.listen(video);
    this.listen(second);
    for (const name of ['fullscreenchange', 'webkitfullscreenchange'])
      document.addEventListener(name, () => events.changed(), { signal });
    video.srcObject = this.output;
  }

  private listen(video: HTMLVideoElement): void {
    const { signal } = this.listening;
    for (const name of [
      'volumechange',
      'play',
      'pause',
      'playing',
      'resize',
      'enterpictureinpicture',
      'leavepictureinpicture',
    ]) {
      video.addEventListener(name, () => this.events.changed(), { signal });
    }
    // The system's own controls (picture in picture, headset keys) pause the element directly.
    video.addEventListener('pause', () => this.pausedElsewhere(video), { signal });
    video.addEventListener('play', () => this.playedElsewhere(video), { signal });
  }

  /** Shows this path's tracks from now on; undefined keeps the last picture. */
  use(path: Path | undefined): void {
    if (!path) return;
    exchange(this.output, path.stream.getTracks());
    if (this.video.ended) this.video.srcObject = this.output;
    if (!this.stopped) void this.start();
  }

  /** This element is seen and heard from now on: as loud as the other was, and in its window. */
  show(to: HTMLVideoElement): void {
    const from = this.current;
    if (from === to) return;
    const inWindow = this.pictureInPicture;
    this.current = to;
    this.second.toggleAttribute('data-seen', to === this.second);
    to.volume = from.volume;
    to.muted = from.muted;
    from.muted = true;
    // Without a gesture: there is such a window already.
    if (inWindow) to.requestPictureInPicture().catch(() => undefined);
    if (!this.stopped) void this.start();
    this.events.changed();
  }

  /** With sound if the browser lets us, else muted, else not before a gesture. */
  async start(): Promise<void> {
    this.stopped = false;
    const { current } = this;
    const unheard = current.muted && this.soundBlocked;
    // The one that is not seen goes on unheard, so that its next picture is noticed.
    if (current !== this.video) void this.tryPlay(this.video);
    else if (this.second.src) void this.tryPlay(this.second);
    const outcome = await this.tryPlay(current);
    if (outcome === 'refused' && !current.muted) {
      current.muted = true;
      this.soundBlocked = true;
      this.playBlocked = (await this.tryPlay(current)) === 'refused';
    } else {
      this.playBlocked = outcome === 'refused';
      this.soundBlocked = unheard;
    }
    this.events.changed();
  }

  private async tryPlay(video: HTMLVideoElement): Promise<'playing' | 'refused'> {
    try {
      await video.play();
    } catch (cause) {
      // AbortError: a newer call or a new source came in between, which plays by itself.
      if (cause instanceof DOMException && cause.name === 'NotAllowedError') return 'refused';
    }
    return 'playing';
  }

  /** Pauses, or goes on with what is live now. */
  togglePause(): void {
    if (this.stopped || this.playBlocked) void this.start();
    else {
      this.stopped = true;
      this.video.pause();
      this.second.pause();
    }
    this.events.changed();
  }

  private pausedElsewhere(video: HTMLVideoElement): void {
    if (video !== this.current || video.ended || this.playBlocked) return;
    if (document.pictureInPictureElement === video) this.stopped = true;
  }

  private playedElsewhere(video: HTMLVideoElement): void {
    if (this.stopped && video === this.current) void this.start();
  }

  get muted(): boolean {
    return this.current.muted || this.current.volume === 0;
  }

  get volume(): number {
    return this.current.volume;
  }

  get seesSecond(): boolean {
    return this.current === this.second;
  }

  /** To be called from a gesture when it switches sound on. */
  setMuted(muted: boolean): void {
    this.current.muted = muted;
    if (!muted) {
      this.soundBlocked = false;
      if (this.current.volume === 0) this.current.volume = 1;
      if (!this.stopped) void this.start();
    }
    this.events.changed();
  }

  /** 0…1; any sound at all also ends being muted. */
  setVolume(volume: number): void {
    this.current.volume = Math.min(1, Math.max(0, volume));
    if (volume > 0) this.setMuted(false);
    this.events.changed();
  }

  get fullScreen(): boolean {
    const d: PrefixedDocument = document;
    return (d.fullscreenElement ?? d.webkitFullscreenElement ?? null) === this.frame;
  }

  get canFullScreen(): boolean {
    const frame: PrefixedElement = this.frame;
    const video: AppleVideo = this.current;
    return Boolean(document.fullscreenEnabled || frame.webkitRequestFullscreen || video.webkitEnterFullscreen);
  }

  toggleFullScreen(): void {
    const d: PrefixedDocument = document;
    const frame: PrefixedElement = this.frame;
    const video: AppleVideo = this.current;
    if (this.fullScreen) {
      if (document.fullscreenEnabled) document.exitFullscreen().catch(() => undefined);
      else d.webkitExitFullscreen?.();
    } else if (document.fullscreenEnabled) {
      frame.requestFullscreen().catch(() => video.webkitEnterFullscreen?.());
    } else if (frame.webkitRequestFullscreen) frame.webkitRequestFullscreen();
    else video.webkitEnterFullscreen?.();
  }

  get canPictureInPicture(): boolean {
    return document.pictureInPictureEnabled === true && typeof this.current.requestPictureInPicture === 'function';
  }

  get pictureInPicture(): boolean {
    return document.pictureInPictureElement === this.current;
  }

  togglePictureInPicture(): void {
    // Refused without a picture or a gesture: then nothing happens, and nothing is lost.
    const done = this.pictureInPicture ? document.exitPictureInPicture() : this.current.requestPictureInPicture();
    done.catch(() => undefined);
  }

  close(): void {
    this.listening.abort();
    this.video.pause();
    this.second.pause();
    this.video.srcObject = null;
  }
}
