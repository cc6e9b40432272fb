// A way to a peer with its two channels, whatever it is made of: a peer connection (conn.ts), or the
// server's relay (relay.ts).

import type { Bytes } from '../bytes';

export type Take = (message: Bytes) => void;

/** Carries whole messages. What comes before somebody listens is kept. */
export interface Port {
  readonly open: boolean;
  /** Bytes that were handed over and have not left. */
  readonly buffered: number;
  listen(take: Take): void;
  /** Hands on the next message alone; what follows is kept again. */
  once(take: Take): void;
  /** Whether the message is on its way. It has been copied by then. */
  send(message: Bytes): boolean;
  /** Resolves when there is room for more, or the port is closed. */
  room(): Promise<void>;
}

export interface Way {
  readonly control: Port;
  readonly lane: Port;
  /** Bytes of the largest message that it carries. */
  readonly largest: number;
  /** Nothing comes by it at the moment, as when the network has changed. It may come back, or be found to have ended. */
  readonly silent: boolean;
  /** Whether it leads through somebody else; undefined while that is not known. */
  relayed(): Promise<boolean | undefined>;
  /** Who hears of the end from now on. It hears of it at once when it has come. */
  onGone(gone: () => void): void;
  /** May be called more than once. */
  close(): void;
}

/** What has come on a port. */
export class Inbox {
  private early: Bytes[] | undefined = [];
  private take: Take = (message) => this.early?.push(message);

  put(message: Bytes): void {
    this.take(message);
  }

  listen(take: Take): void {
    const early = this.early ?? [];
    this.early = undefined;
    this.take = take;
    for (const message of early) take(message);
  }

  once(take: Take): void {
    const [first, ...rest] = this.early ?? [];
    if (first) {
      this.early = rest;
      take(first);
      return;
    }
    this.take = (message) => {
      this.early = [];
      this.take = (next) => this.early?.push(next);
      take(message);
    };
  }
}
