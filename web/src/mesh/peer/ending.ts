// When everything that is wanted is here, and when a part of that turns out not to be.

import { UPLOADER } from '../token';
import type { Peer } from './swarm';

export class Ending {
  private readonly peer: Peer;
  /** The sink is being finished, or is; undefined while something is missing. */
  private done: Promise<void> | undefined;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** Finishes when nothing is missing. */
  check(): void {
    const { sched, content, fetching, ended } = this.peer;
    if (!fetching || !sched || !content?.sink || this.done || ended) return;
    fetching.widen(performance.now());
    if (this.peer.changed && fetching.missing > 0 && !sched.swarmHolds) {
      this.peer.end({ kind: 'changed' });
      return;
    }
    if (fetching.missing > 0 || this.peer.paused) return;
    this.done = content.sink.finish().then(
      () => this.finished(),
      (error) => {
        this.done = undefined;
        this.peer.storageFailed(error);
      },
    );
  }

  private finished(): void {
    this.peer.finished = true;
    this.peer.report(performance.now());
    this.peer.cfg.tell({ kind: 'finished' });
  }

  /**
   * A piece that was here is not as it was when it was stored: it is fetched again, also where everything had
   * been finished, unless nobody who is there has it: then all the rest stays finished. Returns whether it is.
   * Throws what the sink throws.
   */
  async lose(piece: number): Promise<boolean> {
    await this.done; // what is being closed takes nothing
    const { peer } = this;
    if (!peer.fetching || peer.ended || (this.done && !this.isThere(piece))) return false;
    if (this.done) await peer.content?.sink?.reopen?.();
    peer.finished = false;
    this.done = undefined;
    peer.fetching.lose(piece);
    peer.kick();
    peer.report(performance.now()); // an uploader may count on us
    return true;
  }

  /** Whether somebody who is connected has a piece. The uploader has all, also what it has not shown yet. */
  private isThere(piece: number): boolean {
    const { links, sched } = this.peer;
    return [...links.all.values()].some(
      ({ conn, slot, token }) => !conn.silent && ((token.rights & UPLOADER) !== 0 || sched?.isShown(slot, piece)),
    );
  }
}
