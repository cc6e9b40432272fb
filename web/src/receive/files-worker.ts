// The service worker of receiving pages: answers requests below /f/{room}/bytes/ with bytes that a page
// of ours has, so that a player can play and the browser can download what is still coming. It keeps
// nothing and decides nothing: whatever it is asked, it asks the pages. All other requests go their way.
//
// It imports nothing, since the build gives it one file under a name that stays.

import type { ByteAnswer, ByteAsk } from './served';

interface Page {
  postMessage(message: ByteAsk, transfer: Transferable[]): void;
}

interface FetchEvent extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
  waitUntil(work: Promise<unknown>): void;
}

interface Scope extends EventTarget {
  readonly clients: { matchAll(how: object): Promise<readonly Page[]>; claim(): Promise<void> };
  skipWaiting(): Promise<void>;
}

const scope = self as unknown as Scope;
const PATH = /^\/f\/[\w-]{1,64}\/bytes\/([\w-]{22})\/(\d{1,6})$/u;
/** How long the pages may take to answer (ms). */
const WITHIN = 10_000;

scope.addEventListener('install', () => void scope.skipWaiting());
scope.addEventListener('activate', (event) => (event as FetchEvent).waitUntil(scope.clients.claim()));
// A page that was loaded past this worker wants it, or one keeps it awake while something flows.
scope.addEventListener('message', (event) => {
  const { data } = event as MessageEvent<unknown>;
  if (data === 'claim') (event as FetchEvent).waitUntil(scope.clients.claim());
});
scope.addEventListener('fetch', (event) => {
  const { request } = event as FetchEvent;
  const [, key, file] = PATH.exec(new URL(request.url).pathname) ?? [];
  if (key === undefined || request.method !== 'GET') return;
  let over: () => void = () => undefined;
  (event as FetchEvent).waitUntil(new Promise<void>((resolve) => (over = resolve)));
  const ask = { kind: 'bytes', key, file: Number(file), range: request.headers.get('range') } as const;
  (event as FetchEvent).respondWith(respond(ask, over));
});

async function respond(ask: ByteAsk, over: () => void): Promise<Response> {
  const found = await firstAnswer(ask);
  if (!found) {
    over();
    return new Response(null, { status: 404 });
  }
  const { port, status, headers } = found;
  return new Response(bodyOf(port, over), { status, headers });
}

interface Found {
  port: MessagePort;
  status: number;
  headers: Record<string, string>;
}

/** The page that has what is asked for; undefined when none says so in time. */
async function firstAnswer(ask: ByteAsk): Promise<Found | undefined> {
  const pages = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return new Promise((resolve) => {
    setTimeout(resolve, WITHIN, undefined);
    for (const page of pages) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }: MessageEvent<ByteAnswer>) => {
        if (data.kind === 'head') resolve({ port: port1, status: data.status, headers: data.headers });
      };
      page.postMessage(ask, [port2]);
    }
  });
}

/** What the page gives, piece by piece, no faster than it is taken. */
function bodyOf(port: MessagePort, over: () => void): ReadableStream<Uint8Array> {
  const more = (): Promise<ByteAnswer> => {
    const answer = new Promise<ByteAnswer>((resolve) => {
      port.onmessage = ({ data }: MessageEvent<ByteAnswer>) => resolve(data);
    });
    port.postMessage('more');
    return answer;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const answer = await more();
        if (answer.kind === 'bytes') return controller.enqueue(answer.bytes);
        over();
        if (answer.kind === 'end') controller.close();
        else controller.error(new Error('the page has ended it'));
      },
      cancel() {
        port.postMessage('stop');
        over();
      },
    },
    { highWaterMark: 0 },
  );
}
