// Where what comes is kept, from the choice of the place to the journal of what lies there: the shell
// round place.ts. It draws nothing, and asks the person by the browser's own dialogs alone.

import { hex } from '../mesh/bytes';
import { layoutOf } from '../mesh/manifest';
import type { Offered } from '../mesh/peer/config';
import { lost, type Root, spoilt } from '../mesh/peer/content';
import type { Journal, StoredPiece, Target } from '../mesh/peer/journal';
import { Memory, NoRoom, PrivateFile, privateRoom, type Sink } from '../mesh/peer/sink';
import { Packed, piecesOf, sizeOf } from './packed';
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
  /** Ends when nothing of what is here is being given away. */
  private giving: Promise<unknown> = Promise.resolve();

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
    const pieces = piecesOf(layout, wanted);
    const size = sizeOf(layout, pieces);
    const free = await privateRoom();
    const file = free > size ? await this.privateFile(offered) : undefined;
    const place = choosePlace({
      size,
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
    } else if (place === 'memory') this.sink = new Packed(new Memory(size), layout, pieces);
    else this.sink = file && new Packed(file, layout, pieces);
    if (!this.sink) throw new NoRoom();
    const begun = { id: offered.id, wanted: [...wanted], packed: true, ...(target && { target }) };
    if (this.sink.lasting) await this.journal.begin(begun, Date.now());
    return { sink: this.sink, whole: new Map() };
  }

  /**
   * Opens the place of an earlier time, and looks at a sample of what lies there. ask: the person may be asked whether the page may write there
   * again. Throws NotChosen when it may not, or not without a question.
   */
  async goOn(offered: Offered, ask: boolean): Promise<Kept> {
    const { wanted = [], packed = false, target } = this.journal.begun ?? {};
    const layout = layoutOf(offered.manifest);
    const whole = new Map<number, Root>();
    for (const { piece, ...root } of await this.journal.pieces()) whole.set(piece, root);
    if (target) {
      const picked = new Picked(target, offered.manifest, layout, new Set(wanted), whole.keys());
      if (!picked.complete && !(await permitted(target, ask))) throw new NotChosen();
      this.sink = picked;
    } else {
      const file = await this.privateFile(offered);
      this.sink = file && packed ? new Packed(file, layout, piecesOf(layout, wanted)) : file;
      if (this.sink) await this.forget(await lost(this.sink, layout, whole), whole);
    }
    if (!this.sink) throw new NoRoom();
    return { sink: this.sink, whole };
  }

  /**
   * Looks at all that was there from an earlier time, whenever the page has nothing better to do. wrong:
   * hears of a piece that is not as it was stored, once the journal does not have it any more.
   */
  async lookOn(
    offered: Offered,
    whole: ReadonlyMap<number, Root>,
    wrong: (piece: number) => Promise<void>,
  ): Promise<void> {
    const { sink } = this;
    if (!sink || sink.placed) return;
    for (const piece of whole.keys()) {
      await idle();
      await this.giving;
      const bad = await spoilt(sink, layoutOf(offered.manifest), whole, [piece]);
      if (bad.length === 0) continue;
      await this.journal.drop(bad);
      await this.giving; // it may have begun since
      await wrong(piece);
    }
  }

  /** Has lookOn wait while what is here is given away: a file that is opened again meanwhile cannot be read to its end. */
  give<T>(work: () => Promise<T>): Promise<T> {
    const given = work();
    this.giving = Promise.allSettled([this.giving, given]);
    return given;
  }

  private async forget(pieces: readonly number[], whole: Map<number, Root>): Promise<void> {
    for (const piece of pieces) whole.delete(piece);
    await this.journal.drop(pieces);
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

/** How long is waited where the browser does not tell when it has nothing to do (ms). */
const PAUSE = 100;

const idle = (): Promise<unknown> =>
  new Promise((resolve) => {
    if ('requestIdleCallback' in globalThis) requestIdleCallback(resolve);
    else setTimeout(resolve, PAUSE);
  });
