// When a pair opens a further peer connection, each with a congestion window of its own (docs/MESH.md,
// section 7). One is tried when the rate has had time to grow; while each raises it enough, the next.

/** How many peer connections a pair may have. */
export const MOST_LANES = 4;
/** The shortest round trip of a line on which a further lane is tried (ms): a shorter one soon recovers from a loss. */
const LONG = 30;
/** How long a lane takes to its rate, and how long the rate is taken (ms). */
const SETTLES = 2_000;
const SPAN = 4_000;
/** By how much a lane has to raise the rate for another to be tried. */
const GAIN = 1.15;

/** What is known of a pair. */
export interface LaneFacts {
  /** Bytes that have come over it so far. */
  taken: number;
  /** Lanes that are there beside the first. */
  further: number;
  /** The shortest so far (ms). */
  roundTrip: number;
  /** It is a direct one, brings what is wanted, and nobody else does. With others, those are the lanes. */
  alone: boolean;
}

export class Lanes {
  /** Further lanes that were asked for. */
  private asked = 0;
  /** Of the present span (ms). */
  private begun: number | undefined;
  /** The rate of the span is being taken. */
  private settled = false;
  /** Bytes that had come when that began. */
  private taken = 0;
  /** Bytes a second with one lane less. */
  private before = 0;
  private over = false;

  /** Whether to open a further lane now (ms). It is to be asked about once a second. */
  look(now: number, { taken, further, roundTrip, alone }: LaneFacts): boolean {
    if (this.over || !alone || roundTrip < LONG || further < this.asked) {
      this.begun = undefined;
      return false;
    }
    if (this.begun === undefined) [this.begun, this.settled] = [now, false];
    else if (!this.settled && now - this.begun >= SETTLES) [this.begun, this.settled, this.taken] = [now, true, taken];
    else if (this.settled && now - this.begun >= SPAN)
      return this.judge(((taken - this.taken) * 1000) / (now - this.begun));
    return false;
  }

  /** A lane that was asked for did not come about. No other is tried. */
  failed(): void {
    this.over = true;
  }

  /** Asks for another lane if the last one was worth it. rate is in bytes a second. */
  private judge(rate: number): boolean {
    this.begun = undefined;
    this.over = rate <= 0 || rate < GAIN * this.before || this.asked === MOST_LANES - 1;
    this.before = rate;
    if (this.over) return false;
    this.asked += 1;
    return true;
  }
}
