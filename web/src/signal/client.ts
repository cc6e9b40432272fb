// The shell round SignalCore: one WebSocket, one timer, and the browser's hints that the
// network is back. It decides nothing.

import { type After, pageTimer } from './after';
import type { ClockReading } from './clock';
import { type Identity, type Input, type Link, type Output, SignalCore } from './core';
import type { ClientMessage, ServerMessage } from './msg.gen';

export interface SignalHandlers {
  link(link: Link): void;
  message(message: ServerMessage): void;
  /** The server was restarted; called before the Welcome of the new one is handed on. */
  restarted?(): void;
}

/** The address of /ws on the server that served the page. */
export function signalUrl(location: { protocol: string; host: string }): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/ws`;
}

/** The page's clock: ms since the epoch, and it never jumps back while the page is open. */
export function pageNow(): number {
  return performance.timeOrigin + performance.now();
}

export class SignalClient {
  private readonly url: string;
  private readonly handlers: SignalHandlers;
  private readonly core: SignalCore;
  private socket: WebSocket | undefined;
  private readonly after: After;
  private disarm: (() => void) | undefined;
  private readonly hurry = (): void => {
    if (document.visibilityState === 'visible') this.feed({ kind: 'hurry' });
  };

  constructor(url: string, identity: Identity, handlers: SignalHandlers, after: After = pageTimer) {
    this.url = url;
    this.handlers = handlers;
    this.after = after;
    this.core = new SignalCore(identity, Math.random);
  }

  start(): void {
    window.addEventListener('online', this.hurry);
    window.addEventListener('pageshow', this.hurry);
    document.addEventListener('visibilitychange', this.hurry);
    this.feed({ kind: 'start' });
  }

  /** Sends when the connection is open, else the message is dropped: the next Welcome starts from a clean state. */
  send(message: ClientMessage): void {
    this.feed({ kind: 'send', message });
  }

  /** Changes who this endpoint is (a password, a key, a name) and connects anew. */
  identify(change: Partial<Identity>): void {
    this.feed({ kind: 'identify', change });
  }

  /** How the server's clock lies to pageNow(); undefined until the first answer. */
  clock(): ClockReading | undefined {
    return this.core.clock();
  }

  /** Makes clock() as good as it can be, soon. */
  measureClock(): void {
    this.feed({ kind: 'clock' });
  }

  stop(): void {
    window.removeEventListener('online', this.hurry);
    window.removeEventListener('pageshow', this.hurry);
    document.removeEventListener('visibilitychange', this.hurry);
    this.feed({ kind: 'stop' });
  }

  private feed(input: Input): void {
    const outputs = this.core.step(input, pageNow());
    this.arm();
    for (const output of outputs) this.carryOut(output);
  }

  private carryOut(output: Output): void {
    switch (output.kind) {
      case 'connect':
        this.connect();
        break;
      case 'transmit':
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(output.text);
        break;
      case 'drop':
        this.drop();
        break;
      case 'link':
        this.handlers.link(output.link);
        break;
      case 'message':
        this.handlers.message(output.message);
        break;
      case 'restarted':
        this.handlers.restarted?.();
        break;
    }
  }

  private connect(): void {
    this.drop();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    // Events of a socket that has been given up are not heard any more.
    const current = (input: Input) => (): void => {
      if (this.socket === socket) this.feed(input);
    };
    socket.addEventListener('open', current({ kind: 'opened' }));
    socket.addEventListener('close', current({ kind: 'lost' }));
    socket.addEventListener('message', (event: MessageEvent) => {
      if (this.socket === socket && typeof event.data === 'string') this.feed({ kind: 'received', text: event.data });
    });
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = undefined;
    socket?.close(1000);
  }

  private arm(): void {
    this.disarm?.();
    const due = this.core.deadline();
    if (due === undefined) return;
    this.disarm = this.after(Math.max(0, due - pageNow()), () => this.feed({ kind: 'tick' }));
  }
}
