// The path through the server: a WHEP session (draft-ietf-wish-whep-03). The offer always holds
// one audio and one video m-line, both recvonly, because there is no renegotiation: a publisher
// who comes back with sound finds the m-line waiting.

import { offerExtensions } from './extensions';
import { Leg, type LegState } from './leg';
import type { Path, ServerOptions } from './path';
import type { Picture, Wish } from './picture';
import type { Session } from './reconnect';

export interface SfuOptions extends ServerOptions {
  onState(state: LegState): void;
}

export class SfuPath implements Path, Session {
  readonly topology = 'sfu';
  readonly stream: MediaStream;
  readonly connection: RTCPeerConnection;
  private readonly leg: Leg;

  constructor(options: SfuOptions) {
    this.leg = new Leg({ ...options, receives: true });
    this.connection = this.leg.connection;
    const receivers = (['audio', 'video'] as const).map((kind) => {
      const transceiver = this.connection.addTransceiver(kind, { direction: 'recvonly' });
      offerExtensions(transceiver);
      return transceiver.receiver;
    });
    this.stream = new MediaStream(receivers.map((r) => r.track));
  }

  open(): Promise<void> {
    return this.leg.open();
  }

  restart(): Promise<void> {
    return this.leg.restart();
  }

  picture(wish: Wish | undefined): Promise<Picture> {
    return this.leg.picture(wish);
  }

  orphan(): void {
    this.leg.orphan();
  }

  close(): void {
    this.leg.close();
  }
}
