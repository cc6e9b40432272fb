import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LEAF } from '../merkle';
import { Scheduler } from '../schedule/schedule';
import { defaultConfig } from '../schedule/state';
import { newSigningKeys } from '../sign';
import { MAX_REVOKED, noRevocations, type Revocations } from '../token';
import type { Frame } from '../wire';
import type { Event } from './config';
import { Door } from './door';
import { handleFrame } from './frames';
import type { Link } from './link';
import { isSafe } from './status';
import type { Peer } from './swarm';
import { decide, reinstate, remove, returns } from './uploading';

const keys = await newSigningKeys();
const share = { keys } as Parameters<typeof remove>[1];

let door: Door;
let revoked: Revocations;
let heard: { told: Event[]; byes: string[]; refused: string[] };
let links: Map<string, Link>;
let peer: Peer;

/** An uploader whose links do nothing but note what is said by them. */
beforeEach(() => {
  let serial = 40;
  door = new Door({ approve: false, password: '', most: 0 }, 1e15, () => ++serial);
  heard = { told: [], byes: [], refused: [] };
  links = new Map();
  const content = { layout: { pieces: 0 } };
  const reception = {
    putBack: async (key: string) => heard.refused.push(key),
    putOut: async (key: string) => heard.refused.push(key),
    decide: (key: string, yes: boolean) => door.decide(key, yes),
  };
  peer = {
    ...{ door, revoked: noRevocations, revoking: Promise.resolve(), content, sched: { swarmHolds: true } },
    cfg: { share, link: { room: 'room' }, tell: (event: Event) => heard.told.push(event) },
    intro: { later: (work: () => Promise<void>) => void work(), reception, memberOf: () => undefined },
    links: {
      ...{ all: links, join: () => undefined, unlink: (link: Link) => links.delete(link.key) },
      bye: (link: Link, reason: string) => {
        link.dead = true;
        links.delete(link.key);
        heard.byes.push(`${link.key}: ${reason}`);
      },
    },
    revoke: (next: Revocations) => {
      revoked = next;
      Object.assign(peer, { revoked: next });
    },
    kick: () => undefined,
  } as unknown as Peer;
  revoked = noRevocations;
});

/** One who was let in and is connected. */
function comes(key: string): Link {
  const verdict = door.ask(key, key, '', 0);
  const serial = verdict.kind === 'token' ? verdict.serial : 0;
  const link = { key, token: { serial, rights: 3 }, dead: false, complete: false, joined: false } as unknown as Link;
  links.set(key, link);
  return link;
}

const stat = (state: 'running' | 'complete' | 'leaving'): Frame => ({ type: 'stat', held: 0, up: 0, down: 0, state });
const settled = async (): Promise<void> => void (await peer.revoking);

describe('a place', () => {
  it('is taken by the first who receives, and those who only look are put back', async () => {
    door.set({ approve: false, password: '', most: 1 });
    const [preview, person] = [comes('preview'), comes('person')];
    handleFrame(peer, person, stat('running'));
    const before = heard.told.splice(0);
    await settled();
    expect(heard.byes).toEqual(['preview: too-many-peers']);
    expect(before).toContainEqual({ kind: 'putBack', key: 'preview' });
    expect(heard.refused).toEqual(['preview']);
    expect(revoked.serials).toEqual([preview.token.serial]);
    expect(heard.told).toEqual([{ kind: 'guests' }]); // what a reload has to know is there to be written down
    handleFrame(peer, person, stat('running'));
    expect(person.dead).toBe(false);
    door.free('person');
    expect(door.ask('preview', '', '', 0)).toEqual({ kind: 'token', serial: preview.token.serial });
    const { version } = revoked;
    await reinstate(peer, share, preview.token.serial);
    expect(revoked.serials).toEqual([]);
    expect(revoked.version).toBeGreaterThan(version);
  });

  it('is refused to who begins when all are taken', async () => {
    const [first, second] = [comes('first'), comes('second')];
    handleFrame(peer, first, stat('running'));
    door.set({ approve: false, password: '', most: 1 });
    handleFrame(peer, second, stat('running'));
    await settled();
    expect(second.dead).toBe(true);
    expect(second.stat).toBeUndefined();
    expect(first.dead).toBe(false);
  });
});

describe('a token of an earlier time', () => {
  it('lets nobody pass the limit, nor look on behind it', async () => {
    handleFrame(peer, comes('first'), stat('running'));
    door.set({ approve: false, password: '', most: 1 });
    const late = { key: 'late', token: { serial: 7, rights: 3 }, dead: false } as unknown as Link;
    links.set('late', late);
    returns(peer, late);
    await settled();
    expect(heard.byes).toEqual(['late: too-many-peers']);
    expect(revoked.serials).toEqual([7]);
  });
});

