// The shell round Rejoin, for both ends of a stream: keeps the sessions that the policy wants,
// tells it how they are, and wakes it when it asks for that. It decides nothing.

import { type Failure, failureOf } from './failure';
import type { LegState } from './leg';
import { type PathId, type PathStatus, Rejoin, type RejoinInput, type RejoinOutput } from './rejoin';

/** A session that is made, used and dropped. */
export interface Session {
  readonly connection: RTCPeerConnection;
  /** Throws what failureOf understands. */
  open(): Promise<void>;
  /** Finds the network way anew. Throws when that cannot be. */
  restart(): Promise<void>;
  /** The server has forgotten the session: nothing is said about it any more. */
  orphan(): void;
  close(): void;
}

export interface ReconnectOptions<S extends Session> {
  /** Makes a session that is not open yet, with the latest token. May throw like open(). */
  make(onState: (state: LegState) => void): S;
  /** Calls back once, when the session may replace the one before it. The result ends the waiting. */
  whenShown(session: S, shown: () => void): () => void;
  /** From now on this session counts; undefined: none does. */
  onUse(session: S | undefined): void;
  onStatus(status: PathStatus): void;
  /** The server refused the token: greet it again, then call renew(). */
  onGreet(): void;
  /** The last failure, whose words are for the page. */
  onFailure(failure: Failure): void;
}

interface Open<S> {
  session: S;
  stopWaiting: () => void;
}

export class Reconnect<S extends Session> {
  private readonly options: ReconnectOptions<S>;
  private readonly policy = new Rejoin(Math.random);
  /** Without a value while it is being made. */
  private readonly open = new Map<PathId, Open<S> | undefined>();
  private used: PathId | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly leaving = new AbortController();

  constructor(options: ReconnectOptions<S>) {
    this.options = options;
    const { signal } = this.leaving;
    window.addEventListener('online', () => this.feed({ kind: 'hurry' }), { signal });
    // Firefox ends a page's connections as soon as it sets out for another page, well before pagehide.
    window.addEventListener('beforeunload', () => this.feed({ kind: 'leaving' }), { signal });
  }

  /** Those that are there now, the one in use and a next one. */
  sessions(): S[] {
    return [...this.open.values()].flatMap((o) => o?.session ?? []);
  }

  /** Whether there should be a session at all. */
  want(want: boolean): void {
    this.feed({ kind: 'want', want });
  }

  /** There is a new token, or another reason for a new session. */
  renew(): void {
    this.feed({ kind: 'renew' });
  }

  /** The server was restarted and knows nothing of the sessions that were made before. */
  restarted(): void {
    for (const session of this.sessions()) session.orphan();
    this.renew();
  }

  /** The session in use is connected and silent although the stream is live. */
  stalled(): void {
    if (this.used !== undefined) this.feed({ kind: 'stalled', id: this.used });
  }

  close(): void {
    this.leaving.abort();
    this.want(false);
    clearTimeout(this.timer);
  }

  private feed(input: RejoinInput): void {
    for (const output of this.policy.step(input, performance.now())) this.carryOut(output);
    this.arm();
  }

  private carryOut(output: RejoinOutput): void {
    switch (output.kind) {
      case 'open':
        void this.start(output.id);
        break;
      case 'restart':
        void this.restart(output.id);
        break;
      case 'close':
        this.drop(output.id);
        break;
      case 'use':
        this.used = output.id;
        this.options.onUse(this.open.get(output.id)?.session);
        break;
      case 'greet':
        this.options.onGreet();
        break;
      case 'status':
        this.options.onStatus(output.status);
        break;
    }
  }

  private async start(id: PathId): Promise<void> {
    this.open.set(id, undefined);
    try {
      const session = this.options.make((state) => this.feed({ kind: 'state', id, state }));
      const stopWaiting = this.options.whenShown(session, () => this.feed({ kind: 'shown', id }));
      this.open.set(id, { session, stopWaiting });
      await session.open();
      this.feed({ kind: 'opened', id });
    } catch (cause) {
      // A later turn, so that the policy is not told in the middle of its own outputs.
      await Promise.resolve();
      this.failed(id, failureOf(cause));
    }
  }

  private failed(id: PathId, failure: Failure): void {
    if (!this.open.has(id)) return; // it was dropped meanwhile
    this.options.onFailure(failure);
    this.feed({ kind: 'openFailed', id, failure });
  }

  private async restart(id: PathId): Promise<void> {
    try {
      await this.open.get(id)?.session.restart();
    } catch {
      this.feed({ kind: 'restartFailed', id });
    }
  }

  private drop(id: PathId): void {
    const open = this.open.get(id);
    this.open.delete(id);
    open?.stopWaiting();
    open?.session.close();
    if (this.used !== id) return;
    this.used = undefined;
    this.options.onUse(undefined);
  }

  private arm(): void {
    clearTimeout(this.timer);
    const due = this.policy.deadline();
    if (due !== undefined) {
      this.timer = setTimeout(() => this.feed({ kind: 'tick' }), Math.max(0, due - performance.now()));
    }
  }
}
