// The uploader's part: each piece is shown to one receiver first, and when every piece has gone out
// once, everything to all.

import { type Peer, PeerSet } from './peers';
import type { Action, State } from './state';

/** Whether a peer was shown a piece. */
export function showsTo(s: State, i: number, p: Peer): boolean {
  return s.piece(i).held && (!s.config.uniqueFirst || s.showing.all || s.piece(i).shownTo.has(p));
}

/** Shows a peer all that is here. */
export function showHeld(s: State, peer: Peer): void {
  for (let i = 0; i < s.pieces.length; i++) {
    const first = i;
    while (i < s.pieces.length && s.piece(i).held) i++;
    if (i > first) s.out.push({ kind: 'have', peer, first, count: i - first });
  }
}

/** Shows each piece to one peer, so many ahead that the line never idles. */
export function addShows(s: State, out: Action[], now: number): void {
  const { showing } = s;
  if (!s.config.uniqueFirst || showing.all || s.here.empty) return;
  let waiting = dropShown(s, now);
  for (const ahead = showAhead(s); waiting < ahead; waiting++) {
    const i = nextToShow(s);
    if (i === undefined) break;
    const peer = neediest(s, s.here.without(s.piece(i).shownTo));
    if (peer === undefined) break;
    showOne(s, i, peer, now);
    out.push({ kind: 'have', peer, first: i, count: 1 });
  }
  if (showing.pending.length > 0 || showing.again.length > 0 || showing.next < s.pieces.length) return;
  showing.all = true;
  for (const peer of s.here.list()) out.push({ kind: 'have', peer, first: 0, count: s.pieces.length });
}

function showOne(s: State, i: number, peer: Peer, at: number): void {
  const piece = s.piece(i);
  passedOn(s, i, undefined);
  piece.carrier = peer;
  s.peer(peer).carrying++;
  piece.shownTo.add(peer);
  piece.sent = 0;
  s.showing.pending.push({ piece: i, peer, at, asked: false });
}

/** Takes the next piece that nobody has and somebody here was not shown. */
function nextToShow(s: State): number | undefined {
  const { showing } = s;
  while (showing.again.length > 0 || showing.next < s.pieces.length) {
    const again = showing.again.shift();
    const i = again ?? showing.next++;
    const piece = s.piece(i);
    if (again !== undefined) piece.again = false;
    if (piece.shown.empty && !s.here.without(piece.shownTo).empty) return i;
  }
  return undefined;
}

/**
 * The receiver with the least to pass on for what it can send, so that fast ones get more of the
 * pieces and none has a long queue. Who cannot take more comes last.
 */
function neediest(s: State, from: PeerSet): Peer | undefined {
  const peers = from.list();
  const known = peers.map((p) => s.peer(p).uploads).filter((rate) => rate > 0);
  const mean = known.length === 0 ? 1 : known.reduce((sum, rate) => sum + rate, 0) / known.length;
  const ready = new PeerSet();
  for (const p of peers) if (!s.peer(p).full) ready.add(p);
  const score = (p: Peer): number => (s.peer(p).carrying + 1) / (s.peer(p).uploads || mean);
  return (ready.empty ? from : ready).least(s.chance, score);
}

/**
 * Takes off the list what has gone out, and what was not asked for in time, which is shown to
 * another. Returns how many of the rest count: not those for peers that cannot take more.
 */
function dropShown(s: State, now: number): number {
  const { showing } = s;
  let late = false;
  showing.pending = showing.pending.filter((one) => {
    const piece = s.piece(one.piece);
    if (!piece.shown.empty || piece.sent >= s.leavesOf(one.piece)) return false;
    if (one.asked || now - one.at < patience(s, one.peer)) return true;
    late = true;
    showAgain(s, one.piece);
    return false;
  });
  // A receiver that picks single files, or that is far away: show more at a time.
  if (late) showing.ahead *= 2;
  return showing.pending.filter((one) => !s.peer(one.peer).full).length;
}

/** How many pieces may be shown that have not gone out: what the line takes until a receiver has asked, and a few. */
function showAhead(s: State): number {
  const far = Math.max(0, ...s.here.list().map((p) => s.peer(p).roundTrip));
  const line = (s.sent.rate * (2 * far + 50)) / 1000;
  return s.showing.ahead + Math.trunc(line / s.config.piece);
}

/** How long a receiver has to ask for what it was shown (ms). */
export function patience(s: State, p: Peer): number {
  return 4 * s.peer(p).roundTrip + 500;
}

/** Notes that a receiver asked for a piece that it was shown. */
export function showAsked(s: State, p: Peer, piece: number): void {
  for (const one of s.showing.pending) if (one.piece === piece && one.peer === p) one.asked = true;
}

/** Notes that somebody has a piece: its carrier, if that is another, has done its part. */
export function passedOn(s: State, i: number, p: Peer | undefined): void {
  const piece = s.piece(i);
  if (piece.carrier === undefined || piece.carrier === p) return;
  s.peer(piece.carrier).carrying--;
  piece.carrier = undefined;
}

function showAgain(s: State, i: number): void {
  const piece = s.piece(i);
  if (piece.again) return;
  piece.again = true;
  s.showing.again.push(i);
}

/** Takes back what was shown to a peer that has left and that nobody has. */
export function showLeft(s: State, p: Peer): void {
  s.showing.pending = s.showing.pending.filter((one) => one.peer !== p);
  for (const [i, piece] of s.pieces.entries()) {
    const alone = piece.shownTo.has(p) && piece.shownTo.size === 1;
    if (s.config.uniqueFirst && piece.shown.empty && alone) showAgain(s, i);
    piece.shownTo.remove(p);
    if (piece.carrier === p) piece.carrier = undefined;
  }
}
