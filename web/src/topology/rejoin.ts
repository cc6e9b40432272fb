// When to open, restart, swap and drop paths to the server. It holds at most two of them: the
// one in use and a next one that is being made. It is told the time and does no IO; whoever
// carries out its outputs (reconnect.ts, for viewers and for the publisher) tells it what came of them.
//
//   connected → disconnected: wait a little, most networks come back → ICE restart by PATCH
//   failed, closed, or a server that was restarted: a new POST
//   the next path replaces the one in use only when it has shown a picture (make before break)

import type { Failure } from './failure';
import type { LegState } from './leg';

export type PathId = number;

export type RejoinInput =
  /** Whether a path is wanted at all: not before the server has answered, not after the end. */
  | { kind: 'want'; want: boolean }
  /** The server took the offer. */
  | { kind: 'opened'; id: PathId }
  | { kind: 'openFailed'; id: PathId; failure: Pick<Failure, 'kind' | 'retryAfter'> }
  | { kind: 'state'; id: PathId; state: LegState }
  /** A first frame was decoded, or sound came where there is no picture. */
  | { kind: 'shown'; id: PathId }
  | { kind: 'restartFailed'; id: PathId }
  /** Connected, the stream is live, and nothing has come for a while. */
  | { kind: 'stalled'; id: PathId }
  /** Old sessions are gone: the server was restarted. Also tells a new token. */
  | { kind: 'renew' }
  /** The network is back. */
  | { kind: 'hurry' }
  /** The page is about to be left: what ends now has ended for that reason. */
  | { kind: 'leaving' }
  | { kind: 'tick' };

export type RejoinOutput =
  | { kind: 'open'; id: PathId }
  | { kind: 'restart'; id: PathId }
  | { kind: 'close'; id: PathId }
  /** Show this path from now on; the one before it is closed by an output that follows. */
  | { kind: 'use'; id: PathId }
  /** The token is no longer good: greet the server again, then renew. */
  | { kind: 'greet' }
  | { kind: 'status'; status: PathStatus };

export type PathStatus =
  | 'none'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  /** The server answers by HTTP, but no media path comes about: this network blocks UDP. */
  | 'blocked'
  /** Server and browser do not come to terms; trying again is of no use. */
  | 'refused'
  /** The server asked to come back later. */
  | 'busy'
  /** No answer by HTTP at all. */
  | 'unreachable';

/** ms */
export const REJOIN = {
  /** How long a path may be disconnected before it is restarted: a change of Wi-Fi cell takes about that. */
  patience: 1_500,
  /** How long a restart, and how long a new path, may take until connected. */
  restart: 5_000,
  link: 12_000,
  firstPause: 400,
  longestPause: 10_000,
  /** How long the next page may take to come. One that does not come (a download) has left this page without its path. */
  leaving: 5_000,
  /** How often in a row the browser itself may fail at making a path. */
  browserFailures: 5,
} as const;

type Phase = 'opening' | 'linking' | 'up' | 'down' | 'restarting' | 'dead';

interface Held {
  id: PathId;
  phase: Phase;
  /** When the phase has lasted long enough. */
  due: number | undefined;
}

export class Rejoin {
  private readonly random: () => number;
  private wanted = false;
  private used: Held | undefined;
  private next: Held | undefined;
  private ids = 0;
  private retryAt: number | undefined;
  private leavingUntil = Number.NEGATIVE_INFINITY;
  private attempt = 0;
  private linkFailures = 0;
  private browserFailures = 0;
  private everUp = false;
  /** Set when waiting for a new token, or for good. */
  private held: 'greeting' | 'refused' | undefined;
  private trouble: 'busy' | 'unreachable' | undefined;
  private told: PathStatus = 'none';
  private stallRenewed = false;

  constructor(random: () => number) {
    this.random = random;
  }

