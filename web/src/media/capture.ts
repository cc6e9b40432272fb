// The tracks that the browser captures from a media element. They end with the file, and the
// next file brings others: whoever sends them must put the new ones in place.

type Capturable = HTMLVideoElement & {
  captureStream?(): MediaStream;
  mozCaptureStream?(): MediaStream;
};

/** Whether this browser can send what a media element plays (Safari cannot). */
export function canCapture(element: HTMLVideoElement): boolean {
  const e = element as Capturable;
  return typeof (e.captureStream ?? e.mozCaptureStream) === 'function';
}

export class Capture {
  private readonly changed: () => void;
  private readonly element: Capturable;
  private stream: MediaStream | undefined;
  private video: MediaStreamTrack | null = null;
  private audio: MediaStreamTrack | null = null;

  constructor(element: HTMLVideoElement, changed: () => void) {
    this.element = element;
    this.changed = changed;
  }

  /** Begins to listen, with the first file. */
  start(): void {
    if (this.stream) return;
    const capture = this.element.captureStream ?? this.element.mozCaptureStream;
    if (!capture) throw new Error('this browser does not capture media elements');
    this.stream = capture.call(this.element);
    this.stream.addEventListener('addtrack', (event) => this.take(event.track));
    for (const track of this.stream.getTracks()) this.take(track);
  }

  tracks(): { video: MediaStreamTrack | null; audio: MediaStreamTrack | null } {
    return { video: live(this.video), audio: live(this.audio) };
  }

  /** Before another file: Chromium leaves the old tracks "live" for ever and says nothing. */
  forget(): void {
    this.video?.stop();
    this.audio?.stop();
    this.video = null;
    this.audio = null;
  }

  private take(track: MediaStreamTrack): void {
    if (track.readyState !== 'live') return;
    track.addEventListener('ended', () => this.changed());
    if (track.kind === 'video') this.video = track;
    // A file with several sound tracks: the element plays the first one.
    else this.audio = live(this.audio) ?? track;
    this.changed();
  }
}

function live(track: MediaStreamTrack | null): MediaStreamTrack | null {
  return track?.readyState === 'live' ? track : null;
}
