// The order of open pieces: those that are wanted, that somebody shows, and that have leaves which
// nobody was asked for. They lie in buckets by class and number of copies, so that each change
// moves one piece from one bucket to another.

import { MAX_PEERS, type Peer, type PeerSet } from './peers';
import { passedOn } from './show';
import type { State } from './state';

// Classes, in the order in which they are asked for. Begun pieces are finished first, for a piece
// can be passed on only when it is whole; then the window of a player.
const BEGUN = 0;
const PLAYED = 1;
const OTHER = 2;

function bucketOf(s: State, i: number): number {
  const piece = s.piece(i);
  if (piece.held || !piece.wanted || piece.unasked === 0 || piece.shown.empty) return -1;
  const played = s.playing.first <= i && i < s.playing.end;
  const kind = piece.leaves ? BEGUN : played ? PLAYED : OTHER;
  return kind * (MAX_PEERS + 1) + piece.shown.size;
}

/** Puts a piece where it belongs after something has changed, and keeps the peers' counts of open pieces. */
export function place(s: State, i: number): void {
  const piece = s.piece(i);
  const to = bucketOf(s, i);
  const was = piece.bucket;
  if (to === was) return;
  if (was >= 0) takeOut(s, i);
  if (to >= 0) {
    s.buckets[to] ??= [];
    const bucket = s.buckets[to];
    piece.at = bucket.length;
    bucket.push(i);
  }
  piece.bucket = to;
  const change = (to >= 0 ? 1 : 0) - (was >= 0 ? 1 : 0);
  if (change !== 0) for (const p of piece.shown.list()) s.peer(p).useful += change;
}

function takeOut(s: State, i: number): void {
  const { bucket, at } = s.piece(i);
  const list = s.buckets[bucket] as number[];
  const last = list.pop() as number;
  if (last === i) return;
  list[at] = last;
  s.piece(last).at = at;
}

/** Notes that a peer has a piece. */
export function seen(s: State, i: number, p: Peer): void {
  const piece = s.piece(i);
  if (piece.shown.empty) s.lonely--;
  if (piece.bucket >= 0) s.peer(p).useful++;
  piece.shown.add(p);
  s.peer(p).shows++;
  piece.sentTo.remove(p);
  passedOn(s, i, p);
  place(s, i);
}

/** Notes that a peer has it no more, or is gone. */
export function unseen(s: State, i: number, p: Peer): void {
  const piece = s.piece(i);
  if (piece.bucket >= 0) s.peer(p).useful--;
  piece.shown.remove(p);
  s.peer(p).shows--;
  if (piece.shown.empty) s.lonely++;
  place(s, i);
}

/**
 * The first open piece of the order that one of the peers shows; among equals chance decides, or, where there
 * is one peer alone, which piece follows the last: who sends then reads runs instead of single pieces, and
 * nobody else wants any. The very first piece is any: the sooner everybody has something to pass on, the
 * better.
 */
export function pick(s: State, from: PeerSet): number | undefined {
  if (s.held === 0 && s.begun.length === 0 && s.playing.end === 0) {
    const count = s.pieces.length;
    const start = s.chance(count);
    for (let k = 0; k < count; k++) {
      const i = (start + k) % count;
      const piece = s.piece(i);
      if (piece.bucket >= 0 && piece.shown.meets(from)) return i;
    }
  }
  const next = s.here.size === 1 ? s.pieces[s.picked + 1] : undefined;
  for (const [bucket, list] of s.buckets.entries()) {
    if (list === undefined || list.length === 0) continue;
    if (next?.bucket === bucket) return s.picked + 1;
    const start = s.chance(list.length);
    for (let k = 0; k < list.length; k++) {
      const i = list[(start + k) % list.length] as number;
      if (s.piece(i).shown.meets(from)) return i;
    }
  }
  return undefined;
}
