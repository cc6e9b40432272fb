// Where what comes is kept, from the choice of the place to the journal of what lies there: the shell
// round place.ts. It draws nothing, and asks the person by the browser's own dialogs alone.

import { hex } from '../mesh/bytes';
import { layoutOf } from '../mesh/manifest';
import type { Offered } from '../mesh/peer/config';
import type { Root } from '../mesh/peer/content';
import type { Journal, StoredPiece, Target } from '../mesh/peer/journal';
import { Memory, NoRoom, PrivateFile, privateRoom, type Sink } from '../mesh/peer/sink';
import { canPick, isSingle, Picked, permitted, pickTarget } from './picked';
import { choosePlace, memoryFor } from './place';
import { canFeedDownloads } from './save';
import { canServe, type Served } from './served';
import { Streamed } from './streamed';

/** The person has closed the dialog, or does not let the page write again. */
export class NotChosen extends Error {}

/** What is there already. */
export interface Kept {
  sink: Sink;
  whole: ReadonlyMap<number, Root>;
}

export class Keeping {
  sink: Sink | undefined;
  private readonly journal: Journal;
  /** Names the file in the browser's private file system. */
  private readonly name: string;
  /** Whole pieces that are not in the journal. */
  private fresh: StoredPiece[] = [];
  private noting = false;

  constructor(journal: Journal, name: string) {
    this.journal = journal;
    this.name = name;
  }

  /**
   * Opens a place for the files that are wanted, and asks the person for one where the browser has none
   * of its own. served: gives the browser bytes of this page. Throws NotChosen and NoRoom.
   */
  async begin(offered: Offered, wanted: ReadonlySet<number>, served: () => Promise<Served | undefined>): Promise<Kept> {
    const { manifest } = offered;
    const layout = layoutOf(manifest);
    const free = await privateRoom();
    const file = free > layout.total ? await this.privateFile(offered) : undefined;
    const place = choosePlace({
      size: layout.total,
      single: isSingle(manifest, wanted),
      free: file && free,
      ...canPick(),
      service: canServe() && canFeedDownloads(),
      memory: memoryFor((navigator as { deviceMemory?: number }).deviceMemory),
    });
    let target: Target | undefined;
    if (place === 'picked') {
      target = await pickTarget(manifest, wanted);
      if (!target) throw new NotChosen();
      this.sink = new Picked(target, manifest, layout, wanted, []);
    } else if (place === 'stream' && (await served())) {
      this.sink = new Streamed(
        layout,
        [...wanted].filter((one) => (manifest.files[one]?.size ?? 0) > 0).sort((a, b) => a - b),
      );
    } else if (place === 'memory') this.sink = new Memory(layout.total);
    else this.sink = file;
    if (!this.sink) throw new NoRoom();
    const begun = { id: offered.id, wanted: [...wanted], ...(target && { target }) };
    if (this.sink.lasting) await this.journal.begin(begun, Date.now());
    return { sink: this.sink, whole: new Map() };
  }

  /**
   * Opens the place of an earlier time. ask: the person may be asked whether the page may write there
   * again. Throws NotChosen when it may not, or not without a question.
   */
  async goOn(offered: Offered, ask: boolean): Promise<Kept> {
    const { wanted = [], target } = this.journal.begun ?? {};
    const layout = layoutOf(offered.manifest);
    const whole = new Map<number, Root>();
    for (const { piece, ...root } of await this.journal.pieces()) whole.set(piece, root);
    if (target) {
      const picked = new Picked(target, offered.manifest, layout, new Set(wanted), whole.keys());
      if (!picked.complete && !(await permitted(target, ask))) throw new NotChosen();
      this.sink = picked;
    } else this.sink = await this.privateFile(offered);
    if (!this.sink) throw new NoRoom();
    return { sink: this.sink, whole };
  }

  private privateFile({ id }: Offered): Promise<PrivateFile | undefined> {
    // A private window may have none, and another tab may be at it.
    return PrivateFile.open(`${this.name}.${hex(id).slice(0, 16)}`).catch(() => undefined);
  }

  stored(piece: StoredPiece): void {
    this.fresh.push(piece);
  }

  /** Writes down what is stored, when it is safe on the disk. */
  async note(): Promise<void> {
    if (this.noting || this.fresh.length === 0 || !this.sink?.lasting) return;
    this.noting = true;
    const pieces = this.fresh.splice(0);
    try {
      if (await this.sink.flush()) await this.journal.add(pieces);
      else this.fresh.unshift(...pieces);
    } catch {
      this.fresh.unshift(...pieces); // the disk is full, say; what is not noted is fetched again
    }
    this.noting = false;
  }
}
