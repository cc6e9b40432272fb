import { describe, expect, it } from 'vitest';
import { Chance } from '../mutate.fixture';
import { Scheduler } from './schedule';
import { type Action, defaultConfig } from './state';

const PIECES = 60;
const LEAVES = 4;

/** Peers that know each other all; each sends one leaf a turn. Peer 0 is the uploader. No time is lost on the way. */
class Swarm {
  readonly peers: Scheduler[];
  readonly gone = new Set<number>();
  /** Leaves that each has sent. */
  readonly sent: number[];
  private now = 0;

  constructor(count: number, seed: number) {
    const chance = new Chance(seed);
    const config = defaultConfig({ size: PIECES * LEAVES, piece: LEAVES, leaf: 1 });
    this.peers = Array.from({ length: count }, (_, i) => {
      return new Scheduler({ ...config, uniqueFirst: i === 0 }, (below) => chance.below(below));
    });
    this.sent = this.peers.map(() => 0);
    this.peers[0]?.hold(0, PIECES);
    for (const [i, peer] of this.peers.entries()) {
      for (const j of this.peers.keys()) if (i !== j) peer.peerJoined(j, 1, 20);
    }
  }

  /** One round: everybody says what there is to say, then sends a leaf. */
  turn(): void {
    this.now += 10;
    for (let said = true; said; ) {
      said = false;
      for (const i of this.here()) {
        const actions = this.at(i).next(this.now);
        for (const action of actions) this.deliver(i, action);
        said ||= actions.length > 0;
      }
    }
    for (const i of this.here()) this.sendOne(i);
  }

  leave(i: number): void {
    this.gone.add(i);
    for (const j of this.here()) this.at(j).peerLeft(i);
  }

  complete(): boolean {
    return this.here().every((i) => this.at(i).held === PIECES);
  }

  at(i: number): Scheduler {
    return this.peers[i] as Scheduler;
  }

  private here(): number[] {
    return [...this.peers.keys()].filter((i) => !this.gone.has(i));
  }

  private deliver(from: number, a: Action): void {
    if (this.gone.has(a.peer)) return;
    const to = this.at(a.peer);
    if (a.kind === 'have') to.shown(from, a.first, a.count);
    else if (a.kind === 'reject') to.rejected(from, a.piece, a.first, a.count, a.reason, this.now);
    else if (a.kind === 'want') to.wanted(from, a.piece, a.first, a.count);
    else to.cancelled(from, a.piece, a.first, a.count);
  }

  private sendOne(from: number): void {
    const next = this.at(from).nextSend(this.now);
    if (!next) return;
    this.at(from).sent(next, this.now + 10);
    this.sent[from] = (this.sent[from] as number) + 1;
    // What nobody asked for would end the connection.
    if (this.at(next.peer).expects(from, next.piece, next.leaf, this.now) === 'unasked') throw new Error('unasked');
    this.at(next.peer).leafArrived(from, next.piece, next.leaf, this.now);
  }
}

const seeds = [1, 2, 3];

describe('a swarm', () => {
  it.each(seeds)('of ten receivers completes, and the uploader sends little more than one copy (seed %d)', (seed) => {
    const swarm = new Swarm(11, seed);
    let turns = 0;
    while (!swarm.complete() && turns < 2000) {
      swarm.turn();
      turns++;
    }
    expect(swarm.complete()).toBe(true);
    expect(swarm.at(0).swarmHolds).toBe(true);
    expect((swarm.sent[0] as number) / (PIECES * LEAVES)).toBeLessThan(1.2);
    // As many turns as it has leaves are the least there can be.
    expect(turns).toBeLessThan(1.25 * PIECES * LEAVES);
  });

  it.each(seeds)('completes without the uploader once every piece has gone out (seed %d)', (seed) => {
    const swarm = new Swarm(6, seed);
    for (let turn = 0; turn < 2000 && (swarm.sent[0] as number) < 1.05 * PIECES * LEAVES; turn++) swarm.turn();
    swarm.leave(0);
    for (let turn = 0; turn < 2000 && !swarm.complete(); turn++) swarm.turn();
    expect(swarm.complete()).toBe(true);
    expect(swarm.at(1).missing).toBe(0);
  });

  it('goes on when receivers leave in the middle', () => {
    const swarm = new Swarm(6, 4);
    for (let turn = 0; turn < 2000 && !swarm.complete(); turn++) {
      if (turn === 50 || turn === 120) swarm.leave(turn === 50 ? 3 : 4);
      swarm.turn();
    }
    expect(swarm.complete()).toBe(true);
  });

  it('knows when what is missing cannot be had', () => {
    const alone = new Scheduler(defaultConfig({ size: 4, piece: 2, leaf: 1 }), () => 0);
    expect(alone.reachable).toBe(false);
    alone.peerJoined(5, 1, 20);
    expect(alone.reachable).toBe(false);
    alone.shown(5, 1, 1);
    expect(alone.reachable).toBe(true);
    alone.next(0);
    alone.peerLeft(5);
    expect(alone.reachable).toBe(false);
  });
});
