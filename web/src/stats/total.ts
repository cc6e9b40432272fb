// Figures of several connections together: what a source of direct ways sends, and how many pictures it
// encodes. The shell is small: it asks, the arithmetic is derive's and sum's.

import { derive, type Figures } from './rates';
import { sample } from './sample';
import type { Snapshot } from './vocabulary';

export interface Total {
  bitrateOut: number; // bit/s, everything
  /** Pictures that are being encoded: one for each connection and quality. */
  encodes: number;
  /** What the line carries upwards as far as browsers tell, bit/s; undefined where none does. */
  available: number | undefined;
  /** The line, and nothing else, keeps pictures from being better. */
  limited: boolean;
}

/** The pure part. */
export function sum(list: readonly Figures[]): Total {
  const out = list.flatMap((f) => f.tracks.filter((t) => t.direction === 'out' && t.kind === 'video'));
  const sending = list.filter((f) => f.tracks.some((t) => t.direction === 'out' && t.bitrate > 0));
  const bitrateOut = list.reduce((n, f) => n + f.bitrateOut, 0);
  // All share one line. What one of them could have, beside what the others send: the best of these is the line.
  const lines = sending.flatMap(({ transport, bitrateOut: own }) =>
    transport.available === undefined ? [] : transport.available + bitrateOut - own,
  );
  return {
    bitrateOut,
    encodes: out.filter((t) => t.frameRate > 0).length,
    available: lines.length > 0 ? Math.max(...lines) : undefined,
    limited: out.some((t) => t.limitedBy === 'bandwidth'),
  };
}

/** Remembers the last snapshot of each connection. */
export class Totals {
  readonly last = new WeakMap<RTCPeerConnection, Snapshot>();

  async take(connections: readonly RTCPeerConnection[]): Promise<Total> {
    const all = await Promise.all(connections.map((connection) => this.figures(connection)));
    return sum(all);
  }

  private async figures(connection: RTCPeerConnection): Promise<Figures> {
    const now = await sample(connection);
    const figures = derive(this.last.get(connection), now);
    this.last.set(connection, now);
    return figures;
  }
}

/** What goes up by plain HTTP, of which no connection tells: bit/s from the bytes that the server has taken. */
export class Recorded {
  private last: { sent: number; at: number } | undefined;

  /** sent: bytes in all, undefined while nothing is sent that way; now in ms. */
  observe(sent: number | undefined, now: number): { bitrateOut: number; encodes: number } {
    const { last } = this;
    this.last = sent === undefined ? undefined : { sent, at: now };
    if (sent === undefined) return { bitrateOut: 0, encodes: 0 };
    const bitrateOut = last && now > last.at ? (Math.max(0, sent - last.sent) * 8000) / (now - last.at) : 0;
    return { bitrateOut, encodes: 1 };
  }
}

/** What a line carries upwards. */
export interface Line {
  /** bit/s; undefined where it is not known. */
  uplink: number | undefined;
  /** Nothing has limited it for long: it may carry more. */
  atLeast: boolean;
}

/** Estimates begin low and find out what a line carries in the first seconds, of each connection. ms */
const LEARNING = 10_000;

/**
 * What is to be believed of a line's estimates: nothing in the first seconds; and that a line carries no more
 * than they say, only when it has kept pictures from being better for as long.
 */
export class Uplink {
  private since: number | undefined;
  private limited: number | undefined;

  observe(total: Total, now: number): Line {
    if (total.available === undefined) this.since = undefined;
    else this.since ??= now;
    if (!total.limited) this.limited = undefined;
    else this.limited ??= now;
    if (this.since === undefined || now - this.since < LEARNING) return { uplink: undefined, atLeast: false };
    const bound = this.limited !== undefined && now - this.limited >= LEARNING;
    return { uplink: total.available, atLeast: !bound };
  }
}
