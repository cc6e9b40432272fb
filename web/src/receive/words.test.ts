import { describe, expect, it } from 'vitest';
import type { PeerStatus } from '../mesh/peer/config';
import { browserName, endWords, fromWords, linkWords, roomWords, stallWords } from './words';

describe('words', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36', 'Chrome on Windows'],
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1', 'Safari on iPhone'],
    ['Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537.36 Chrome/140.0 Safari/537.36', 'Chrome on Android'],
    ['something else', 'A browser'],
  ])('calls %s a browser on a system', (agent, name) => {
    expect(browserName(agent)).toBe(name);
  });

  it('has words and advice for each end', () => {
    const all = [
      ...(['not a link', 'cut', 'version', 'damaged'] as const).map(linkWords),
      ...(['not-found', 'password', 'expired', 'closed', 'full', 'internal'] as const).map((code) =>
        roomWords({ phase: 'refused', code, text: '' }),
      ),
      roomWords({ phase: 'replaced' }),
      ...(['denied', 'full', 'password', 'expired', 'removed', 'closed'] as const).map((reason) =>
        endWords({ kind: 'refused', reason }),
      ),
      ...([true, false] as const).map((full) => endWords({ kind: 'storage', full })),
      endWords({ kind: 'changed' }),
      endWords({ kind: 'manifest' }),
    ];
    for (const { title, advice } of all) {
      expect(title).toMatch(/^[A-Z].*\.$/u);
      expect(advice).toMatch(/^[A-Z].*\.$/u);
    }
    expect(stallWords('no-piece')).toMatch(/missing/u);
  });

  it('has a reason for each stall', () => {
    const stalls = ['no-server', 'no-uploader', 'no-answer', 'not-linked', 'no-list', 'no-piece', 'paused'] as const;
    const more = ['quiet', 'hidden', 'disk', 'download'] as const;
    const words = [...stalls, ...more].map(stallWords);
    expect(new Set(words).size).toBe(words.length);
    for (const one of words) expect(one).toMatch(/^[A-Z].*[.…]$/u);
  });

  const peer = (rate: number, relayed: boolean): PeerStatus => ({
    ...{ key: '', name: '', uploader: false, held: 0, complete: false, up: 0, down: 0, state: 'running' },
    ...{ sent: 0, taken: 0, rate, relayed },
  });
  it.each([
    ['nobody connected', []],
    ['2 peers connected', [peer(0, false), peer(0, false)]],
    ['1 peer connected, relayed', [peer(0, true)]],
    ['from 1 peer', [peer(5, false)]],
    ['from 1 of 3 peers', [peer(5, false), peer(0, true), peer(0, false)]],
    ['from 1 of 2 peers, relayed', [peer(5, true), peer(0, false)]],
    ['from 3 peers, 1 of them relayed', [peer(5, true), peer(5, false), peer(9, false)]],
    ['from 2 peers, relayed', [peer(5, true), peer(5, true)]],
  ])('says %s', (words, peers) => {
    expect(fromWords(peers)).toBe(words);
  });
});
