import { afterEach, describe, expect, it, vi } from 'vitest';
import { HttpProblem } from './http';
import { HttpPlayer } from './play';

/** A player before a server that gives this answer, and what it asked. */
function player(answer: Response | Error): { player: HttpPlayer; asked: RequestInit[] } {
  const asked: RequestInit[] = [];
  const made = new HttpPlayer({
    url: 'http://192.0.2.7/play/film',
    token: 'secret',
    onEnd: () => undefined,
    fetch: async (_, init) => {
      asked.push(init);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { player: made, asked };
}

const created = (): Response =>
  new Response('{"type":"video/webm;codecs=vp8"}', { status: 201, headers: { Location: '/play/film/cap' } });

afterEach(() => vi.unstubAllGlobals());

describe('asking for a recording', () => {
  it('shows the token, and never in the address', async () => {
    vi.stubGlobal('ManagedMediaSource', { isTypeSupported: (type: string) => type === 'video/webm;codecs=vp8' });
    const { player: p, asked } = player(created());
    await p.open();
    expect(asked[0]).toMatchObject({
      method: 'POST',
      headers: { Authorization: 'Bearer secret' },
      credentials: 'omit',
    });
  });

  it('tells when the browser cannot play it', async () => {
    vi.stubGlobal('MediaSource', { isTypeSupported: () => false });
    await expect(player(created()).player.open()).rejects.toMatchObject({ name: 'NotSupportedError' });
  });

  it('tells when nobody records, and when nobody answers', async () => {
    const none = new Response('{}', { status: 404, headers: { 'Retry-After': '2' } });
    await expect(player(none).player.open()).rejects.toMatchObject({ status: 404, retryAfter: 2 });
    await expect(player(new TypeError('offline')).player.open()).rejects.toBeInstanceOf(HttpProblem);
  });

  it('has figures before anything has come', () => {
    expect(player(created()).player.snapshot().inbound).toMatchObject([{ kind: 'video', framesDecoded: 0, bytes: 0 }]);
  });
});
