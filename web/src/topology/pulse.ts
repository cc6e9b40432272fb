// Whether pictures still come. How long a pause may last depends on how fast they came before: a film stands
// still after half a second, a shared screen on which nothing moves does not. Pure: it is fed a counter.

export const PULSE = {
  look: 200, // ms between two looks
  least: 500, // ms; busy browsers pause for shorter than that
  most: 3_000, // ms
} as const;

/** So many usual pauses make a silence. */
const PAUSES = 5;
const FIRST = 100; // ms; the usual pause before anything is known of it
const WEIGHT = 0.2; // of the newest pause

export class Pulse {
  private frames: number | undefined;
  private grown = 0;
  private usual = FIRST;
  private silent = false;

  /** Another connection, or nothing is to come now. */
  reset(): void {
    this.frames = undefined;
    this.silent = false;
    this.usual = FIRST;
  }

  /** frames: decoded so far; now in ms. ms of silence when it has begun, 0 when it is over, undefined when nothing is new. */
  observe(frames: number, now: number): number | undefined {
    if (this.frames === undefined || frames < this.frames) {
      this.frames = frames;
      this.grown = now;
      return undefined;
    }
    const came = frames - this.frames;
    if (came > 0) {
      this.usual += WEIGHT * ((now - this.grown) / came - this.usual);
      this.frames = frames;
      this.grown = now;
      const over = this.silent;
      this.silent = false;
      return over ? 0 : undefined;
    }
    const pause = now - this.grown;
    if (this.silent || pause < Math.min(PULSE.most, Math.max(PULSE.least, PAUSES * this.usual))) return undefined;
    this.silent = true;
    return Math.round(pause);
  }
}
