// How a player of a file that grows stays near its end without running dry: a little faster when it is
// behind, a jump when it is far behind, and a larger distance after it has run dry. Pure.

/** s */
export const EDGE = {
  /** Where it begins: a recorder hands out a tenth of a second at a time, which then travels. */
  least: 0.2,
  most: 2,
  /** Added each time that the player has run dry, and taken away after so long without that. */
  step: 0.1,
  calm: 20,
  /** How far behind its target a player may be before it hurries, and before it jumps. */
  hurry: 0.1,
  jump: 1.5,
  /** How much of what has been played is kept. */
  behind: 5,
} as const;

/** Faster than people notice by ear, as pitch is kept. */
const RATE = 1.08;

export interface Buffer {
  /** Where the player is, and what there is: s. */
  position: number;
  start: number;
  end: number;
}

export interface Advice {
  rate: number;
  /** Go there. */
  jump?: number;
  /** Forget what is before. */
  forget?: number;
}

export class LiveEdge {
  private distance: number = EDGE.least;
  private dryAt: number | undefined;

  /** How far behind the end it wants to be, s. */
  get target(): number {
    return this.distance;
  }

  /** The player has run dry. now in s. */
  dry(now: number): void {
    this.dryAt = now;
    this.distance = Math.min(EDGE.most, this.distance + EDGE.step);
  }

  /** now in s. */
  advise({ position, start, end }: Buffer, now: number): Advice {
    if (this.dryAt !== undefined && now - this.dryAt > EDGE.calm) {
      this.dryAt = now;
      this.distance = Math.max(EDGE.least, this.distance - EDGE.step);
    }
    const behind = end - position;
    const advice: Advice = { rate: behind > this.distance + EDGE.hurry ? RATE : 1 };
    if (position < start || behind > this.distance + EDGE.jump) advice.jump = Math.max(start, end - this.distance);
    if (position - start > 2 * EDGE.behind) advice.forget = position - EDGE.behind;
    return advice;
  }
}
