// One viewer in this page: an element that shows what comes by one way, and what it notes of each picture.

import { FrameWatch } from '../media/frames';
import { exchange } from '../media/output';
import { wholeTime } from '../media/strip';
import { StallMeter } from '../stats/glass';
import type { Join, Sample } from './figures';
import { called, type Way } from './plan';

export class Viewer {
  readonly way: Way;
  /** Counted from 0. */
  readonly number: number;
  readonly video = document.createElement('video');
  /** As on the watch page: all ways are shown in one manner. */
  private readonly output = new MediaStream();
  private readonly frames: FrameWatch;
  private readonly stalls = new StallMeter();
  private readonly began = performance.now();
  private joined: number | undefined;

  /** offset: the strip's clock minus the page's, ms. seen: a picture with a strip was shown. */
  constructor(way: Way, number: number, offset: number, seen: (sample: Sample) => void) {
    this.way = way;
    this.number = number;
    Object.assign(this.video, { muted: true, autoplay: true, playsInline: true, srcObject: this.output });
    this.video.ariaLabel = called(way, number);
    this.video.dataset.way = way;
    this.frames = new FrameWatch(this.video, 0, ({ at, stamp }) => {
      this.stalls.observe(at);
      this.joined ??= at - this.began;
      if (!stamp) return;
      const shown = performance.timeOrigin + at;
      seen({ way, viewer: number, at: shown, code: wholeTime(stamp.time, shown + offset) - offset });
    });
  }

  get hasPicture(): boolean {
    return this.joined !== undefined;
  }

  /** Plays what is in the stream now; to be said again when there is something else in it. */
  show(stream: MediaStream): void {
    exchange(this.output, stream.getTracks());
    this.play();
  }

  play(): void {
    void this.video.play().catch(() => undefined); // a newer source came in between, which plays by itself
  }

  /** What has been before does not count: the measured time begins. */
  settle(): void {
    this.stalls.stalls.count = 0;
    this.stalls.stalls.time = 0;
  }

  facts(): Join | undefined {
    if (this.joined === undefined) return undefined;
    return { way: this.way, viewer: this.number, join: this.joined, stalls: { ...this.stalls.stalls } };
  }

  close(): void {
    this.frames.close();
    this.video.pause();
    this.video.srcObject = null;
    this.video.removeAttribute('src');
  }
}
