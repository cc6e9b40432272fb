// The shell round Rejoin for the uploader: makes WHIP sessions, puts the source's tracks on
// them, and reports how they do. It decides nothing.
//
// A session that is lost is replaced by a new one: the newer publisher takes over at its POST
// and viewers keep their connections, so there is nothing to gain from an ICE restart.

import type { Tracks } from '../media/source';
import { HttpProblem } from '../topology/http';
import type { LegState } from '../topology/leg';
import { type PathId, type PathStatus, Rejoin, type RejoinInput, type RejoinOutput } from '../topology/rejoin';
import { type VideoLimits, WhipSession } from '../topology/whip';

/** Where to publish, by the latest Welcome. */
export interface Target {
  url: string;
  token: string;
  stun: string | undefined;
}

export interface PublisherOptions {
  target(): Target | undefined;
  tracks(): Tracks;
  limits(): VideoLimits;
  audioBitrate: number;
  /** MIME types, the best first. */
  codecs(): readonly string[];
  onStatus(status: PathStatus): void;
  /** The session that is in use, for the figures. */
  onConnection(connection: RTCPeerConnection | undefined): void;
  /** The server refused the token: greet it again, then renew. */
  onGreet(): void;
  onProblem(problem: HttpProblem): void;
}

export class Publisher {
  private readonly options: PublisherOptions;
  private readonly policy = new Rejoin(Math.random);
  private readonly sessions = new Map<PathId, WhipSession>();
  private wanted = false;
  private used: PathId | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private putting: Promise<void> | undefined;
  private putAgain = false;
  private readonly hurry = (): void => this.feed({ kind: 'hurry' });
  // Firefox ends a page's connections as soon as it sets out for another page: not a lost path.
  private readonly leaving = (): void => this.feed({ kind: 'leaving' });

  constructor(options: PublisherOptions) {
    this.options = options;
    window.addEventListener('online', this.hurry);
    window.addEventListener('beforeunload', this.leaving);
  }

  want(want: boolean): void {
    this.wanted = want;
    this.feed({ kind: 'want', want });
  }

  /** A new session beside the one in use, or the first one. */
  renew(): void {
    if (this.wanted) this.feed({ kind: 'renew' });
    else this.want(true);
  }

  /** The source's tracks, or the limits, are others now. */
  refresh(): void {
    this.putAgain = true;
    this.putting ??= this.putAll().finally(() => {
      this.putting = undefined;
    });
  }

  close(): void {
    window.removeEventListener('online', this.hurry);
    window.removeEventListener('beforeunload', this.leaving);
    clearTimeout(this.timer);
  }

  private feed(input: RejoinInput): void {
    const outputs = this.policy.step(input, performance.now());
    for (const output of outputs) this.carryOut(output);
    this.arm();
  }

  private carryOut(output: RejoinOutput): void {
    switch (output.kind) {
      case 'open':
        void this.open(output.id);
        break;
      case 'restart':
        this.feed({ kind: 'restartFailed', id: output.id });
        break;
      case 'close':
        this.drop(output.id);
        break;
      case 'use':
        this.used = output.id;
        this.options.onConnection(this.sessions.get(output.id)?.connection);
        break;
      case 'greet':
        this.options.onGreet();
        break;
      case 'status':
        this.options.onStatus(output.status);
        break;
    }
  }

  private async open(id: PathId): Promise<void> {
    const target = this.options.target();
    if (!target) return;
    const session = new WhipSession({
      ...target,
      preferVideo: this.options.codecs(),
      onState: (state) => this.changed(id, state),
    });
    this.sessions.set(id, session);
    try {
      await this.put(session);
      await session.open();
      this.feed({ kind: 'opened', id });
    } catch (cause) {
      this.refused(id, cause);
    }
  }

  private changed(id: PathId, state: LegState): void {
    this.feed({ kind: 'state', id, state });
    // There is no picture to wait for on this side: what is connected is sent.
    if (state === 'connected') this.feed({ kind: 'shown', id });
  }

  private refused(id: PathId, cause: unknown): void {
    if (!this.sessions.has(id)) return;
    const problem =
      cause instanceof HttpProblem ? cause : new HttpProblem(406, 'This browser cannot use the server’s answer.');
    this.options.onProblem(problem);
    this.feed({ kind: 'openFailed', id, status: problem.status, retryAfter: problem.retryAfter });
  }

  private drop(id: PathId): void {
    this.sessions.get(id)?.close();
    this.sessions.delete(id);
    if (this.used !== id) return;
    this.used = undefined;
    this.options.onConnection(undefined);
  }

  /** One round at a time; what changes meanwhile makes another round. */
  private async putAll(): Promise<void> {
    while (this.putAgain) {
      this.putAgain = false;
      for (const session of [...this.sessions.values()]) await this.put(session).catch(() => undefined);
    }
  }

  private async put(session: WhipSession): Promise<void> {
    const { audio, video } = this.options.tracks();
    await session.replaceTrack('audio', audio);
    await session.replaceTrack('video', video);
    await session.limitVideo(this.options.limits());
    await session.limitAudio(this.options.audioBitrate);
  }

  private arm(): void {
    clearTimeout(this.timer);
    const due = this.policy.deadline();
    if (due !== undefined) {
      this.timer = setTimeout(() => this.feed({ kind: 'tick' }), Math.max(0, due - performance.now()));
    }
  }
}
