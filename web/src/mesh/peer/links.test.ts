import { describe, expect, it } from 'vitest';
import type { Link } from './link';
import { Links, staysBeside } from './links';
import type { Peer } from './swarm';

const made = (attempt: number, ours: boolean) => ({ attempt: Uint8Array.of(attempt), ours });

describe('two connections to one peer', () => {
  it('leave the same one at both ends when two offers crossed', () => {
    for (const [first, second] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const here = staysBeside(made(first, true), made(second, false), 0);
      // The other side offered the second, and may have seen the two in the other order.
      expect(staysBeside(made(first, false), made(second, true), 0)).toBe(here);
      expect(staysBeside(made(second, true), made(first, false), 0)).toBe(!here);
    }
  });

  it('leave the newer one when the other side has come again', () => {
    expect(staysBeside(made(2, false), made(1, false), 0)).toBe(false);
    expect(staysBeside(made(2, true), made(1, false), 60_000)).toBe(false);
  });
});

describe('a connection by which nothing comes', () => {
  const linked = (silent: boolean): Links => {
    const links = new Links({} as Peer);
    const [own, peer] = [Uint8Array.of(1), Uint8Array.of(2)];
    links.all.set('peer', { conn: { silent }, pair: { own }, peer, since: 0 } as unknown as Link);
    return links;
  };

  it('is left alone while something comes', () => {
    const links = linked(false);
    expect(links.works('peer')).toBe(true);
    expect(links.fine('peer', 60_000)).toBe(true);
  });

  it('keeps nobody from another one beside it, directly or by the relay', () => {
    const links = linked(true);
    expect(links.works('peer')).toBe(false);
    expect(links.fine('peer', 0)).toBe(false);
  });
});
