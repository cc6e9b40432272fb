// The viewer's end of a direct way: it waits for the source's offer and shows what comes.

import type { Signal } from './envelope';
import { NO_CHOICE, type Path } from './path';
import { PeerLink } from './peer-link';
import type { Picture } from './picture';
import { SideClock } from './side-clock';

export interface PeerPathOptions {
  way: number;
  topology: 'star' | 'tree';
  stun: string | undefined;
  send(signal: Signal): void;
  lost(): void;
}

export class PeerPath implements Path {
  readonly topology: 'star' | 'tree';
  readonly stream = new MediaStream();
  readonly connection: RTCPeerConnection;
  private readonly link: PeerLink;

  constructor(options: PeerPathOptions) {
    this.topology = options.topology;
    this.link = new PeerLink(options);
    this.connection = this.link.connection;
    this.connection.addEventListener('track', ({ track }) => this.stream.addTrack(track));
  }

  /** What the source says. A viewer takes offers and candidates, and answers nobody else. */
  hear(signal: Signal): void {
    if (!('answer' in signal)) this.link.hear(signal);
  }

  otherClock(now: () => number): SideClock {
    return new SideClock(this.link.side, now);
  }

  /** A source sends one quality. */
  picture(): Promise<Picture> {
    return Promise.resolve(NO_CHOICE);
  }

  close(): void {
    this.link.close();
  }
}
