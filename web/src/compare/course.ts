// What befalls the ways of one run, and what follows from it. A way that this server or this browser does not do
// at all is left out, and the others go on; whatever else happens to one makes the run invalid, even where it comes
// back by itself, and says why. Pure.

import { called, type Way } from './plan';

/** broke: it may come back. over: it does not. never: this server, or this browser, does nothing of the kind. */
export type Trouble = 'broke' | 'over' | 'never';

/** A way that was planned and is not part of the run. */
export interface LeftOut {
  way: Way;
  /** In words, a sentence. */
  why: string;
}

/** What there is to say of a run while it goes on, and afterwards. */
export interface Notes {
  /** Why it is not what was planned; empty: it was. */
  troubles: readonly string[];
  leftOut: readonly LeftOut[];
}

export class Course {
  private readonly viewers: number;
  /** Ways, and single viewers of ways. */
  private readonly over = new Set<string>();
  private measuring = false;
  private going: readonly Way[];
  private left: readonly LeftOut[] = [];
  private told: readonly string[] = [];

  /** viewers: of each way. */
  constructor(ways: readonly Way[], viewers: number) {
    this.going = ways;
    this.viewers = viewers;
  }

  /** Those that were not left out. */
  get ways(): readonly Way[] {
    return this.going;
  }

  get notes(): Notes {
    return { troubles: this.told, leftOut: this.left };
  }

  /** From now on it is measured: a way that ends is part of it all the same. */
  measure(): void {
    this.measuring = true;
  }

  /** words: a sentence. viewer: the one whom it befell, counted from 0; undefined: all of the way. */
  befall(way: Way, kind: Trouble, words: string, viewer?: number): void {
    if (!this.going.includes(way)) return;
    if (kind === 'never' && !this.measuring) {
      this.going = this.going.filter((w) => w !== way);
      this.left = [...this.left, { way, why: words }];
      return;
    }
    if (kind !== 'broke') this.over.add(placeOf(way, viewer));
    this.note(`${called(way, this.viewers > 1 ? viewer : undefined)}: ${words}`);
  }

  /** Something that befell the run, or one of its ways. */
  note(words: string): void {
    if (!this.told.includes(words)) this.told = [...this.told, words];
  }

  /** It is worth waiting for pictures by this way at this viewer, counted from 0. */
  awaited(way: Way, viewer: number): boolean {
    // What the first one of the tree does not get, no other does.
    const from = way === 'tree' ? [0, viewer] : [viewer];
    const ended = [placeOf(way), ...from.map((v) => placeOf(way, v))].some((place) => this.over.has(place));
    return this.going.includes(way) && !ended;
  }

  /** Why there is nothing to measure, in words; undefined while there is. */
  get nothing(): string | undefined {
    const all = Array.from({ length: this.viewers }, (_, viewer) => viewer);
    if (this.going.some((way) => all.some((viewer) => this.awaited(way, viewer)))) return undefined;
    return [...this.left.map(leftOutWords), ...this.told].join(' ');
  }
}

/** viewer: undefined: all of the way. */
function placeOf(way: Way, viewer?: number): string {
  return viewer === undefined ? way : `${way} ${viewer}`;
}

export function leftOutWords({ way, why }: LeftOut): string {
  return `“${called(way)}” is left out. ${why}`;
}
