// Every picture that an element shows: when it is on the screen, and what the strip over its top says.
// The shell round strip.ts: it reads, and decides nothing.

import { LENS, lightOf, READ, type Stamp, stampOf } from './strip';

/** A picture that was shown. */
export interface Frame {
  /** When it is on the screen, as the browser expects: ms of performance.now(). */
  at: number;
  /** The RTP timestamp of the picture, where the browser tells it. */
  rtpTimestamp: number | undefined;
  /** When it was captured, as the browser reckons by its own knowledge of the other side's clock: ms of performance.now(). */
  captured: number | undefined;
  /** It was one to be read. */
  read: boolean;
  /** What the strip says; undefined without one. */
  stamp: Stamp | undefined;
}

/** What browsers tell beside the standard's own members for pictures that came by RTP. */
type Metadata = VideoFrameCallbackMetadata & { rtpTimestamp?: number; captureTime?: DOMHighResTimeStamp };

export class FrameWatch {
  /** Least time between two pictures whose strip is read, ms; each costs a fraction of a millisecond. */
  every: number;
  private readonly video: HTMLVideoElement;
  private readonly seen: (frame: Frame) => void;
  private readonly lens: CanvasRenderingContext2D | null;
  private handle = 0;
  private readAt = Number.NEGATIVE_INFINITY;

  /** A browser that does not tell of single pictures (Firefox before 132) tells nothing here. */
  constructor(video: HTMLVideoElement, every: number, seen: (frame: Frame) => void) {
    this.video = video;
    this.every = every;
    this.seen = seen;
    const canvas = Object.assign(document.createElement('canvas'), LENS);
    this.lens = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    if (typeof video.requestVideoFrameCallback === 'function') this.next();
  }

  close(): void {
    if (this.handle) this.video.cancelVideoFrameCallback(this.handle);
  }

  private next(): void {
    this.handle = this.video.requestVideoFrameCallback((_, metadata: Metadata) => {
      this.next();
      const { expectedDisplayTime: at, rtpTimestamp, captureTime: captured } = metadata;
      const read = at - this.readAt >= this.every;
      if (read) this.readAt = at;
      this.seen({ at, rtpTimestamp, captured, read, stamp: read ? this.read() : undefined });
    });
  }

  private read(): Stamp | undefined {
    const { videoWidth, videoHeight } = this.video;
    if (!this.lens || videoWidth === 0) return undefined;
    const { width, height } = LENS;
    this.lens.drawImage(
      this.video,
      0,
      videoHeight * READ.from,
      videoWidth,
      videoHeight * READ.height,
      0,
      0,
      width,
      height,
    );
    return stampOf(lightOf(this.lens.getImageData(0, 0, width, height).data));
  }
}