  deadline(): number | undefined {
    const all = [this.used?.due, this.next?.due, this.retryAt].filter((d) => d !== undefined);
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  step(input: RejoinInput, now: number): RejoinOutput[] {
    const out = this.react(input, now);
    const status = this.status();
    if (status !== this.told) {
      this.told = status;
      out.push({ kind: 'status', status });
    }
    return out;
  }

  private react(input: RejoinInput, now: number): RejoinOutput[] {
    switch (input.kind) {
      case 'want':
        return this.want(input.want, now);
      case 'opened':
        return this.opened(input.id, now);
      case 'openFailed':
        return this.openFailed(input.id, input.failure, now);
      case 'state':
        return this.changed(input.id, input.state, now);
      case 'shown':
        return this.shown(input.id);
      case 'restartFailed':
        return this.used?.id === input.id ? this.giveUp(this.used, now) : [];
      case 'stalled':
        return this.stalled(input.id, now);
      case 'renew':
        return this.renew(now);
      case 'hurry':
        return this.hurry(now);
      case 'leaving':
        this.leavingUntil = now + REJOIN.leaving;
        return [];
      case 'tick':
        return this.tick(now);
    }
  }

  private want(want: boolean, now: number): RejoinOutput[] {
    if (want === this.wanted) return [];
    this.wanted = want;
    this.held = undefined;
    this.attempt = 0;
    this.linkFailures = 0;
    this.browserFailures = 0;
    if (want) return this.open(now);
    const out: RejoinOutput[] = [];
    for (const path of [this.next, this.used]) if (path) out.push({ kind: 'close', id: path.id });
    this.used = undefined;
    this.next = undefined;
    this.retryAt = undefined;
    this.everUp = false;
    return out;
  }

  private open(now: number): RejoinOutput[] {
    const out = this.dropNext();
    this.ids += 1;
    this.retryAt = undefined;
    this.next = { id: this.ids, phase: 'opening', due: now + REJOIN.link };
    return [...out, { kind: 'open', id: this.ids }];
  }

  private opened(id: PathId, now: number): RejoinOutput[] {
    if (this.next?.id !== id) return [];
    this.trouble = undefined;
    this.browserFailures = 0;
    if (this.next.phase === 'opening') this.next = { id, phase: 'linking', due: now + REJOIN.link };
    // With nothing in use there is nothing to keep: show what comes at once.
    return this.used ? [] : this.swap();
  }

  private openFailed(
    id: PathId,
    { kind, retryAfter }: Pick<Failure, 'kind' | 'retryAfter'>,
    now: number,
  ): RejoinOutput[] {
    if (this.next?.id !== id) return [];
    const out = this.dropNext();
    this.browserFailures = kind === 'browser' ? this.browserFailures + 1 : 0;
    this.trouble = kind === 'away' ? 'unreachable' : kind === 'busy' ? 'busy' : undefined;
    if (kind === 'key') {
      this.held = 'greeting';
      return [...out, { kind: 'greet' }];
    }
    if (kind === 'never' || this.browserFailures >= REJOIN.browserFailures) {
      this.held = 'refused';
      return out;
    }
    this.pause(now, retryAfter);
    return out;
  }

  private pause(now: number, retryAfter?: number): void {
    const doubled = Math.min(REJOIN.longestPause, REJOIN.firstPause * 2 ** this.attempt);
    this.attempt += 1;
    this.retryAt =
      now + (retryAfter ? retryAfter * 1000 * (1 + 0.25 * this.random()) : doubled * (0.5 + 0.5 * this.random()));
  }

  private changed(id: PathId, state: LegState, now: number): RejoinOutput[] {
    const path = [this.used, this.next].find((p) => p?.id === id);
    if (!path || path.phase === 'dead') return [];
    switch (state) {
      case 'connected':
        return this.up(path);
      case 'disconnected':
        if (path.phase !== 'up') return [];
        path.phase = 'down';
        path.due = now + REJOIN.patience;
        return [];
      case 'failed':
      case 'closed':
        return this.giveUp(path, now);
      default:
        return [];
    }
  }

  private up(path: Held): RejoinOutput[] {
    path.phase = 'up';
    path.due = undefined;
    this.everUp = true;
    this.attempt = 0;
    this.linkFailures = 0;
    this.trouble = undefined;
    if (path !== this.used) return [];
    // The path in use came back by itself before a new one could replace it.
    this.retryAt = undefined;
    return this.next && this.next.phase !== 'up' ? this.dropNext() : [];
  }

  private shown(id: PathId): RejoinOutput[] {
    this.stallRenewed = false;
    return this.next?.id === id ? this.swap() : [];
  }

  private swap(): RejoinOutput[] {
    const [old, fresh] = [this.used, this.next];
    if (!fresh) return [];
    this.used = fresh;
    this.next = undefined;
    return [{ kind: 'use', id: fresh.id }, ...(old ? [{ kind: 'close' as const, id: old.id }] : [])];
  }

  /** The path is of no use any more. The one in use stays on the screen until another has a picture. */
  private giveUp(path: Held, now: number): RejoinOutput[] {
    const neverUp = path.phase === 'linking' || path.phase === 'opening';
    path.phase = 'dead';
    path.due = undefined;
    if (neverUp) this.linkFailures += 1;
    const out = path === this.next ? this.dropNext() : [];
    if (!this.wanted || this.held || this.next || this.retryAt !== undefined) return out;
    if (now < this.leavingUntil) {
      this.retryAt = this.leavingUntil;
      return out;
    }
    if (!neverUp) return [...out, ...this.open(now)];
    this.pause(now);
    return out;
  }

  private stalled(id: PathId, now: number): RejoinOutput[] {
    if (this.used?.id !== id || this.used.phase !== 'up' || this.next || this.stallRenewed) return [];
    // One new path beside this one. If the fault is the publisher's it will be as silent, and then
    // it waits in its place for the first picture; a second try would not do better.
    this.stallRenewed = true;
    return this.open(now);
  }

  private renew(now: number): RejoinOutput[] {
    this.held = undefined;
    this.browserFailures = 0;
    if (!this.wanted) return [];
    if (this.used) {
      this.used.phase = 'dead';
      this.used.due = undefined;
    }
    return this.open(now);
  }

  private hurry(now: number): RejoinOutput[] {
    if (this.retryAt !== undefined) return this.open(now);
    return this.used?.phase === 'down' ? this.restart(this.used, now) : [];
  }

  private restart(path: Held, now: number): RejoinOutput[] {
    path.phase = 'restarting';
    path.due = now + REJOIN.restart;
    return [{ kind: 'restart', id: path.id }];
  }

  private tick(now: number): RejoinOutput[] {
    const out: RejoinOutput[] = [];
    for (const path of [this.used, this.next]) {
      if (path?.due === undefined || now < path.due) continue;
      if (path.phase === 'down' && path === this.used) out.push(...this.restart(path, now));
      else out.push(...this.giveUp(path, now));
    }
    if (this.retryAt !== undefined && now >= this.retryAt) out.push(...this.open(now));
    return out;
  }

  private dropNext(): RejoinOutput[] {
    const next = this.next;
    this.next = undefined;
    return next ? [{ kind: 'close', id: next.id }] : [];
  }

  private status(): PathStatus {
    if (!this.wanted) return 'none';
    if (this.held === 'refused') return 'refused';
    if (this.used?.phase === 'up' || this.next?.phase === 'up') return 'connected';
    // A network that let media through once is not one that blocks it, unless it keeps failing.
    if (this.linkFailures >= (this.everUp ? 3 : 1)) return 'blocked';
    if (this.trouble) return this.trouble;
    return this.everUp ? 'reconnecting' : 'connecting';
  }
}
