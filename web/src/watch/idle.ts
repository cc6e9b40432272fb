// When the controls may go out of the picture. Pure: fed with movements and the time.

export const IDLE_AFTER = 3_000; // ms

export interface IdleFacts {
  /** The picture runs and nothing is said over it. */
  playing: boolean;
  /** A panel is open, a control has the keyboard's focus, or the pointer rests on one. */
  busy: boolean;
}

export class IdleWatch {
  private last = 0;

  /** Something moved. */
  moved(now: number): void {
    this.last = now;
  }

  /** The pointer has left the picture: no need to wait. */
  left(now: number): void {
    this.last = Math.min(this.last, now - IDLE_AFTER);
  }

  visible(facts: IdleFacts, now: number): boolean {
    return !facts.playing || facts.busy || now - this.last < IDLE_AFTER;
  }

  /** When to look again, in ms from now. */
  due(now: number): number {
    return Math.max(0, this.last + IDLE_AFTER - now);
  }
}
