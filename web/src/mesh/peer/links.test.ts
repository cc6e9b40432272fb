import { describe, expect, it } from 'vitest';
import type { Connected } from './attempts';
import { Door } from './door';
import { Link, type LinkHandlers } from './link';
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

describe('a place', () => {
  it('is free again by a link that said what its peer has, and that is nothing', () => {
    let serial = 41;
    const door = new Door({ approve: false, password: '', most: 1 }, 1e15, () => ++serial);
    const peer = {
      ...{ door, cfg: { tell: () => undefined }, intro: { memberOf: () => undefined }, kick: () => undefined },
      flow: { forget: () => undefined },
    } as unknown as Peer;
    const links = new Links(peer);
    const conn = { close: () => undefined };
    /** Whether the place is taken when a link of the one peer has ended that said this. */
    const takenAfter = (held: number | undefined, complete = false): boolean => {
      const link = new Link({ peer: Uint8Array.of(7), conn } as unknown as Connected, 0, {} as LinkHandlers);
      if (held !== undefined) {
        link.stat = { type: 'stat', held, up: 0, down: 0, state: complete ? 'complete' : 'running' };
        link.complete = complete;
        door.takes(link.key, 41);
      }
      links.unlink(link);
      return door.ask('another', '', '', 0).kind === 'refused';
    };
    expect(takenAfter(3)).toBe(true);
    expect(takenAfter(undefined)).toBe(true);
    expect(takenAfter(0)).toBe(false);
    expect(takenAfter(0, true)).toBe(true);
    expect(takenAfter(undefined)).toBe(true);
  });
});
