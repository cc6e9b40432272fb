import { describe, expect, it } from 'vitest';
import type { Scheduler } from '../schedule/schedule';
import type { Link } from './link';
import { Pace } from './pace';
import type { Peer } from './swarm';

const LEAF = 65_536;

/** A pace among neighbours in whose lanes so many bytes lie of so many that were sent. */
function among(...neighbours: { lies?: number; sent?: number; complete?: boolean }[]) {
  const links = neighbours.map(({ lies = 0, sent = 0, complete = false }, slot) => ({
    slot,
    joined: true,
    complete,
    sent,
    asked: 0,
    roundTrip: 50,
    buffered: lies,
  }));
  const asked: number[] = [];
  const peer = {
    sentBytes: links.reduce((sum, { sent }) => sum + sent, 0),
    links: {
      all: new Map(links.map((link, i) => [String(i), link])),
      ask: (link: Link, now: number) => {
        link.asked = now;
        asked.push(link.slot);
      },
    },
  };
  const pace = new Pace(peer as unknown as Peer);
  const look = (now: number, waiting = true) => pace.look({ waiting, sendRate: 0 } as Scheduler, now);
  /** How many leaves may leave at once, of a hundred. */
  const leaves = (now: number): number => {
    let n = 0;
    for (; n < 100 && pace.wait(now) === 0; n++) pace.take(LEAF);
    return n;
  };
  return { pace, links, asked, look, leaves };
}

describe('the pace of a page that was told nothing', () => {
  it('is as fast as it goes to few', () => {
    for (const one of [among({}, {}), among({}, {}, { complete: true })]) {
      one.look(1000);
      expect(one.leaves(1000)).toBe(100);
      expect(one.asked).toEqual([]);
    }
  });

  it('is found out among several, by one in whose channel nothing waits for the channel itself', () => {
    const cold = { lies: 60_000, sent: 100_000 };
    const full = { lies: 60_000, sent: 1_000_000 };
    const { asked, look, leaves } = among(cold, full, { lies: 50_000, sent: 1_000_000 });
    look(1000);
    expect(leaves(1000)).toBeLessThan(3);
    expect(asked).toEqual([2]);
    expect(look(1010)).toBeLessThan(100);
    expect(asked).toEqual([2]);
    look(1020, false);
    expect(asked).toEqual([2]);
    look(1020);
    expect(asked).toEqual([2, 1]);
    look(1040);
    expect(asked).toEqual([2, 1, 2]);
  });

  it('falls where answers of three take long, and has no end again among few', () => {
    const { pace, links, look, leaves } = among({ lies: 1e6, sent: 4e6 }, {}, {}); // much lies in a channel
    look(1000);
    leaves(1000);
    const before = pace.wait(1000);
    const answer = (of: number, now: number) => pace.answered(links[of] as unknown as Link, 400, 350, now);
    for (let now = 1500; now < 5500; now += 500) answer((now / 500) % 2, now);
    leaves(6000);
    expect(pace.wait(6000)).toBe(before); // two may lie
    for (let now = 6500; now < 10_500; now += 500) answer((now / 500) % 3, now);
    leaves(11_000);
    expect(pace.wait(11_000)).toBeGreaterThan(before);
    for (const link of links) link.complete = true;
    look(6000);
    expect(leaves(6000)).toBe(100);
  });

  it('is what the person says, once something is said', () => {
    const { pace, asked, look } = among({}, {}, {});
    look(1000);
    pace.tell(LEAF, 1010);
    look(1040);
    expect(asked).toEqual([0]);
    pace.take(3 * LEAF);
    expect(pace.wait(1010)).toBeGreaterThan(900);
  });
});
