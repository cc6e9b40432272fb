// What comes: which leaves are expected, and what follows when one is here.

import { place } from './order';
import { type Peer, PeerSet } from './peers';
import type { Leaf, Piece, State } from './state';

/** How long leaves may still come after a CANCEL (ms). */
const GRACE = 10_000;

/**
 * What to make of a leaf that a peer begins to send. Data that is unasked ends the connection; what
 * is withdrawn crossed a CANCEL and is passed over, or used if it is still missing.
 */
export type Expectation = 'unasked' | 'asked' | 'withdrawn';

export function expects(s: State, p: Peer, piece: number, leaf: number, now: number): Expectation {
  if (!s.exists(piece, leaf, 1)) return 'unasked';
  if (s.piece(piece).leaves?.[leaf]?.askers.has(p)) return 'asked';
  const crossed = s.peer(p).withdrawn.some((w) => w.piece === piece && w.leaf === leaf && now < w.until);
  return crossed ? 'withdrawn' : 'unasked';
}

/** A leaf came from a peer, is verified, and can be read again. Returns whether it was news. */
export function leafArrived(s: State, p: Peer, i: number, leaf: number, now: number): boolean {
  if (!s.exists(i, leaf, 1) || s.piece(i).held) return false;
  const piece = s.piece(i);
  const one = begin(s, i)[leaf] as Leaf;
  if (one.here) return false;
  // Nobody owes it when it crossed a CANCEL.
  if (one.askers.empty) piece.unasked--;
  for (const q of one.askers.list()) settle(s, q, q === p, i, leaf, now);
  one.here = true;
  one.askers.clear();
  piece.missing--;
  if (piece.missing === 0) complete(s, i);
  place(s, i);
  return true;
}

/** Takes a leaf that came from what a peer owes: it brought it, or it is told not to. */
function settle(s: State, q: Peer, brought: boolean, i: number, leaf: number, now: number): void {
  paid(s, q, s.leafBytes(i, leaf));
  if (brought) {
    const from = s.peer(q);
    from.heard = now;
    from.arrivals.add(s.leafBytes(i, leaf), now, from.asked > 0);
  } else {
    withdraw(s, q, i, leaf, now);
  }
}

/** The leaves of a piece; makes room for them. */
export function begin(s: State, i: number): Leaf[] {
  const piece = s.piece(i);
  if (!piece.leaves) {
    piece.leaves = Array.from({ length: s.leavesOf(i) }, () => ({ here: false, askers: new PeerSet() }));
    piece.begun = s.begun.length;
    s.begun.push(i);
  }
  return piece.leaves;
}

/** Notes that a piece is whole, and shows it to everybody. */
export function complete(s: State, i: number): void {
  const piece = s.piece(i);
  if (piece.leaves) endBegun(s, piece);
  piece.held = true;
  piece.leaves = undefined;
  piece.missing = 0;
  piece.unasked = 0;
  s.held++;
  if (piece.wanted) s.missing--;
  place(s, i);
  if (s.config.uniqueFirst) return;
  for (const peer of s.here.list()) s.out.push({ kind: 'have', peer, first: i, count: 1 });
}

/** Notes that a whole piece is not here after all. */
export function lose(s: State, i: number): void {
  const piece = s.piece(i);
  if (!piece.held) return;
  piece.held = false;
  piece.missing = s.leavesOf(i);
  piece.unasked = piece.missing;
  s.held--;
  if (piece.wanted) s.missing++;
  place(s, i);
}

function endBegun(s: State, piece: Piece): void {
  const last = s.begun.at(-1) as number;
  s.begun[piece.begun] = last;
  s.piece(last).begun = piece.begun;
  s.begun.pop();
}

/** Takes bytes from what a peer owes. */
export function paid(s: State, p: Peer, bytes: number): void {
  s.peer(p).asked -= bytes;
  s.asked -= bytes;
}

/** Cancels a leaf at a peer. */
export function withdraw(s: State, p: Peer, piece: number, leaf: number, now: number): void {
  const peer = s.peer(p);
  const current = peer.withdrawn.findIndex((w) => now < w.until);
  peer.withdrawn.splice(0, current < 0 ? peer.withdrawn.length : current);
  peer.withdrawn.push({ piece, leaf, until: now + GRACE });
  const last = s.out.at(-1);
  if (last?.kind === 'cancel' && last.peer === p && last.piece === piece && last.first + last.count === leaf) {
    last.count++;
    return;
  }
  s.out.push({ kind: 'cancel', peer: p, piece, first: leaf, count: 1 });
}
