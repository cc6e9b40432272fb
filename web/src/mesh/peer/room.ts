// The room at the server, as a peer uses it: what is said there, no faster than the server allows
// (docs/MESH.md, section 8). The connection itself is SignalClient's.

import type { After } from '../../signal/after';
import { SignalClient, signalUrl } from '../../signal/client';
import type { Link as Connection, Identity as Member } from '../../signal/core';
import type { ClientMessage, ServerMessage } from '../../signal/msg.gen';
import { toBase64 } from '../base64';
import type { Bytes } from '../bytes';

export interface RoomHandlers {
  link(link: Connection): void;
  message(message: ServerMessage): void;
}

/** The server allows bursts of 400 messages, then 40 a second. */
const AT_ONCE = 350;
const A_SECOND = 35;
/** More than this is dropped: whoever waits for an answer asks again. */
const LONGEST_QUEUE = 4096;

export class Room {
  private readonly client: SignalClient;
  private queue: ClientMessage[] = [];
  private allowed = AT_ONCE;
  private at = performance.now();
  private readonly after: After;
  private disarm: () => void = () => undefined;

  constructor(member: Member, after: After, on: RoomHandlers) {
    this.after = after;
    const handlers = {
      link: (link: Connection) => on.link(link),
      message: (message: ServerMessage) => {
        // What waited for a connection under another name could be opened by nobody.
        if (message.type === 'welcome') this.queue = [];
        on.message(message);
      },
    };
    this.client = new SignalClient(signalUrl(window.location), member, handlers, after);
  }

  start(): void {
    this.client.start();
  }

  stop(): void {
    this.disarm();
    this.client.stop();
  }

  identify(change: Partial<Member>): void {
    this.client.identify(change);
  }

  envelope(to: string, sealed: Bytes): void {
    this.send({ type: 'send', to, sealed: toBase64(sealed) });
  }

  send(message: ClientMessage): void {
    if (this.queue.length < LONGEST_QUEUE) this.queue.push(message);
    this.pump();
  }

  private pump(): void {
    const now = performance.now();
    this.allowed = Math.min(AT_ONCE, this.allowed + ((now - this.at) / 1000) * A_SECOND);
    this.at = now;
    while (this.allowed >= 1) {
      const next = this.queue.shift();
      if (!next) return;
      this.allowed -= 1;
      this.client.send(next);
    }
    this.disarm();
    this.disarm = this.after(1000 / A_SECOND, () => this.pump());
  }
}
