// Whether pictures come one after another by a path that has shown its first one. The way by the server carries one
// picture a second while nobody needs it, and all of them only a moment after somebody does. Pure: it is fed a counter.

export const FLOW = {
  look: 100, // ms between two looks
  pause: 500, // ms; pictures that are further apart do not flow
  atLatest: 2_000, // ms after the first picture: the source may have no more of them
} as const;

/** So many looks must find new pictures: what waited for a viewer is decoded within one or two. */
const LOOKS = 3;

export class Flow {
  private began: number | undefined;
  private frames = 0;
  private grown = 0;
  private looks = 0;

  /** frames: decoded so far, at least one; now in ms. Whether they flow. */
  observe(frames: number, now: number): boolean {
    if (this.began === undefined) {
      this.began = this.grown = now;
      this.frames = frames;
      return false;
    }
    if (frames > this.frames) {
      this.looks = now - this.grown <= FLOW.pause ? this.looks + 1 : 0;
      this.frames = frames;
      this.grown = now;
    }
    return this.looks >= LOOKS || now - this.began >= FLOW.atLatest;
  }
}
