import { describe, expect, it } from 'vitest';
import { type Fetch, HttpProblem, parseRetryAfter, ResourceClient } from './http';

interface Call {
  url: string;
  init: RequestInit;
}

/** Answers each request with the next response and remembers what was asked. */
function server(...answers: (Response | Error)[]): { fetch: Fetch; calls: Call[] } {
  const calls: Call[] = [];
  return {
    calls,
    fetch: async (url, init) => {
      calls.push({ url, init });
      const answer = answers.shift();
      if (!answer || answer instanceof Error) throw answer ?? new Error('no more answers');
      return answer;
    },
  };
}

const created = (): Response =>
  new Response('v=0\r\n', { status: 201, headers: { Location: '/whep/film/s1', ETag: '"e1"' } });
/** A session whose answer never arrives whole. */
const brokenOff = (): Response =>
  new Response(new ReadableStream({ pull: (to) => to.error(new TypeError('network')) }), {
    status: 201,
    headers: { Location: '/whep/film/s1' },
  });
const ENDPOINT = 'http://192.0.2.7:8080/whep/film';
const headersOf = (call: Call | undefined): Headers => new Headers(call?.init.headers);

async function failure(promise: Promise<unknown>): Promise<HttpProblem> {
  try {
    await promise;
  } catch (cause) {
    if (cause instanceof HttpProblem) return cause;
    throw cause;
  }
  throw new Error('it did not fail');
}

describe('POST', () => {
  it('sends the offer with the token and reads the session', async () => {
    const { fetch, calls } = server(created());
    const resource = await new ResourceClient(ENDPOINT, 'secret', fetch).post('offer');
    expect(resource).toEqual({ location: 'http://192.0.2.7:8080/whep/film/s1', etag: '"e1"', answer: 'v=0\r\n' });
    expect(calls[0]?.url).toBe(ENDPOINT);
    expect(calls[0]?.init).toMatchObject({ method: 'POST', body: 'offer', credentials: 'omit' });
    expect(headersOf(calls[0]).get('Content-Type')).toBe('application/sdp');
    expect(headersOf(calls[0]).get('Authorization')).toBe('Bearer secret');
  });

  it('sends no Authorization without a token', async () => {
    const { fetch, calls } = server(created());
    await new ResourceClient(ENDPOINT, undefined, fetch).post('offer');
    expect(headersOf(calls[0]).has('Authorization')).toBe(false);
  });

  it('reads problem documents', async () => {
    const body = JSON.stringify({ title: 'Too many', detail: 'Come back later.' });
    const { fetch } = server(
      new Response(body, {
        status: 429,
        headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '7' },
      }),
    );
    const problem = await failure(new ResourceClient(ENDPOINT, undefined, fetch).post('offer'));
    expect(problem).toMatchObject({ status: 429, retryAfter: 7, message: 'Come back later.' });
  });

  it.each([
    ['a page instead of a document', new Response('<h1>', { status: 502 }), 502],
    [
      'a broken document',
      new Response('{', { status: 400, headers: { 'Content-Type': 'application/problem+json' } }),
      400,
    ],
    ['no session', new Response('v=0', { status: 200 }), 200],
    ['no answer', new TypeError('failed to fetch'), 0],
    ['half an answer', brokenOff(), 0],
  ])('%s is a problem with a status', async (_, answer, status) => {
    const { fetch } = server(answer);
    expect((await failure(new ResourceClient(ENDPOINT, undefined, fetch).post('offer'))).status).toBe(status);
  });
});

describe('PATCH and DELETE', () => {
  it('restart with If-Match: * and take the new tag', async () => {
    const { fetch, calls } = server(
      created(),
      new Response('a=ice-ufrag:x', { status: 200, headers: { ETag: '"e2"' } }),
    );
    const client = new ResourceClient(ENDPOINT, 't', fetch);
    const resource = await client.post('offer');
    expect(await client.restart(resource, 'fragment')).toEqual({ fragment: 'a=ice-ufrag:x', etag: '"e2"' });
    expect(calls[1]).toMatchObject({ url: resource.location, init: { method: 'PATCH', body: 'fragment' } });
    expect(headersOf(calls[1]).get('If-Match')).toBe('*');
    expect(headersOf(calls[1]).get('Content-Type')).toBe('application/trickle-ice-sdpfrag');
  });

  it.each([404, 410, 412, 422])('a restart that is refused with %i is a problem', async (status) => {
    const { fetch } = server(created(), new Response(null, { status }));
    const client = new ResourceClient(ENDPOINT, 't', fetch);
    const resource = await client.post('offer');
    expect((await failure(client.restart(resource, 'fragment'))).status).toBe(status);
  });

  it('end the session even while the page is left, and never fail', async () => {
    const { fetch, calls } = server(created(), new TypeError('gone'));
    const client = new ResourceClient(ENDPOINT, 't', fetch);
    await client.remove(await client.post('offer'));
    expect(calls[1]?.init).toMatchObject({ method: 'DELETE', keepalive: true });
    expect(headersOf(calls[1]).get('Authorization')).toBe('Bearer t');
  });
});

describe('Retry-After', () => {
  it.each([
    ['5', 5],
    [' 10 ', 10],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['-1', undefined],
    [null, undefined],
  ])('%s', (header, want) => {
    expect(parseRetryAfter(header)).toBe(want);
  });
});
