// The one video element: what it plays, whether it may be heard, full screen and picture in
// picture. It plays a MediaStream of its own whose tracks are exchanged, so that a new path
// changes neither the element, nor its permission to sound, nor full screen.

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
  readonly video: HTMLVideoElement;
  /** Set while the browser demands a gesture before there is sound. */
  soundBlocked = false;
  /** Set while the browser demands a gesture before there is anything. */
  playBlocked = false;
  /** The viewer's own pause. */
  stopped = false;
  private readonly frame: HTMLElement;
  private readonly events: PlayerEvents;
  private readonly output = new MediaStream();
  /** Something else than a path is shown. */
  private replaced = false;
  private readonly listening = new AbortController();

  /** frame is what goes full screen: the video with its controls. */
  constructor(video: HTMLVideoElement, frame: HTMLElement, events: PlayerEvents) {
    this.video = video;
    this.frame = frame;
    this.events = events;
    const signal = this.listening.signal;
    const changed = (): void => events.changed();
    for (const name of [
      'volumechange',
      'play',
      'pause',
      'playing',
      'resize',
      'enterpictureinpicture',
      'leavepictureinpicture',
    ]) {
      video.addEventListener(name, changed, { signal });
    }
    // The system's own controls (picture in picture, headset keys) pause the element directly.
    video.addEventListener('pause', () => this.pausedElsewhere(), { signal });
    video.addEventListener('play', () => this.playedElsewhere(), { signal });
    for (const name of ['fullscreenchange', 'webkitfullscreenchange'])
      document.addEventListener(name, changed, { signal });
    video.srcObject = this.output;
  }

  /** Shows this path's tracks from now on; undefined keeps the last picture. */
  use(path: Path | undefined): void {
    if (!path) return;
    const fresh = path.stream.getTracks();
    // Kind by kind, the old track out and then the new one in: Firefox goes on showing the first
    // picture track of a stream, and with no track at all the element would end.
    for (const kind of ['audio', 'video']) {
      for (const track of this.output.getTracks()) if (track.kind === kind) this.output.removeTrack(track);
      for (const track of fresh) if (track.kind === kind) this.output.addTrack(track);
    }
    if (this.video.ended && !this.replaced) this.video.srcObject = this.output;
    if (!this.stopped) void this.start();
  }

  /** Shows what this attaches to the element in the place of paths; undefined: paths again. */
  instead(attach: ((video: HTMLVideoElement) => void) | undefined): void {
    this.replaced = attach !== undefined;
    if (attach) attach(this.video);
    else {
      this.video.removeAttribute('src');
      this.video.playbackRate = 1;
      this.video.srcObject = this.output;
    }
    if (!this.stopped) void this.start();
  }

  /** With sound if the browser lets us, else muted, else not before a gesture. */
  async start(): Promise<void> {
    this.stopped = false;
    const unheard = this.video.muted && this.soundBlocked;
    const outcome = await this.tryPlay();
    if (outcome === 'refused' && !this.video.muted) {
      this.video.muted = true;
      this.soundBlocked = true;
      this.playBlocked = (await this.tryPlay()) === 'refused';
    } else {
      this.playBlocked = outcome === 'refused';
      this.soundBlocked = unheard;
    }
    this.events.changed();
  }

  private async tryPlay(): Promise<'playing' | 'refused'> {
    try {
      await this.video.play();
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
    }
    this.events.changed();
  }

  private pausedElsewhere(): void {
    if (!this.video.ended && !this.playBlocked && document.pictureInPictureElement === this.video) this.stopped = true;
  }

  private playedElsewhere(): void {
    if (this.stopped) void this.start();
  }

  get muted(): boolean {
    return this.video.muted || this.video.volume === 0;
  }

  /** To be called from a gesture when it switches sound on. */
  setMuted(muted: boolean): void {
    this.video.muted = muted;
    if (!muted) {
      this.soundBlocked = false;
      if (this.video.volume === 0) this.video.volume = 1;
      if (!this.stopped) void this.start();
    }
    this.events.changed();
  }

  /** 0…1; any sound at all also ends being muted. */
  setVolume(volume: number): void {
    this.video.volume = Math.min(1, Math.max(0, volume));
    if (volume > 0) this.setMuted(false);
    this.events.changed();
  }

  get fullScreen(): boolean {
    const d: PrefixedDocument = document;
    return (d.fullscreenElement ?? d.webkitFullscreenElement ?? null) === this.frame;
  }

  get canFullScreen(): boolean {
    const frame: PrefixedElement = this.frame;
    const video: AppleVideo = this.video;
    return Boolean(document.fullscreenEnabled || frame.webkitRequestFullscreen || video.webkitEnterFullscreen);
  }

  toggleFullScreen(): void {
    const d: PrefixedDocument = document;
    const frame: PrefixedElement = this.frame;
    const video: AppleVideo = this.video;
    if (this.fullScreen) {
      if (document.fullscreenEnabled) document.exitFullscreen().catch(() => undefined);
      else d.webkitExitFullscreen?.();
    } else if (document.fullscreenEnabled) {
      frame.requestFullscreen().catch(() => video.webkitEnterFullscreen?.());
    } else if (frame.webkitRequestFullscreen) frame.webkitRequestFullscreen();
    else video.webkitEnterFullscreen?.();
  }

  get canPictureInPicture(): boolean {
    return document.pictureInPictureEnabled === true && typeof this.video.requestPictureInPicture === 'function';
  }

  get pictureInPicture(): boolean {
    return document.pictureInPictureElement === this.video;
  }

  togglePictureInPicture(): void {
    // Refused without a picture or a gesture: then nothing happens, and nothing is lost.
    const done = this.pictureInPicture ? document.exitPictureInPicture() : this.video.requestPictureInPicture();
    done.catch(() => undefined);
  }

  close(): void {
    this.listening.abort();
    this.video.pause();
    this.video.srcObject = null;
  }
}
