import type { Bytes } from '../bytes';
import type { Socket } from './relay';

/** The server between two, which a test may have tamper with messages. */
export class Wire implements Socket {
  bufferedAmount = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  other: Wire | undefined;
  closed = false;
  readonly texts: string[] = [];
  /** What becomes of a message on its way: what arrives in its place. */
  change: (message: ArrayBuffer) => unknown[] = (message) => [message];

  send(message: string | Bytes): void {
    if (typeof message === 'string') this.texts.push(message);
    else for (const one of this.change(message.slice().buffer)) this.other?.onmessage?.({ data: one });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onclose?.();
    this.other?.close();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}
