// What a run of snapshots says about the stream that arrives: nothing comes, or what comes
// cannot be decoded. Pure: it is fed once a second.

import type { Snapshot } from '../stats/vocabulary';

export interface Health {
  /** Frames or sound came in the last seconds. */
  flowing: boolean;
  /** Nothing has come for long although something should. */
  stalled: boolean;
  /** Picture packets come and no picture comes out of them. */
  undecodable: boolean;
}

/** ms */
export const HEALTH = {
  quiet: 2_500, // a hidden studio tab sends one frame a second
  stalled: 6_000,
  undecodable: 8_000,
} as const;

export class HealthWatch {
  private lastGrowth: number | undefined;
  private bytes = 0;
  private frames = 0;
  private undecodedSince: number | undefined;

  /** Forgets everything: another connection is being watched. */
  reset(): void {
    this.lastGrowth = undefined;
    this.bytes = 0;
    this.frames = 0;
    this.undecodedSince = undefined;
  }

  /** live: the stream should be arriving. now in ms. */
  observe(snapshot: Snapshot, live: boolean, now: number): Health {
    const bytes = sum(snapshot, (t) => t.bytes);
    const frames = sum(snapshot, (t) => t.framesDecoded);
    const pictureBytes = sum(snapshot, (t) => (t.kind === 'video' ? t.bytes : 0));
    if (!live || this.lastGrowth === undefined || bytes > this.bytes) this.lastGrowth = now;
    const stuck = live && pictureBytes > 0 && bytes > this.bytes && frames <= this.frames;
    if (!stuck) this.undecodedSince = undefined;
    else this.undecodedSince ??= now;
    const grew = bytes > this.bytes;
    this.bytes = bytes;
    this.frames = frames;
    const silence = now - this.lastGrowth;
    return {
      flowing: grew || (bytes > 0 && silence < HEALTH.quiet),
      stalled: live && silence >= HEALTH.stalled,
      undecodable: this.undecodedSince !== undefined && frames === 0 && now - this.undecodedSince >= HEALTH.undecodable,
    };
  }
}

function sum(snapshot: Snapshot, of: (t: Snapshot['inbound'][number]) => number): number {
  return snapshot.inbound.reduce((total, t) => total + of(t), 0);
}
