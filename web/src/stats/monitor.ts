// The shell: asks a connection for its statistics once a second and hands on the figures.

import { derive, type Figures } from './rates';
import { sample } from './sample';
import type { Snapshot } from './vocabulary';

export const SAMPLE_EVERY = 1_000; // ms

export class Monitor {
  private readonly onFigures: (figures: Figures, snapshot: Snapshot) => void;
  private connection: RTCPeerConnection | undefined;
  private earlier: Snapshot | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(onFigures: (figures: Figures, snapshot: Snapshot) => void) {
    this.onFigures = onFigures;
  }

  /** Looks at this connection from now on; undefined looks at none. */
  watch(connection: RTCPeerConnection | undefined): void {
    if (connection === this.connection) return;
    clearInterval(this.timer);
    this.connection = connection;
    this.earlier = undefined;
    if (connection) this.timer = setInterval(() => void this.take(), SAMPLE_EVERY);
  }

  close(): void {
    this.watch(undefined);
  }

  private async take(): Promise<void> {
    const connection = this.connection;
    if (!connection) return;
    const now = await sample(connection);
    if (connection !== this.connection) return;
    this.onFigures(derive(this.earlier, now), now);
    this.earlier = now;
  }
}
