// Leaves in and out: what the scheduler wants is carried out, and it is told what happens.

import type { Message, Parts } from '../parts';
import type { Scheduler } from '../schedule/schedule';
import type { Send } from '../schedule/send';
import type { Action } from '../schedule/state';
import { MAX_RANGES, type Range } from '../wire';
import type { Content } from './content';
import { BadLeaf, FEED, type Link } from './link';
import { Pace } from './pace';
import { SourceChanged } from './sink';
import type { Peer } from './swarm';

/** What is due is looked at no more often (ms). */
const LEAST_PAUSE = 5;

export class Flow {
  private readonly peer: Peer;
  readonly pace: Pace;
  /** Leaves handed to links that have not left. */
  private handed = 0;
  /** When time alone makes something due (ms), and what takes that back. */
  private due = Number.POSITIVE_INFINITY;
  private disarm: () => void = () => undefined;

  constructor(peer: Peer) {
    this.peer = peer;
    this.pace = new Pace(peer);
  }

  stop(): void {
    this.disarm();
  }

  /** A link is gone with what was handed to it. */
  forget(link: Link): void {
    this.handed -= link.queued;
  }

  soon({ piece, leaf }: Send): void {
    this.peer.content?.prepare(piece, leaf);
  }

  messages(link: Link, { piece, leaf }: Send): Promise<Message[]> {
    return (this.peer.content as Content).messages(piece, leaf, link.largest);
  }

  /** The bytes of a leaf that begins to come; undefined when nobody asked for it. */
  expects(link: Link, piece: number, leaf: number): number | undefined {
    const { sched, content } = this.peer;
    if (!sched || !content || !link.joined) return undefined;
    if (sched.expects(link.slot, piece, leaf, performance.now()) === 'unasked') return undefined;
    return content.layout.leafLength(piece, leaf) || undefined;
  }

  /** Verifies a leaf and stores it. Throws BadLeaf. */
  async whole(link: Link, parts: Parts, piece: number, leaf: number): Promise<void> {
    const { content, sched } = this.peer;
    if (!content || !sched) return;
    const { length } = parts.bytes;
    const good = await content.verify(parts, piece, leaf);
    if (!good) throw new BadLeaf('a leaf that is not what was shared');
    this.peer.storing += 1;
    try {
      // What two peers were asked for comes twice, and the sink may be closed by then.
      if (!link.dead && !sched.has(piece)) await content.keep(parts, piece, leaf);
    } catch (error) {
      return this.peer.storageFailed(error);
    } finally {
      this.peer.storing -= 1;
    }
    if (link.dead || !sched.leafArrived(link.slot, piece, leaf, performance.now())) return;
    link.taken += length;
    this.peer.verified += length;
    const root = sched.has(piece) ? content.roots.get(piece) : undefined;
    if (root) this.peer.cfg.tell({ kind: 'stored', piece, root });
    this.peer.kick();
    this.peer.checkEnd();
  }

  /** A leaf has left, or could not be read. */
  sent(link: Link, send: Send, error: unknown): void {
    if (link.dead) return;
    const now = performance.now();
    this.handed -= 1;
    link.queued -= 1;
    if (link.queued <= FEED / 2) this.peer.sched?.full(link.slot, false);
    this.peer.sched?.sent(send, now);
    this.peer.kick();
    if (error === undefined) {
      const bytes = this.peer.content?.layout.leafLength(send.piece, send.leaf) ?? 0;
      link.sent += bytes;
      this.peer.sentBytes += bytes;
      return;
    }
    const changed = error instanceof SourceChanged;
    const reason = changed ? 'changed' : 'unreadable';
    link.say({ type: 'reject', piece: send.piece, first: send.leaf, count: 1, reason });
    this.peer.cfg.tell({ kind: 'unreadable', changed });
    if (changed && this.peer.cfg.share) {
      for (const one of [...this.peer.links.all.values()]) this.peer.links.bye(one, 'source-changed');
      this.peer.end({ kind: 'changed' });
    }
  }

  /** Carries out what the scheduler wants. */
  advance(): void {
    const { sched } = this.peer;
    if (!sched || this.peer.ended) return;
    const now = performance.now();
    this.act(sched.next(now));
    const look = this.pace.look(sched, now);
    const wait = this.feed(sched, now);
    this.arm(Math.min(now + look, now + wait, sched.deadline() ?? Number.POSITIVE_INFINITY), now);
  }

  /** A timer that is due before is left alone: what is due moves on with nearly every leaf. */
  private arm(due: number, now: number): void {
    const at = Math.max(due, now + LEAST_PAUSE);
    if (at >= this.due) return;
    this.disarm();
    this.due = at;
    this.disarm = this.peer.timers.after(at - now, () => {
      this.due = Number.POSITIVE_INFINITY;
      this.advance();
    });
  }

  /** Runs of HAVE to one peer become one frame. */
  private act(actions: readonly Action[]): void {
    let ranges: Range[] = [];
    for (const [i, action] of actions.entries()) {
      const link = this.peer.links.slots[action.peer];
      // What lies where the person wants it cannot be read, and so not be passed on.
      if (action.kind === 'have' && this.peer.content?.sink?.placed) continue;
      if (action.kind !== 'have') {
        const { piece, first, count } = action;
        const leaves = { piece, first, count };
        link?.say(
          action.kind === 'reject'
            ? { type: 'reject', ...leaves, reason: action.reason }
            : { type: action.kind, ...leaves },
        );
        continue;
      }
      ranges = joinRange(ranges, action);
      const next = actions[i + 1];
      if (next?.kind === 'have' && next.peer === action.peer && ranges.length < MAX_RANGES) continue;
      link?.say({ type: 'have', ranges });
      ranges = [];
    }
  }

  /** Hands leaves to links, and answers how long (ms) until more may leave: without end where nothing waits for that. */
  private feed(sched: Scheduler, now: number): number {
    const most = this.peer.links.all.size * FEED;
    while (this.handed < most) {
      const wait = this.pace.wait(now);
      if (wait > 0) return wait;
      const next = sched.nextSend(now);
      if (!next) break;
      const link = this.peer.links.slots[next.peer];
      if (!link) continue;
      this.pace.take(this.peer.content?.layout.leafLength(next.piece, next.leaf) ?? 0);
      this.handed += 1;
      link.hand(next);
      if (link.queued >= FEED) sched.full(next.peer, true);
    }
    return Number.POSITIVE_INFINITY;
  }
}

function joinRange(ranges: readonly Range[], { first, count }: Range): Range[] {
  const last = ranges.at(-1);
  if (last && last.first + last.count === first)
    return [...ranges.slice(0, -1), { first: last.first, count: last.count + count }];
  return [...ranges, { first, count }];
}
