// The way a viewer gets the stream, behind one interface. The player, the figures and the decision which
// way is shown (switch.ts) know nothing else, so that ways of any kind can stand beside each other. Plain HTTP
// brings no stream, but a file that an element plays itself (play.ts): it lies over what paths show.

import type { Picture, Wish } from './picture';
import type { SideClock } from './side-clock';

/** sfu: by the server. star: straight from the uploader. tree: another viewer passes it on. http: as a file that grows. */
export type Topology = 'sfu' | 'star' | 'tree' | 'http';

export interface Path {
  readonly topology: Topology;
  /** What arrives. Tracks may be there from the start and stay silent until media comes. */
  readonly stream: MediaStream;
  /** What carries it, for figures; undefined where no peer connection does. */
  readonly connection: RTCPeerConnection | undefined;
  /** Learns the clock of the other end, beside the media; not by the server, which answers on /ws. now: by this page's. */
  otherClock?(now: () => number): SideClock;
  /** What there is of the picture and what comes; wish tells first what is wanted. May throw HttpProblem. */
  picture(wish: Wish | undefined): Promise<Picture>;
  close(): void;
}

/** What a path without qualities to choose from says of its picture. */
export const NO_CHOICE: Picture = { qualities: [], current: undefined, estimate: undefined, bound: undefined };

/** Where the WHEP endpoint is. */
export interface ServerOptions {
  /** URL or path. */
  url: string;
  token: string | undefined;
  stun: string | undefined;
}
