// The stream of a comparison at the server: made with the publish key, ended when it is over.

import { pageNow, SignalClient, signalUrl } from '../signal/client';
import type { ClockReading } from '../signal/clock';
import type { ClientMessage, ServerMessage, ViewerFigures, Welcome } from '../signal/msg.gen';
import { wordsFor } from '../signal/words';

/** The key is missing or wrong. */
export class KeyNeeded extends Error {
  override readonly name = 'KeyNeeded';
}

export interface RoomEvents {
  /** The server has gone, has closed the stream, or another page has it: words for people. */
  lost(words: string): void;
  /** A further device tells what it sees. */
  told(figures: ViewerFigures): void;
  /** Anything else that the server says. */
  heard(message: ServerMessage): void;
}

const REPLACED = 'Another page or program publishes under this link now.';

const CLOCK_TIME = 1_500; // ms; several pings over a usual line

export class Room {
  readonly welcome: Welcome;
  /** How the server's clock lies to the page's: measured once, so that it does not move while others are measured. */
  readonly clock: ClockReading;
  private readonly client: SignalClient;

  private constructor(client: SignalClient, welcome: Welcome, clock: ClockReading) {
    this.client = client;
    this.welcome = welcome;
    this.clock = clock;
  }

  /** Throws KeyNeeded, or an Error with words for people. */
  static async open(key: string, { lost, told, heard }: RoomEvents): Promise<Room> {
    let settle: ((welcome: Welcome | Error) => void) | undefined;
    const answered = new Promise<Welcome | Error>((resolve) => {
      settle = resolve;
    });
    const client = new SignalClient(
      signalUrl(window.location),
      { room: { kind: 'stream', name: '' }, role: 'publisher', token: key },
      {
        link: (link) => {
          if (link.phase === 'refused') {
            const words = link.text || wordsFor(link.code);
            settle?.(link.code === 'unauthorised' ? new KeyNeeded(words) : new Error(words));
            lost(words);
          } else if (link.phase === 'replaced') {
            lost(REPLACED);
          } else if (link.phase === 'waiting') {
            settle?.(new Error('The server cannot be reached.'));
            lost('The connection to the server was lost.');
          }
        },
        message: (message) => {
          if (message.type === 'viewer-figures') told(message);
          if (message.type !== 'welcome') return heard(message);
          settle?.(message);
          client.send({ type: 'ask-figures', wanted: true });
        },
      },
    );
    client.start();
    const welcome = await answered;
    if (welcome instanceof Error) {
      client.stop();
      throw welcome;
    }
    client.measureClock();
    await new Promise((resolve) => setTimeout(resolve, CLOCK_TIME));
    client.send({ type: 'set-state', state: 'live', title: 'A comparison' });
    return new Room(client, welcome, client.clock() ?? { offset: 0, roundTrip: Number.POSITIVE_INFINITY });
  }

  /** ms since the epoch by the page's clock. */
  now(): number {
    return pageNow();
  }

  send(message: ClientMessage): void {
    this.client.send(message);
  }

  /** Ends the stream. */
  close(): void {
    this.client.send({ type: 'stop' });
    this.client.stop();
  }
}
