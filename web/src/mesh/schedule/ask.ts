// What is asked of whom: the rarest piece, of the peer that will have sent it first, while there is
// room; and what becomes of requests that are not answered.

import type { RejectReason } from '../wire';
import { pick, place, unseen } from './order';
import { Meter, type Peer, PeerSet } from './peers';
import { begin, paid, withdraw } from './receive';
import type { Action, Leaf, State } from './state';

/** How long a peer is left alone that was too busy to answer, or could not read (ms). */
const BUSY_PAUSE = 1000;

/**
 * How many bytes may be asked of a peer and not have come: twice what its line holds, so that it
 * never runs dry, and at least two pieces, or its share where the budget is less.
 */
function windowOf(s: State, p: Peer): number {
  const { pair, budget, piece, leaf } = s.config;
  const { arrivals, roundTrip } = s.peer(p);
  const line = Math.trunc((arrivals.rate * roundTrip) / 1000);
  const share = Math.max(leaf, Math.floor(budget / s.here.size));
  return Math.min(pair, Math.max(2 * line, Math.min(2 * piece, share)));
}

/** How many bytes may be asked of a peer now; 0 unless it is worth a frame. */
export function roomAt(s: State, p: Peer): number {
  const window = windowOf(s, p);
  const room = Math.min(window - s.peer(p).asked, s.config.budget - s.asked);
  const worth = Math.max(s.config.leaf, Math.min(s.config.piece, Math.floor(window / 2)));
  return room < worth ? 0 : room;
}

/** The peers of whom something can be asked now. */
function askable(s: State): PeerSet {
  const set = new PeerSet();
  for (const p of s.here.list()) {
    const { useful, quiet } = s.peer(p);
    if (useful > 0 && quiet === undefined && roomAt(s, p) > 0) set.add(p);
  }
  return set;
}

/** The mean rate of the peers whose rate is known: a guess for the others. */
function usualRate(s: State): number {
  const known = s.here
    .list()
    .map((p) => s.peer(p).arrivals.rate)
    .filter((rate) => rate > 0);
  return known.length === 0 ? 1 : known.reduce((sum, rate) => sum + rate, 0) / known.length;
}

/** Asks for pieces in order, each of the peer that will have sent it first, while there is room. */
export function addWants(s: State, out: Action[], now: number): void {
  for (;;) {
    const from = askable(s);
    const i = from.empty ? undefined : pick(s, from);
    if (i === undefined) return;
    s.picked = i;
    const usual = usualRate(s);
    // How many seconds it will take when it is asked of a peer now.
    const wait = (p: Peer): number => (s.peer(p).asked + s.config.piece) / (s.peer(p).arrivals.rate || usual);
    const peer = s.piece(i).shown.and(from).least(s.chance, wait);
    if (peer === undefined) return;
    ask(s, out, peer, i, now);
  }
}

/** Asks a peer for what nobody was asked for of a piece, as far as there is room. */
export function ask(s: State, out: Action[], peer: Peer, i: number, now: number): void {
  const leaves = begin(s, i);
  let room = roomAt(s, peer);
  for (const [l, leaf] of leaves.entries()) {
    if (leaf.here || !leaf.askers.empty) continue;
    const bytes = s.leafBytes(i, l);
    if (bytes > room) break;
    room -= bytes;
    s.piece(i).unasked--;
    owe(s, peer, i, l, leaf, now);
    addWant(out, peer, i, l);
  }
  place(s, i);
}

/** Notes that a leaf was asked of a peer. */
export function owe(s: State, p: Peer, i: number, l: number, leaf: Leaf, now: number): void {
  const peer = s.peer(p);
  if (peer.asked === 0) {
    peer.heard = now;
    peer.arrivals.begin(now);
  }
  const bytes = s.leafBytes(i, l);
  peer.asked += bytes;
  s.asked += bytes;
  leaf.askers.add(p);
}

/** Adds a WANT, or makes the last one longer. */
function addWant(out: Action[], peer: Peer, piece: number, leaf: number): void {
  const last = out.at(-1);
  if (last?.kind === 'want' && last.peer === peer && last.piece === piece && last.first + last.count === leaf) {
    last.count++;
  } else {
    out.push({ kind: 'want', peer, piece, first: leaf, count: 1 });
  }
}

/** A peer will not send leaves that it was asked for. Throws ScheduleError. */
export function rejected(
  s: State,
  p: Peer,
  i: number,
  first: number,
  count: number,
  reason: RejectReason,
  now: number,
): void {
  s.mustHave(i, first, count);
  if (!s.here.has(p)) return;
  for (let l = first; l < first + count; l++) release(s, i, l, p);
  if (reason === 'not-held' && s.piece(i).shown.has(p)) unseen(s, i, p);
  else s.peer(p).quiet = now + BUSY_PAUSE;
  place(s, i);
}

/** Notes that a peer no longer owes a leaf, if it did. */
function release(s: State, i: number, l: number, p: Peer): boolean {
  const piece = s.piece(i);
  const leaf = piece.leaves?.[l];
  if (!leaf?.askers.has(p)) return false;
  paid(s, p, s.leafBytes(i, l));
  leaf.askers.remove(p);
  if (leaf.askers.empty) piece.unasked++;
  return true;
}

/** Releases all that a peer owes of a piece. */
export function forget(s: State, i: number, p: Peer): void {
  for (let l = 0; l < s.leavesOf(i); l++) release(s, i, l, p);
  place(s, i);
}

/** Cancels all that a peer owes of a piece. */
export function takeBack(s: State, i: number, p: Peer, now: number): void {
  for (let l = 0; l < s.leavesOf(i); l++) {
    if (release(s, i, l, p)) withdraw(s, p, i, l, now);
  }
  place(s, i);
}

/**
 * Takes back what is owed by peers that have sent nothing for long, and leaves them alone for a
 * while, so that others are asked first. It ends such whiles that are over.
 */
export function releaseStalled(s: State, now: number): void {
  for (const p of s.here.list()) {
    const peer = s.peer(p);
    if (peer.quiet !== undefined && now >= peer.quiet) peer.quiet = undefined;
    if (peer.asked === 0 || now - peer.heard < s.config.stall) continue;
    for (const i of s.begun) takeBack(s, i, p, now);
    peer.arrivals = new Meter();
    peer.quiet = now + s.config.stall / 4;
  }
}
