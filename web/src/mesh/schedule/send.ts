// What is sent next: one peer is served at a time, another while its channel is full.

import type { Peer, PeerState, Request } from './peers';
import { claim, goesOut, showsTo, unclaim } from './show';
import { type State, tooMuch } from './state';

/** A leaf to be sent to a peer. */
export interface Send {
  peer: Peer;
  piece: number;
  leaf: number;
}

/** A peer asks for leaves. Throws ScheduleError when there are none, or it asks for more than one may. */
export function wanted(s: State, p: Peer, piece: number, first: number, count: number): void {
  s.mustHave(piece, first, count);
  if (!s.here.has(p)) return;
  if (!showsTo(s, piece, p) || !claim(s, p, piece)) {
    s.out.push({ kind: 'reject', peer: p, piece, first, count, reason: 'not-held' });
    return;
  }
  const request = { piece, first, end: first + count };
  const peer = s.peer(p);
  if (peer.queued + bytesOf(s, request) > s.config.pair) throw tooMuch();
  enqueue(s, peer, request);
}

const bytesOf = (s: State, { piece, first, end }: Request): number =>
  (end - 1 - first) * s.config.leaf + s.leafBytes(piece, end - 1);

/** A peer no longer asks for leaves. Throws ScheduleError when there are none. */
export function cancelled(s: State, p: Peer, piece: number, first: number, count: number): void {
  s.mustHave(piece, first, count);
  const peer = s.peer(p);
  const queue = [...peer.queue];
  const k = s.turns.findIndex((t) => t.peer === p && t.piece === piece);
  if (k >= 0) queue.unshift(...s.turns.splice(k, 1));
  peer.queue = [];
  peer.queued = 0;
  for (const r of queue) {
    if (r.piece !== piece || r.end <= first || first + count <= r.first) {
      enqueue(s, peer, { ...r });
      continue;
    }
    enqueue(s, peer, { piece, first: r.first, end: Math.min(r.end, first) });
    enqueue(s, peer, { piece, first: Math.max(r.first, first + count), end: r.end });
  }
  s.piece(piece).sentTo.remove(p);
  unclaim(s, p, piece);
}

function enqueue(s: State, peer: PeerState, { piece, first, end }: Request): void {
  if (first >= end) return;
  peer.queue.push({ piece, first, end });
  peer.queued += bytesOf(s, { piece, first, end });
}

/** The leaf that is to be sent next. Whose turn has begun goes on first. */
export function nextSend(s: State, now: number): Send | undefined {
  for (let k = 0; ; k++) {
    if (k === s.turns.length && !openTurn(s)) return undefined;
    const turn = s.turns[k];
    if (turn === undefined) return undefined;
    const peer = s.peer(turn.peer);
    if (peer.full) continue;
    const next = { peer: turn.peer, piece: turn.piece, leaf: turn.first };
    s.sent.begin(now);
    s.handed++;
    peer.handed++;
    peer.queued -= s.leafBytes(turn.piece, turn.first);
    goesOut(s, turn.piece, now);
    turn.first++;
    if (turn.first === turn.end) {
      s.turns.splice(k, 1);
      unclaim(s, next.peer, next.piece);
    }
    return next;
  }
}

/** A leaf has left. */
export function sent(s: State, { peer: p, piece, leaf }: Send, now: number): void {
  const peer = s.peer(p);
  // The peer has left meanwhile.
  if (peer.handed === 0) return;
  peer.handed--;
  s.handed--;
  s.sent.add(s.leafBytes(piece, leaf), now, s.handed > 0 || waiting(s));
}

/** Whether somebody asks for leaves that are not on their way. */
export const waiting = (s: State): boolean => s.here.list().some((p) => s.peer(p).queued > 0);

/**
 * Begins to serve another request: of the peer that has waited longest, the piece with the fewest
 * copies, for with that it has something to pass on. Rarest first over all peers would starve who is
 * behind, since what it lacks is what most have.
 */
function openTurn(s: State): boolean {
  const served = new Set(s.turns.map((t) => t.peer));
  let chosen: Peer | undefined;
  for (const p of s.here.list()) {
    const { full, queue, served: turn } = s.peer(p);
    if (served.has(p) || full || queue.length === 0) continue;
    if (chosen === undefined || turn < s.peer(chosen).served) chosen = p;
  }
  if (chosen === undefined) return false;
  const peer = s.peer(chosen);
  const copies = ({ piece }: Request): number => s.piece(piece).shown.or(s.piece(piece).sentTo).size;
  const counts = peer.queue.map(copies);
  const rarest = counts.indexOf(Math.min(...counts));
  const [request] = peer.queue.splice(rarest, 1) as [Request];
  s.turn++;
  peer.served = s.turn;
  s.piece(request.piece).sentTo.add(chosen);
  s.turns.push({ ...request, peer: chosen });
  return true;
}

/** Forgets what is being sent to a peer. */
export function endTurn(s: State, p: Peer): void {
  const k = s.turns.findIndex((t) => t.peer === p);
  if (k >= 0) s.turns.splice(k, 1);
}