describe('a receiver that has lost a piece', () => {
  it('is nobody to count on until it has that again', () => {
    const sched = new Scheduler(defaultConfig({ size: 4 * LEAF, piece: LEAF, leaf: LEAF }), () => 0);
    sched.hold(0, 4);
    sched.peerJoined(0, 1, 100);
    Object.assign(peer, { sched, content: { layout: { pieces: 4 } } });
    const link = Object.assign(comes('a'), { slot: 0, joined: true });
    handleFrame(peer, link, { type: 'have', ranges: [{ first: 0, count: 4 }] });
    for (const held of [4, 3, 4]) {
      handleFrame(peer, link, { type: 'stat', held, up: 0, down: 0, state: 'running' });
      expect(isSafe(peer)).toBe(held === 4);
    }
  });
});

describe('another token', () => {
  /** Somebody connects by a token of an earlier time. */
  const comesBy = (key: string, serial: number): Link => {
    const link = { key, token: { serial, rights: 3 }, dead: false } as unknown as Link;
    links.set(key, link);
    returns(peer, link);
    return link;
  };

  it('serves nobody who was removed or denied, and is taken back', async () => {
    comes('removed');
    await remove(peer, share, 'removed');
    door.set({ approve: true, password: '', most: 0 });
    for (const key of ['denied', 'here']) door.ask(key, key, '', 0);
    decide(peer, 'denied', false);
    const here = comesBy('here', 9);
    expect(here.dead).toBe(false);
    heard.byes.length = 0;
    decide(peer, 'here', false);
    comesBy('removed', 7);
    comesBy('denied', 8);
    await settled();
    expect(heard.byes).toEqual(['here: not-admitted', 'removed: not-admitted', 'denied: not-admitted']);
    expect(revoked.serials).toEqual([7, 8, 9, 41]);
    expect(heard.told.filter(({ kind }) => kind === 'putBack')).toEqual([]);
  });

  it('of one who is in is taken back with the first', async () => {
    comes('in');
    comesBy('in', 7);
    expect(await remove(peer, share, 'in')).toBe(true);
    expect(revoked.serials).toEqual([7, 41]);
  });
});

describe('what has no pieces', () => {
  it('is safe when somebody has it and nobody lacks it', () => {
    expect(isSafe(peer)).toBe(false);
    const [a, b] = [comes('a'), comes('b')];
    handleFrame(peer, a, stat('complete'));
    expect(isSafe(peer)).toBe(false);
    handleFrame(peer, b, stat('complete'));
    expect(isSafe(peer)).toBe(true);
  });

  it('is told to be with one who leaves in the same moment', () => {
    const [a, b] = [comes('a'), comes('b')];
    handleFrame(peer, a, stat('complete'));
    handleFrame(peer, a, stat('complete'));
    handleFrame(peer, a, stat('leaving'));
    handleFrame(peer, b, { type: 'bye', reason: 'done', text: '' });
    expect(heard.told.filter(({ kind }) => kind === 'complete')).toEqual([
      { kind: 'complete', key: 'a' },
      { kind: 'complete', key: 'b' },
    ]);
  });
});

describe('the list of what was taken back', () => {
  it('holds all of those who are removed at once', async () => {
    for (const key of ['a', 'b', 'c']) comes(key);
    expect(await Promise.all(['c', 'a', 'b'].map((key) => remove(peer, share, key)))).toEqual([true, true, true]);
    expect(revoked.serials).toEqual([41, 42, 43]);
  });

  it('lets nobody in again when it is full, and says so', async () => {
    const full = { version: 7, serials: Array.from({ length: MAX_REVOKED }, (_, i) => i + 1_000) };
    Object.assign(peer, { revoked: full });
    const link = comes('one more');
    expect(await remove(peer, share, 'one more')).toBe(false);
    expect(peer.revoked).toBe(full);
    expect(link.dead).toBe(true);
    expect(door.ask('one more', '', '', 0)).toEqual({ kind: 'refused', reason: 'removed' });
  });

  it.each([
    ['is full', share, MAX_REVOKED],
    ['cannot be signed', { keys: { ...keys, privateKey: keys.publicKey } } as typeof share, 1],
  ])('says so when it %s, and keeps all else as it was', async (_, sharing, many) => {
    const list = { version: 7, serials: Array.from({ length: many }, (_, i) => i + 1_000) };
    Object.assign(peer, { revoked: list });
    Object.assign(peer.cfg, { share: sharing });
    door.set({ approve: false, password: '', most: 1 });
    const [preview, person] = [comes('preview'), comes('person')];
    handleFrame(peer, person, stat('running'));
    await vi.waitUntil(() => heard.told.some(({ kind }) => kind === 'untold'));
    expect([preview.dead, person.dead]).toEqual([true, false]);
    expect(door.ask('preview', '', '', 0)).toEqual({ kind: 'refused', reason: 'full' });
    expect(peer.revoked).toBe(list);
    expect(await remove(peer, sharing, 'person')).toBe(false);
  });
});
