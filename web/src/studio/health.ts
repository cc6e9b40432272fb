// Why the stream is not better, in words: what the statistics say against what was asked for.
// Pure. A verdict is given at once for the worse only when it lasts, so that words do not flicker.

import type { Size } from '../media/source';
import type { Figures, TrackRates } from '../stats/rates';
import type { Snapshot } from '../stats/vocabulary';
import { bitrate, milliseconds, percent } from '../ui/format';

export type Level = 'good' | 'fair' | 'bad';

export interface Health {
  level: Level;
  title: string;
  /** What can be done, or what it means. */
  advice: string;
}

/** What is expected of the stream now. */
export interface Asked {
  /** The picture should be this large; undefined when there is none. */
  size: Size | undefined;
  /** bit/s that the picture may use. */
  maxBitrate: number;
  /** The picture moves: the file plays, the camera is on. */
  moving: boolean;
  hidden: boolean;
}

export const GOOD: Health = { level: 'good', title: 'The connection is good.', advice: '' };

/** Limits above which people see or hear it. */
const LOSS = { fair: 0.02, bad: 0.08 };
const ROUND_TRIP = { fair: 0.3, bad: 0.8 }; // s

export function judge(figures: Figures, snapshot: Snapshot, asked: Asked): Health {
  const video = best(figures);
  const loss = Math.max(0, ...figures.tracks.map((t) => (t.direction === 'out' ? (t.loss ?? 0) : 0)));
  const available = snapshot.transport.available;
  if (loss >= LOSS.bad) return lossy('bad', loss);
  if (video?.limitedBy === 'cpu') return slowComputer(snapshot);
  if (video?.limitedBy === 'bandwidth' && isThin(available, asked)) return thinLine(available, asked, video.width);
  if (loss >= LOSS.fair) return lossy('fair', loss);
  if (asked.hidden && asked.moving && video && video.frameRate < 5) {
    return {
      level: 'fair',
      title: 'This tab is in the background.',
      advice: 'Browsers slow such tabs down: viewers hear everything and see few pictures. Keep the tab in front.',
    };
  }
  const trip = figures.roundTrip ?? 0;
  if (trip >= ROUND_TRIP.fair) {
    return {
      level: trip >= ROUND_TRIP.bad ? 'bad' : 'fair',
      title: `The way to the server is long: ${milliseconds(trip)}.`,
      advice:
        'Viewers see everything a little later. A cable is better than Wi-Fi, and Wi-Fi better than a phone’s network.',
    };
  }
  return GOOD;
}

/** The picture that is sent; of several qualities the largest that is being sent now. */
function best(figures: Figures): TrackRates | undefined {
  const all = figures.tracks.filter((t) => t.kind === 'video' && t.direction === 'out');
  const sent = all.filter((t) => t.frameRate > 0);
  return (sent.length > 0 ? sent : all).reduce<TrackRates | undefined>(
    (most, t) => (most && (most.width ?? 0) >= (t.width ?? 0) ? most : t),
    undefined,
  );
}

function lossy(level: Level, loss: number): Health {
  return {
    level,
    title: `${percent(loss)} of what is sent gets lost on the way.`,
    advice: 'Most of it is sent again. A cable is better than Wi-Fi; a lower bitrate helps too.',
  };
}

function slowComputer(snapshot: Snapshot): Health {
  const encoder = snapshot.outbound.find((t) => t.kind === 'video')?.encoder;
  return {
    level: 'fair',
    title: 'This computer is too slow for such a picture.',
    advice: `Choose a smaller picture or fewer pictures a second, or close other programs.${encoder ? ` (Encoder: ${encoder})` : ''}`,
  };
}

/** In its first seconds a connection is still finding out how much gets through, and says "bandwidth" meanwhile. */
function isThin(available: number | undefined, asked: Asked): boolean {
  return available === undefined || available < asked.maxBitrate * 1.1;
}

function thinLine(available: number | undefined, asked: Asked, width: number | undefined): Health {
  const small = asked.size !== undefined && width !== undefined && width < asked.size.width * 0.9;
  const line = available === undefined ? '' : `About ${bitrate(available)} get through; `;
  const wish = `${line}${line ? 'the' : 'The'} picture would need up to ${bitrate(asked.maxBitrate)}.`;
  return {
    level: available !== undefined && available < asked.maxBitrate / 3 ? 'bad' : 'fair',
    title: small
      ? 'The line to the server is thin, so viewers see a smaller picture.'
      : 'The line to the server is thin, so viewers see a coarser picture.',
    advice: `${wish} A smaller picture will look better than a starved large one.`,
  };
}

/** How many looks in a row must agree before the words change, for the worse and for the better. */
const AGREE = { worse: 3, better: 2 };
const RANK: Record<Level, number> = { good: 0, fair: 1, bad: 2 };

/** Shows a verdict only when it lasts. */
export class Steady {
  private shown: Health = GOOD;
  private coming: Health | undefined;
  private looks = 0;

  observe(health: Health): Health {
    // The same matter with fresh figures is told at once.
    if (health.level === this.shown.level && matter(health) === matter(this.shown)) {
      this.coming = undefined;
      this.shown = health;
      return this.shown;
    }
    this.looks = this.coming && matter(this.coming) === matter(health) ? this.looks + 1 : 1;
    this.coming = health;
    const worse = RANK[health.level] > RANK[this.shown.level];
    if (this.looks >= (worse ? AGREE.worse : AGREE.better)) {
      this.shown = health;
      this.coming = undefined;
    }
    return this.shown;
  }

  reset(): void {
    this.shown = GOOD;
    this.coming = undefined;
  }
}

/** A title without its figures. */
function matter(health: Health): string {
  return health.title.replace(/[\d.,]+/g, '#').replace(/# (ms|%|kbit\/s|Mbit\/s)/g, '#');
}
