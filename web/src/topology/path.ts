// The way a viewer gets the stream, behind one interface. The player and the policy of
// rejoining know nothing else, so that other ways can stand beside the one through the server.

import type { LegState } from './leg';

export type Topology = 'sfu';

export interface Path {
  readonly topology: Topology;
  /** What arrives. Tracks may be there from the start and stay silent until media comes. */
  readonly stream: MediaStream;
  /** For the figures. */
  readonly connection: RTCPeerConnection;
  /** Throws HttpProblem when the server does not take the offer. */
  open(): Promise<void>;
  /** Finds the network way anew without losing the session. Throws when that cannot be. */
  restart(): Promise<void>;
  /** The server has forgotten the session: from now on nothing is said about it. */
  orphan(): void;
  close(): void;
}

export interface PathOptions {
  /** URL or path of the WHEP endpoint. */
  url: string;
  token: string | undefined;
  stun: string | undefined;
  onState(state: LegState): void;
}
