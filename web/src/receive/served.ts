// The page's side of its service worker (files-worker.ts): what is asked for below an address of this
// page is answered by the page, piece by piece, no faster than it is taken.

import { toBase64 } from '../mesh/base64';
import type { Bytes } from '../mesh/bytes';
import { random } from '../mesh/keys';

/** What the worker asks pages for. */
export interface ByteAsk {
  kind: 'bytes';
  key: string;
  file: number;
  range: string | null;
}

/** What a page answers: a head, then a piece each time that more is wanted. */
export type ByteAnswer =
  | { kind: 'head'; status: number; headers: Record<string, string> }
  | { kind: 'bytes'; bytes: Bytes }
  | { kind: 'end' }
  | { kind: 'fault' };

/** Something that is given out. */
export interface Flowing {
  status: number;
  headers: Record<string, string>;
  /** The next bytes, however long they take to come; undefined at the end. */
  next(): Promise<Bytes | undefined>;
  /** Nobody wants more. */
  stop(): void;
}

/** Answers for a file; undefined when there is nothing under that number. */
export type Answerer = (file: number, range: string | null) => Flowing | undefined;

const SCRIPT = '/files-worker.js';
const SCOPE = '/f/';
/** Browsers end a worker that is idle, also while what it answers waits for bytes (ms). */
const AWAKE_EVERY = 10_000;
/** How long a worker may take to begin (ms). */
const WITHIN = 10_000;

export const canServe = (): boolean => 'serviceWorker' in navigator;

export class Served {
  private readonly key = toBase64(random(16));
  private readonly answer: Answerer;
  private readonly room: string;
  private flowing = 0;
  private awake: ReturnType<typeof setInterval> | undefined;

  /** Undefined where the browser lets no worker in, as in some private windows. */
  static async open(room: string, answer: Answerer): Promise<Served | undefined> {
    if (!canServe()) return undefined;
    try {
      const { serviceWorker } = navigator;
      const served = new Served(room, answer);
      serviceWorker.addEventListener('message', ({ data, ports: [port] }: MessageEvent<ByteAsk>) => {
        if (port && data.kind === 'bytes' && data.key === served.key) served.asked(data, port);
      });
      serviceWorker.startMessages();
      await serviceWorker.register(SCRIPT, { scope: SCOPE });
      await controlled(serviceWorker);
      return served;
    } catch {
      return undefined;
    }
  }

  private constructor(room: string, answer: Answerer) {
    this.room = room;
    this.answer = answer;
  }

  /** Where a file is to be asked for. */
  url(file: number): string {
    return `/f/${this.room}/bytes/${this.key}/${file}`;
  }

  private asked({ file, range }: ByteAsk, port: MessagePort): void {
    const flowing = this.answer(file, range);
    if (!flowing) return;
    this.begins();
    let over = false;
    const end = (): void => {
      if (!over) this.ends();
      over = true;
    };
    const say = (answer: ByteAnswer): void => port.postMessage(answer);
    port.onmessage = async ({ data }: MessageEvent<'more' | 'stop'>) => {
      if (data === 'stop') {
        flowing.stop();
        return end();
      }
      try {
        const bytes = await flowing.next();
        if (bytes) return say({ kind: 'bytes', bytes });
        say({ kind: 'end' });
      } catch {
        say({ kind: 'fault' });
      }
      end();
    };
    say({ kind: 'head', status: flowing.status, headers: flowing.headers });
  }

  private begins(): void {
    this.flowing += 1;
    this.awake ??= setInterval(() => navigator.serviceWorker.controller?.postMessage('awake'), AWAKE_EVERY);
  }

  private ends(): void {
    this.flowing -= 1;
    if (this.flowing > 0) return;
    clearInterval(this.awake);
    this.awake = undefined;
  }
}

/** Requests of this page go through the worker from then on. Fails when that takes too long. */
async function controlled(container: ServiceWorkerContainer): Promise<void> {
  const { active } = await container.ready;
  if (container.controller) return;
  await new Promise<void>((resolve, reject) => {
    setTimeout(() => reject(new Error('the worker does not begin')), WITHIN);
    container.addEventListener('controllerchange', () => resolve(), { once: true });
    active?.postMessage('claim'); // a page that was loaded past its worker
  });
}
