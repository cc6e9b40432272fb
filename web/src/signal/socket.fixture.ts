// Stands for the browser's WebSocket, and for the page round it, where tests are of what a page does with what the
// server says: what is sent is not heard.

import { vi } from 'vitest';
import type { ServerMessage } from './msg.gen';

export class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  readyState = 0;
  send = (): void => undefined;

  opens(): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  says(message: ServerMessage): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }

  close(): void {
    this.readyState = 3;
  }
}

/** Puts them in the browser's place until vi.unstubAllGlobals(), and gives those that were made. page: more of its window. */
export function stubSockets(page: object = {}): FakeSocket[] {
  const made: FakeSocket[] = [];
  class Made extends FakeSocket {
    constructor() {
      super();
      made.push(this);
    }
  }
  vi.stubGlobal('WebSocket', Made);
  vi.stubGlobal('window', Object.assign(new EventTarget(), { location: { protocol: 'http:', host: 'host' } }, page));
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  return made;
}
