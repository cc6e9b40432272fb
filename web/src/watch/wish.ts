// What the page asks the server for: a picture as large as it is shown, or the one that was chosen,
// and the least while nobody looks. And when it asks: never more than once a second. Pure.

import type { Picture, Quality, Wish } from '../topology/picture';
import { bitrate } from '../ui/format';

/** What the page knows of the picture on the screen. */
export interface Shown {
  /** Size of the element or of its own window, in CSS pixels; 0 while it has none. */
  width: number;
  height: number;
  /** Device pixels of a CSS pixel. */
  ratio: number;
  /** Of the picture that comes, 0 before the first. */
  pictureWidth: number;
  pictureHeight: number;
  /** The page is in the background, and the picture is in no window of its own. */
  hidden: boolean;
}

/** A picture that is a tenth larger on the screen than it comes looks the same. */
const ENLARGED = 1.1;

/** chosen: the height that was chosen by hand; undefined for the best that fits. */
export function wishOf(shown: Shown, chosen: number | undefined): Wish {
  if (chosen !== undefined) return { maxHeight: chosen, hidden: shown.hidden };
  const shape = shown.pictureWidth > 0 ? shown.pictureHeight / shown.pictureWidth : 9 / 16;
  const height = Math.min(shown.height, shown.width * shape) * shown.ratio;
  return { maxHeight: Math.ceil(height / ENLARGED), hidden: shown.hidden };
}

export const PACE = {
  settle: 300, // ms without a change: an edge is being dragged
  least: 1_000, // ms between two requests
  look: 2_000, // ms between two looks while somebody reads the figures
} as const;

/** When the next request is due, and which. */
export class Pacer {
  private wish: Wish | undefined;
  private told: Wish | undefined;
  private changed = 0;
  private asked = Number.NEGATIVE_INFINITY;
  private reachable = false;
  private curious = false;
  private once = false;

  /** Another path: it knows nothing of what was told before. */
  forget(): void {
    this.told = undefined;
  }

  /** Whether there is somebody to ask, who knows the path. */
  reach(reachable: boolean): void {
    this.reachable = reachable;
  }

  want(wish: Wish, now: number): void {
    if (this.wish && same(this.wish, wish)) return;
    // The first wish has nothing to settle.
    this.changed = this.wish ? now : now - PACE.settle;
    this.wish = wish;
  }

  /** Somebody reads what the server says, or might choose from it. */
  watch(curious: boolean): void {
    this.curious = curious;
  }

  /** The picture has changed: one look, whoever reads it. */
  look(): void {
    this.once = true;
  }

  /** ms; undefined when there is nothing to ask. */
  due(): number | undefined {
    if (!this.wish || !this.reachable) return undefined;
    const soonest = this.asked + PACE.least;
    if (!this.told || !same(this.told, this.wish)) return Math.max(this.changed + PACE.settle, soonest);
    if (this.once) return soonest;
    return this.curious ? this.asked + PACE.look : undefined;
  }

  /** What to ask now, if anything: a wish to tell, or a look without one. */
  take(now: number): { wish: Wish | undefined } | undefined {
    const due = this.due();
    if (due === undefined || due > now || !this.wish) return undefined;
    const fresh = !this.told || !same(this.told, this.wish);
    this.asked = now;
    this.once = false;
    this.told = this.wish;
    return { wish: fresh ? this.wish : undefined };
  }
}

function same(a: Wish, b: Wish): boolean {
  return a.maxHeight === b.maxHeight && a.hidden === b.hidden;
}

export interface Choice {
  /** Undefined: automatic. */
  height: number | undefined;
  words: string;
}

/** The quality menu: automatic, then the largest first. What was chosen stays, even when it is not there now. */
export function choices(picture: Picture | undefined, chosen: number | undefined): Choice[] {
  const best = new Map<number, Quality>();
  for (const q of picture?.qualities ?? []) if (q.height > 0) best.set(q.height, q);
  const list: Choice[] = [...best.values()].map((q) => ({ height: q.height, words: qualityName(q) }));
  if (chosen !== undefined && !best.has(chosen)) list.push({ height: chosen, words: `${chosen}p` });
  list.sort((a, b) => (b.height ?? 0) - (a.height ?? 0));
  return [{ height: undefined, words: 'Auto' }, ...list];
}

/** "720p · 2.4 Mbit/s" */
export function qualityName(q: Quality): string {
  return q.bitrate > 0 ? `${q.height}p · ${bitrate(q.bitrate)}` : `${q.height}p`;
}

/** Why the picture is not better, in words. */
export function boundWords(picture: Picture, wish: { chosen: boolean; hidden: boolean }): string | undefined {
  switch (picture.bound) {
    case 'line':
      return 'Your line carries no more';
    case 'source':
      return 'It is the best there is';
    case 'wish':
      if (wish.hidden) return 'Nobody is looking';
      return wish.chosen ? 'You chose it' : 'No more can be seen at this size';
    default:
      return undefined;
  }
}
