// A picture that the page makes by itself, for measuring: it moves everywhere, so that it costs an encoder
// something, and can have the time in it. Hidden tabs get a picture a second only.

import type { Size, Tracks } from './source';
import { drawStrip, type Stamp } from './strip';

export interface TestPictureOptions extends Size {
  /** Pictures a second. */
  rate: number;
  stamp: () => Stamp;
}

export class TestPicture {
  private readonly canvas = document.createElement('canvas');
  private readonly context: CanvasRenderingContext2D;
  private readonly track: MediaStreamTrack;
  private readonly stream: MediaStream;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly options: TestPictureOptions;
  private count = 0;

  constructor(options: TestPictureOptions) {
    this.options = options;
    Object.assign(this.canvas, { width: options.width, height: options.height });
    const context = this.canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('no 2D canvas');
    this.context = context;
    this.stream = this.canvas.captureStream(0);
    const track = this.stream.getVideoTracks()[0];
    if (!track) throw new Error('no track of a canvas');
    this.track = track;
    this.timer = setInterval(() => this.draw(), 1000 / options.rate);
  }

  tracks(): Tracks {
    return { video: this.track, audio: null };
  }

  close(): void {
    clearInterval(this.timer);
    this.track.stop();
  }

  private draw(): void {
    const { width, height } = this.options;
    paint(this.context, width, height, this.count++ / this.options.rate);
    drawStrip(this.context, width, height, this.options.stamp());
    // Chromium has it on the track, older Firefox on the stream.
    const asker = 'requestFrame' in this.track ? this.track : this.stream;
    (asker as unknown as CanvasCaptureMediaStreamTrack).requestFrame();
  }
}

const COLUMNS = 16;
const ROWS = 9;

/** Fields whose colours wander, and a hand that goes round once a second. seconds: since the beginning. */
function paint(context: CanvasRenderingContext2D, width: number, height: number, seconds: number): void {
  const [w, h] = [width / COLUMNS, height / ROWS];
  for (let x = 0; x < COLUMNS; x++) {
    for (let y = 0; y < ROWS; y++) {
      const hue = (seconds * 40 + x * 17 + y * 31) % 360;
      context.fillStyle = `hsl(${hue} 60% ${35 + 20 * Math.sin(seconds * 2 + x * y)}%)`;
      context.fillRect(Math.floor(x * w), Math.floor(y * h), Math.ceil(w), Math.ceil(h));
    }
  }
  const turn = seconds * 2 * Math.PI;
  const length = height / 4;
  context.strokeStyle = '#fff';
  context.lineWidth = Math.max(2, height / 40);
  context.beginPath();
  context.moveTo(width / 2, height / 2);
  context.lineTo(width / 2 + length * Math.sin(turn), height / 2 - length * Math.cos(turn));
  context.stroke();
}
