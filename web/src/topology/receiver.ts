// The shell round Rejoin for a viewer: makes paths, tells the policy how they are, and hands the
// chosen one to the screen. It decides nothing.

import { HttpProblem } from './http';
import type { LegState } from './leg';
import type { Path } from './path';
import { type PathId, type PathStatus, Rejoin, type RejoinInput, type RejoinOutput } from './rejoin';

/** Where pictures are shown. */
export interface Screen {
  /** Shows this path from now on; undefined leaves the last picture. */
  use(path: Path | undefined): void;
  /** Calls back once, when the path has a picture (or sound where there is no picture). The result ends the waiting. */
  whenShown(path: Path, shown: () => void): () => void;
}

export interface ReceiverOptions {
  screen: Screen;
  /** Makes a path that is not open yet, with the latest token. */
  makePath(onState: (state: LegState) => void): Path;
  onStatus(status: PathStatus): void;
  /** The path that is shown, for the figures. */
  onPath(path: Path | undefined): void;
  /** The server refused the token: greet it again, then call renew(). */
  onGreet(): void;
  /** The reason of the last refusal in words, for the page. */
  onProblem(problem: HttpProblem): void;
}

interface Open {
  path: Path;
  stopWaiting: () => void;
}

export class Receiver {
  private readonly options: ReceiverOptions;
  private readonly policy = new Rejoin(Math.random);
  private readonly paths = new Map<PathId, Open>();
  private used: PathId | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly hurry = (): void => this.feed({ kind: 'hurry' });
  // Firefox ends a page's connections as soon as it sets out for another page, well before pagehide.
  private readonly leaving = (): void => this.feed({ kind: 'leaving' });

  constructor(options: ReceiverOptions) {
    this.options = options;
    window.addEventListener('online', this.hurry);
    window.addEventListener('beforeunload', this.leaving);
  }

  /** Whether there should be a path at all. */
  want(want: boolean): void {
    this.feed({ kind: 'want', want });
  }

  /** There is a new token. */
  renew(): void {
    this.feed({ kind: 'renew' });
  }

  /** The server was restarted and knows nothing of the sessions that were made before. */
  restarted(): void {
    for (const { path } of this.paths.values()) path.orphan();
    this.feed({ kind: 'renew' });
  }

  /** The path in use is connected and silent although the stream is live. */
  stalled(): void {
    if (this.used !== undefined) this.feed({ kind: 'stalled', id: this.used });
  }

  close(): void {
    window.removeEventListener('online', this.hurry);
    window.removeEventListener('beforeunload', this.leaving);
    this.feed({ kind: 'want', want: false });
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
        this.open(output.id);
        break;
      case 'restart':
        void this.restart(output.id);
        break;
      case 'close':
        this.drop(output.id);
        break;
      case 'use':
        this.used = output.id;
        this.options.screen.use(this.paths.get(output.id)?.path);
        this.options.onPath(this.paths.get(output.id)?.path);
        break;
      case 'greet':
        this.options.onGreet();
        break;
      case 'status':
        this.options.onStatus(output.status);
        break;
    }
  }

  private open(id: PathId): void {
    const path = this.options.makePath((state) => this.feed({ kind: 'state', id, state }));
    const stopWaiting = this.options.screen.whenShown(path, () => this.feed({ kind: 'shown', id }));
    this.paths.set(id, { path, stopWaiting });
    path.open().then(
      () => this.feed({ kind: 'opened', id }),
      (cause: unknown) => this.refused(id, cause),
    );
  }

  private refused(id: PathId, cause: unknown): void {
    if (!this.paths.has(id)) return;
    // What is no answer of the server is the browser's refusal of the answer: the same offer will not do better.
    const problem =
      cause instanceof HttpProblem ? cause : new HttpProblem(406, 'This browser cannot use the server’s answer.');
    this.options.onProblem(problem);
    this.feed({ kind: 'openFailed', id, status: problem.status, retryAfter: problem.retryAfter });
  }

  private async restart(id: PathId): Promise<void> {
    try {
      await this.paths.get(id)?.path.restart();
    } catch {
      this.feed({ kind: 'restartFailed', id });
    }
  }

  private drop(id: PathId): void {
    const open = this.paths.get(id);
    this.paths.delete(id);
    open?.stopWaiting();
    open?.path.close();
    if (this.used !== id) return;
    this.used = undefined;
    this.options.screen.use(undefined);
    this.options.onPath(undefined);
  }

  private arm(): void {
    clearTimeout(this.timer);
    const due = this.policy.deadline();
    if (due !== undefined) {
      this.timer = setTimeout(() => this.feed({ kind: 'tick' }), Math.max(0, due - performance.now()));
    }
  }
}
