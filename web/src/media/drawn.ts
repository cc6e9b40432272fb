// A picture track that is drawn by the page. It stands in wherever the browser's capture gives
// no picture or the wrong one:
//
//   - a paused file: Firefox sends nothing then, and a viewer who joins would see nothing;
//   - sound without picture: a card with the title;
//   - a turned film: both browsers capture it lying;
//   - a picture that is to have the time in it, for measuring.
//
// A canvas that nobody draws on sends nothing, so the picture is drawn again once a second:
// that is what a viewer who has just joined waits for at most. Hidden tabs keep that pace.

import { CARD_SIZE, paintCard } from './card';
import type { Size } from './source';
import { drawStrip, type Stamp } from './strip';

const AGAIN = 1_000; // ms

export class Drawn {
  readonly track: MediaStreamTrack;
  /** The time that each picture is to have in it; undefined: none. */
  stamp: (() => Stamp) | undefined;
  private readonly canvas = document.createElement('canvas');
  private readonly context: CanvasRenderingContext2D;
  private readonly stream: MediaStream;
  private timer: ReturnType<typeof setInterval> | undefined;
  private paint: () => void = () => {};
  private follows: HTMLVideoElement | undefined;
  private frame = 0;

  constructor() {
    const context = this.canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('no 2D canvas');
    this.context = context;
    this.resize(CARD_SIZE);
    this.stream = this.canvas.captureStream(0);
    const track = this.stream.getVideoTracks()[0];
    if (!track) throw new Error('no track of a canvas');
    this.track = track;
  }

  size(): Size {
    return { width: this.canvas.width, height: this.canvas.height };
  }

  /** Shows the picture that the element has now, again and again. */
  still(element: HTMLVideoElement): void {
    this.unfollow();
    this.show(() => this.copy(element));
  }

  /** Shows every picture of the element as it comes. */
  follow(element: HTMLVideoElement): void {
    this.still(element);
    // Firefox before 132 does not tell of single pictures; it shows turned films at the slow pace.
    if (typeof element.requestVideoFrameCallback !== 'function') return;
    this.follows = element;
    const next = (): void => {
      if (this.follows !== element) return;
      this.draw();
      this.frame = element.requestVideoFrameCallback(next);
    };
    this.frame = element.requestVideoFrameCallback(next);
  }

  card(title: string): void {
    this.unfollow();
    this.show(() => {
      this.resize(CARD_SIZE);
      paintCard(this.context, title);
    });
  }

  /** Keeps the last picture and sends nothing more of it. */
  rest(): void {
    this.unfollow();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  close(): void {
    this.rest();
    this.track.stop();
  }

  private show(paint: () => void): void {
    this.paint = paint;
    this.draw();
    this.timer ??= setInterval(() => this.draw(), AGAIN);
  }

  private draw(): void {
    this.paint();
    if (this.stamp) drawStrip(this.context, this.canvas.width, this.canvas.height, this.stamp());
    // Chromium has it on the track, older Firefox on the stream.
    const asker = 'requestFrame' in this.track ? this.track : this.stream;
    (asker as unknown as CanvasCaptureMediaStreamTrack).requestFrame();
  }

  private copy(element: HTMLVideoElement): void {
    const size = { width: element.videoWidth, height: element.videoHeight };
    // Between two files there is no picture; the last one stays.
    if (size.width === 0 || element.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    this.resize(size);
    this.context.drawImage(element, 0, 0, size.width, size.height);
  }

  private resize(size: Size): void {
    // Setting a size clears the canvas, even when it is the same.
    if (this.canvas.width !== size.width) this.canvas.width = size.width;
    if (this.canvas.height !== size.height) this.canvas.height = size.height;
  }

  private unfollow(): void {
    this.follows?.cancelVideoFrameCallback(this.frame);
    this.follows = undefined;
  }
}
