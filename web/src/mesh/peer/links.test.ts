import { describe, expect, it } from 'vitest';
import type { Bytes } from '../bytes';
import { newSigningKeys } from '../sign';
import { noRevocations } from '../token';
import { parse } from '../wire';
import type { Connected } from './attempts';
import { Door } from './door';
import { Link, type LinkHandlers } from './link';
import { Links, reckoned, staysBeside } from './links';
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

describe('one who connects', () => {
  it('is greeted when it may stay, and else hears only that it may not', async () => {
    const share = { keys: await newSigningKeys() };
    const door = new Door({ approve: false, password: '', most: 1 }, 1e15, () => 41);
    const peer = {
      ...{ door, revoked: noRevocations, revoking: Promise.resolve(), kick: () => undefined, revoke: () => undefined },
      cfg: { share, link: { room: 'room' }, tell: () => undefined },
      intro: { later: () => undefined, memberOf: () => undefined },
      flow: { forget: () => undefined },
      sendBlob: (link: Link) => link.say({ type: 'manifest', total: 65, offset: 0, bytes: new Uint8Array(65) }),
    } as unknown as Peer;
    const links = new Links(peer);
    Object.assign(peer, { links });
    /** What is said to one who comes by a token of an earlier time. */
    const saidTo = (number: number): string[] => {
      const said: string[] = [];
      const send = (message: Bytes): boolean => {
        const frame = parse(message, 'control');
        return said.push(frame.type === 'bye' ? frame.reason : frame.type) > 0;
      };
      const port = { buffered: 0, listen: () => undefined, send };
      const conn = {
        ...{ control: port, lane: port, relayed: async () => false },
        ...{ onGone: () => undefined, close: () => undefined },
      };
      const own = { peer: Uint8Array.of(number), token: { serial: number, rights: 3 } };
      links.connected({ ...own, conn, seed: false, largest: 65_536 } as unknown as Connected);
      return said;
    };
    const first = saidTo(1);
    expect(first).toEqual(['ping', 'manifest']);
    door.takes('01', 1);
    expect(saidTo(2)).toEqual(['too-many-peers']);
    door.remove('01');
    expect(saidTo(1)).toEqual(['not-admitted']);
    expect(first).toEqual(['ping', 'manifest']);
    await peer.revoking;
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

describe('the round trip to reckon with', () => {
  const MB = 1024 * 1024;
  it.each([
    ['a short line at a low rate: what a page takes to answer', 1, 2 * MB, 100],
    ['a short line at a high rate: no more than half a MiB on it', 1, 20 * MB, 25],
    ['a line of which nothing is known yet', 0, 0, 25],
    ['a long line', 180, 20 * MB, 180],
  ])('%s', (_, roundTrip, rate, want) => {
    expect(reckoned(roundTrip, rate)).toBe(want);
  });
});
