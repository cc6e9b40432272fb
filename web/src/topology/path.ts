// The way a viewer gets the stream, behind one interface. The player and the policy of
// rejoining know nothing else, so that other ways can stand beside the one through the server.

import type { LegState } from './leg';
import type { Picture, Wish } from './picture';
import type { Session } from './reconnect';

export type Topology = 'sfu';

export interface Path extends Session {
  readonly topology: Topology;
  /** What arrives. Tracks may be there from the start and stay silent until media comes. */
  readonly stream: MediaStream;
  /** What there is of the picture and what comes; wish tells first what is wanted. Throws HttpProblem. */
  picture(wish: Wish | undefined): Promise<Picture>;
}

export interface PathOptions {
  /** URL or path of the WHEP endpoint. */
  url: string;
  token: string | undefined;
  stun: string | undefined;
  onState(state: LegState): void;
}
