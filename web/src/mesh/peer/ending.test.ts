import { beforeEach, expect, it } from 'vitest';
import type { Event } from './config';
import { Ending } from './ending';
import type { Peer } from './swarm';

/** Those who are connected: what each shows, and whether it is the uploader. */
let others: { shows: number[]; rights: number; silent: boolean }[];
let told: string[];
let missing: number;
let fails: Error | undefined;
let peer: Peer;
let ending: Ending;

/** A receiver that lacks so many pieces, and notes what becomes of its sink. */
beforeEach(() => {
  told = [];
  missing = 0;
  fails = undefined;
  others = [{ shows: [3], rights: 3, silent: false }];
  const sink = {
    finish: async () => {
      if (fails) throw fails;
      told.push('closed');
    },
    reopen: async () => void told.push('opened'),
  };
  const fetching = {
    get missing() {
      return missing;
    },
    widen: () => undefined,
    lose: (piece: number) => {
      missing += 1;
      told.push(`lost ${piece}`);
    },
  };
  const links = {
    get all() {
      return new Map(others.map(({ rights, silent }, slot) => [slot, { slot, token: { rights }, conn: { silent } }]));
    },
  };
  const sched = { swarmHolds: false, isShown: (slot: number, piece: number) => others[slot]?.shows.includes(piece) };
  peer = {
    ...{ sched, links, content: { sink }, fetching, ended: false, changed: false, paused: false },
    finished: false,
    cfg: { tell: ({ kind }: Event) => told.push(kind) },
    end: () => told.push('ended'),
    storageFailed: () => told.push('failed'),
    report: () => void (missing > 0 && told.push('reported')),
    kick: () => undefined,
  } as unknown as Peer;
  ending = new Ending(peer);
});

it('is once, when nothing is missing', async () => {
  missing = 1;
  ending.check();
  missing = 0;
  ending.check();
  ending.check();
  await ending.lose(3);
  expect(told).toEqual(['closed', 'finished', 'opened', 'lost 3', 'reported']);
});

it('comes again when a piece that was lost is here again', async () => {
  ending.check();
  await ending.lose(3);
  expect(peer.finished).toBe(false);
  ending.check();
  missing = 0;
  ending.check();
  await Promise.resolve();
  await Promise.resolve();
  expect(told).toEqual(['closed', 'finished', 'opened', 'lost 3', 'reported', 'closed', 'finished']);
  expect(peer.finished).toBe(true);
});

it('leaves a sink open that is', async () => {
  missing = 2;
  others = []; // somebody may come yet
  expect(await ending.lose(3)).toBe(true);
  expect(told).toEqual(['lost 3', 'reported']);
});

it('stays when nobody who is there has the piece that was lost', async () => {
  ending.check();
  for (const gone of [[], [{ shows: [4], rights: 3, silent: false }], [{ shows: [3], rights: 7, silent: true }]]) {
    others = gone;
    expect(await ending.lose(3)).toBe(false);
  }
  expect(told).toEqual(['closed', 'finished']);
  expect(peer.finished).toBe(true);
  others = [{ shows: [], rights: 4, silent: false }]; // the uploader, which has not shown it yet
  expect(await ending.lose(3)).toBe(true);
  expect(told).toEqual(['closed', 'finished', 'opened', 'lost 3', 'reported']);
});

it('is not, when the sink fails', async () => {
  fails = new Error('no room');
  ending.check();
  await ending.lose(3);
  expect(told).toEqual(['failed', 'lost 3', 'reported']);
  Object.assign(peer, { ended: true });
  expect(await ending.lose(4)).toBe(false);
  expect(told).toEqual(['failed', 'lost 3', 'reported']);
});
