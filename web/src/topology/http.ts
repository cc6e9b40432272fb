// The HTTP half of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03), which is the same in
// both: POST an offer, PATCH a fragment, DELETE the session. Errors are problem documents (RFC 9457).

import { type Picture, readPicture, type Wish } from './picture';

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** A session that the server has made. */
export interface Resource {
  /** Absolute URL of the session. */
  location: string;
  /** The entity tag with its quotes, as it came; absent when the server gives none. */
  etag: string | undefined;
  /** The SDP answer. */
  answer: string;
}

/** Why a request failed, for machines (status, retryAfter) and for people (message). */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  /** HTTP status, 0 when there was no answer at all. */
  readonly status: number;
  /** Seconds, when the server asked for a pause. */
  readonly retryAfter: number | undefined;

  constructor(status: number, text: string, retryAfter?: number) {
    super(text);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const POST_TIMEOUT = 10_000; // ms; the server's own limit for a slow body is as long

export class ResourceClient {
  private readonly url: string;
  private readonly token: string | undefined;
  private readonly fetch: Fetch;

  /** url is that of the WHIP or WHEP endpoint; token goes into Authorization. */
  constructor(url: string, token: string | undefined, fetcher: Fetch = (input, init) => fetch(input, init)) {
    this.url = url;
    this.token = token;
    this.fetch = fetcher;
  }

  /** Makes a session. It cannot be called off: the server may have made it already, and then it must be ended. Throws HttpProblem. */
  async post(offer: string): Promise<Resource> {
    const response = await this.request(this.url, {
      method: 'POST',
      headers: this.headers({ 'Content-Type': 'application/sdp', Accept: 'application/sdp' }),
      body: offer,
      signal: AbortSignal.timeout(POST_TIMEOUT),
    });
    const location = response.headers.get('Location');
    if (response.status !== 201 || !location) throw new HttpProblem(response.status, 'The server gave no session.');
    return {
      location: new URL(location, response.url || this.url).href,
      etag: response.headers.get('ETag') ?? undefined,
      answer: await body(response),
    };
  }

  /**
   * Asks for an ICE restart (RFC 9725 section 4.3.2) and returns the server's fragment and its
   * new entity tag. Throws HttpProblem; after 404 or 410 the session is gone and a new POST is due.
   */
  async restart(resource: Resource, fragment: string): Promise<{ fragment: string; etag: string | undefined }> {
    const response = await this.request(resource.location, {
      method: 'PATCH',
      headers: this.headers({ 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' }),
      body: fragment,
      signal: AbortSignal.timeout(POST_TIMEOUT),
    });
    if (response.status !== 200) throw new HttpProblem(response.status, 'The server did not restart the connection.');
    return { fragment: await body(response), etag: response.headers.get('ETag') ?? undefined };
  }

  /** Tells what is wanted of the picture, or asks alone, and returns what there is. Throws HttpProblem. */
  async picture(resource: Resource, wish: Wish | undefined): Promise<Picture> {
    const response = await this.request(`${resource.location}/layers`, {
      ...(wish ? { method: 'POST', body: JSON.stringify(wish) } : { method: 'GET' }),
      headers: this.headers(wish ? { 'Content-Type': 'application/json' } : {}),
      signal: AbortSignal.timeout(POST_TIMEOUT),
    });
    try {
      return readPicture(JSON.parse(await body(response)));
    } catch (cause) {
      throw cause instanceof HttpProblem ? cause : new HttpProblem(0, 'The server’s answer is not JSON.');
    }
  }

  /** Ends the session. It is sent even while the page is being left, and its failure has no consequence. */
  async remove(resource: Resource): Promise<void> {
    try {
      await this.fetch(resource.location, { method: 'DELETE', headers: this.headers({}), keepalive: true });
    } catch {
      // The server forgets a session that is silent; there is nothing else to do about it.
    }
  }

  private headers(more: Record<string, string>): Record<string, string> {
    return this.token ? { ...more, Authorization: `Bearer ${this.token}` } : more;
  }

  private async request(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetch(url, { ...init, cache: 'no-store', credentials: 'omit', redirect: 'follow' });
    } catch {
      throw new HttpProblem(0, 'The server cannot be reached.');
    }
    if (!response.ok) throw await problem(response);
    return response;
  }
}

/** The text of an answer. One that breaks off on its way is as good as none. */
async function body(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch {
    throw new HttpProblem(0, 'The server’s answer broke off.');
  }
}

/** Reads a problem document, or makes the best of any other answer. */
export async function problem(response: Response): Promise<HttpProblem> {
  const retryAfter = parseRetryAfter(response.headers.get('Retry-After'));
  let text = '';
  if (/^application\/problem\+json\b/i.test(response.headers.get('Content-Type') ?? '')) {
    try {
      const body: unknown = await response.json();
      text = textOf(body, 'detail') || textOf(body, 'title');
    } catch {
      // A broken document tells no more than its status.
    }
  }
  return new HttpProblem(response.status, text || `The server answered ${response.status}.`, retryAfter);
}

/** Retry-After in seconds; the form with a date is not used by our server and is ignored. */
export function parseRetryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) : undefined;
}

function textOf(body: unknown, member: 'detail' | 'title'): string {
  const value = (body as Record<string, unknown> | null)?.[member];
  return typeof value === 'string' ? value.slice(0, 300) : '';
}
