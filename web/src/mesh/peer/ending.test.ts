import { beforeEach, expect, it } from 'vitest';
import type { Event } from './config';
import { Ending } from './ending';
import type { Peer } from './swarm';

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
  peer = {
    ...{ sched: { swarmHolds: false }, content: { sink }, fetching, ended: false, changed: false, paused: false },
    finished: false,
    cfg: { tell: ({ kind }: Event) => told.push(kind) },
    end: () => told.push('ended'),
    storageFailed: () => told.push('failed'),
    report: () => undefined,
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
  expect(told).toEqual(['closed', 'finished', 'opened', 'lost 3']);
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
  expect(told).toEqual(['closed', 'finished', 'opened', 'lost 3', 'closed', 'finished']);
  expect(peer.finished).toBe(true);
});

it('leaves a sink open that is', async () => {
  missing = 2;
  await ending.lose(3);
  expect(told).toEqual(['lost 3']);
});

it('is not, when the sink fails', async () => {
  fails = new Error('no room');
  ending.check();
  await ending.lose(3);
  expect(told).toEqual(['failed', 'lost 3']);
  Object.assign(peer, { ended: true });
  await ending.lose(4);
  expect(told).toEqual(['failed', 'lost 3']);
});
