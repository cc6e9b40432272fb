// What idle peers are for: nothing that they show is open, but others owe it.

import { ask, owe, roomAt, takeBack } from './ask';
import type { Peer } from './peers';
import type { Action, Leaf, State } from './state';

/** How many peers are asked for one leaf in the end game. */
const SEVERAL = 2;

/**
 * Gives idle peers something to do: near the end what another owes is asked of them too; before that
 * a piece is moved to them that waits at a busy one.
 */
export function addIdle(s: State, out: Action[], now: number): void {
  if (s.missing === 0) return;
  const lanes = s.here.list().reduce((sum, p) => sum + s.peer(p).lanes, 0);
  const endgame = s.missing < 2 * lanes;
  for (const p of s.here.list()) {
    const { asked, quiet } = s.peer(p);
    if (asked > 0 || quiet !== undefined || roomAt(s, p) === 0) continue;
    if (endgame) askAgain(s, out, p, now);
    else move(s, out, p, now);
  }
}

/**
 * Asks a peer for one piece that others owe, since at the end the slowest decides how long all of it
 * takes. It asks from the piece's end, so that two who send it meet in the middle; what comes first
 * is cancelled at the other.
 */
function askAgain(s: State, out: Action[], p: Peer, now: number): void {
  const count = s.begun.length;
  if (count === 0) return;
  const start = s.chance(count);
  for (let k = 0; k < count; k++) {
    const i = s.begun[(start + k) % count] as number;
    const piece = s.piece(i);
    if (piece.wanted && piece.shown.has(p) && askFromEnd(s, out, p, i, now)) return;
  }
}

/** Asks a peer for the leaves of a piece that others owe, the last first; false where there are none. */
function askFromEnd(s: State, out: Action[], peer: Peer, i: number, now: number): boolean {
  const leaves = s.piece(i).leaves ?? [];
  const before = out.length;
  let room = roomAt(s, peer);
  for (let l = leaves.length - 1; l >= 0; l--) {
    const leaf = leaves[l] as Leaf;
    const bytes = s.leafBytes(i, l);
    if (leaf.here || leaf.askers.empty || leaf.askers.size >= SEVERAL || leaf.askers.has(peer) || bytes > room)
      continue;
    room -= bytes;
    owe(s, peer, i, l, leaf, now);
    out.push({ kind: 'want', peer, piece: i, first: l, count: 1 });
  }
  return out.length > before;
}

/**
 * Asks a peer for a piece that waits at the one that owes most, and cancels it there. That one must
 * owe two pieces or more, so that it is left with work and nothing moves back.
 */
function move(s: State, out: Action[], to: Peer, now: number): void {
  let chosen: { piece: number; from: Peer } | undefined;
  for (const i of s.begun) {
    const piece = s.piece(i);
    if (!piece.wanted || !piece.shown.has(to)) continue;
    const from = owesWhole(s, i);
    if (from === undefined || s.peer(from).asked < s.bytesOf(i) + s.config.piece) continue;
    if (!chosen || s.peer(from).asked > s.peer(chosen.from).asked) chosen = { piece: i, from };
  }
  if (!chosen) return;
  takeBack(s, chosen.piece, chosen.from, now);
  out.push(...s.out.splice(0));
  ask(s, out, to, chosen.piece, now);
}

/** The one peer that owes all of a piece. */
function owesWhole(s: State, i: number): Peer | undefined {
  const leaves = s.piece(i).leaves ?? [];
  const only = leaves[0]?.askers;
  if (only?.size !== 1) return undefined;
  const [peer] = only.list();
  return leaves.every(({ askers }) => askers.size === 1 && askers.has(peer as Peer)) ? peer : undefined;
}
