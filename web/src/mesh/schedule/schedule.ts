// Decides, for one peer of a swarm, what it asks of whom, what it sends next, and, at the uploader,
// which piece is shown to whom (docs/MESH.md sections 6 and 7).
//
// It owns who has which piece, what was asked of whom and has not come, and what others asked. It
// never sends, verifies, stores or waits: it is told facts with now, and hands back frames to send
// and the next leaf. Chance is given, so that equal facts and an equal seed make equal decisions;
// the Go half has the same rules, and the scripts of mesh/schedule/testdata hold for both.

import type { RejectReason } from '../wire';
import { addWants, forget, rejected, releaseStalled, takeBack } from './ask';
import { addIdle } from './idle';
import { place, seen, unseen } from './order';
import { type Chance, type Peer, PeerState } from './peers';
import { complete, type Expectation, expects, leafArrived, lose } from './receive';
import { cancelled, endTurn, nextSend, type Send, sent, waiting, wanted } from './send';
import { addShows, allOut, neededAt, patience, showHeld, showLeft, showUnclaimed } from './show';
import { type Action, type Config, noSuchLeaf, State } from './state';

export class Scheduler {
  private readonly s: State;

  /** The scheduler of a peer that has nothing and wants everything. */
  constructor(config: Config, chance: Chance) {
    this.s = new State(config, chance);
  }

  /** Pieces are here from the start: all at the uploader, those of the journal after a reload. Before the first peer. */
  hold(first: number, count: number): void {
    for (let i = first; i < first + count; i++) if (!this.s.piece(i).held) complete(this.s, i);
  }

  /**
   * A piece that was here turns out not to be what was shared: it is missing again. Who asks for it hears that it
   * is not here. Programs need no such thing, as they look at what an earlier run has left before they begin.
   */
  lose(piece: number): void {
    lose(this.s, piece);
  }

  /** Whether pieces are wanted; all are at first. What is no longer wanted is cancelled. */
  select(first: number, count: number, isWanted: boolean, now: number): void {
    for (let i = first; i < first + count; i++) this.selectOne(i, isWanted, now);
  }

  /**
   * Asks for count pieces from first on before all others, rarest first among them: the window in
   * front of a player. A count of 0 ends that.
   */
  play(first: number, count: number): void {
    const before = this.s.playing;
    const playing = { first: Math.max(0, first), end: Math.min(first + count, this.s.pieces.length) };
    this.s.playing = playing;
    for (const span of [before, playing]) for (let i = span.first; i < span.end; i++) place(this.s, i);
  }

  /** A peer is connected, over so many lanes and with such a round trip (ms). */
  peerJoined(p: Peer, lanes: number, roundTrip: number): void {
    this.s.here.add(p);
    this.s.peers[p] = new PeerState(Math.max(1, lanes), roundTrip);
    if (!this.s.config.uniqueFirst || this.s.showing.all) showHeld(this.s, p);
    else showUnclaimed(this.s);
  }

  /** How many lanes lead to a peer, and the round trip to it without waiting in queues (ms). */
  line(p: Peer, lanes: number, roundTrip: number): void {
    const peer = this.s.peer(p);
    peer.lanes = Math.max(1, lanes);
    peer.roundTrip = roundTrip;
  }

  /** What a peer can send in bytes a second, by its own word (STAT). */
  rate(p: Peer, upload: number): void {
    this.s.peer(p).uploads = upload;
  }

  /** A peer is gone, or was dropped. What it owed is asked of others. */
  peerLeft(p: Peer): void {
    const { s } = this;
    if (!s.here.has(p)) return;
    for (const i of s.begun) forget(s, i, p);
    s.here.remove(p);
    s.going.remove(p);
    s.asked -= s.peer(p).asked;
    s.handed -= s.peer(p).handed;
    endTurn(s, p);
    for (const [i, piece] of s.pieces.entries()) {
      if (piece.shown.has(p)) unseen(s, i, p);
      piece.sentTo.remove(p);
    }
    showLeft(s, p);
    s.peers[p] = new PeerState();
    s.out = s.out.filter((action) => action.peer !== p);
  }

  /** A peer has pieces that may be asked for (BITFIELD, HAVE). Throws ScheduleError when there are none. */
  shown(p: Peer, first: number, count: number): void {
    const { s } = this;
    if (first < 0 || count < 1 || count > s.pieces.length - first) throw noSuchLeaf();
    if (!s.here.has(p)) return;
    for (let i = first; i < first + count; i++) if (!s.piece(i).shown.has(p)) seen(s, i, p);
  }

  /** What to make of a leaf that a peer begins to send. */
  expects(p: Peer, piece: number, leaf: number, now: number): Expectation {
    return expects(this.s, p, piece, leaf, now);
  }

  /** A leaf came from a peer, is verified, and can be read again. Returns whether it was news. */
  leafArrived(p: Peer, piece: number, leaf: number, now: number): boolean {
    return leafArrived(this.s, p, piece, leaf, now);
  }

  /** A peer will not send leaves that it was asked for. Throws ScheduleError when there are none such. */
  rejected(p: Peer, piece: number, first: number, count: number, reason: RejectReason, now: number): void {
    rejected(this.s, p, piece, first, count, reason, now);
  }

  /** A peer asks for leaves. Throws ScheduleError when there are none such, or it asks for more than one may. */
  wanted(p: Peer, piece: number, first: number, count: number): void {
    wanted(this.s, p, piece, first, count);
  }

  /** A peer no longer asks for leaves. Throws ScheduleError when there are none such. */
  cancelled(p: Peer, piece: number, first: number, count: number): void {
    cancelled(this.s, p, piece, first, count);
  }

  /** Whether a peer's channel takes no more. */
  full(p: Peer, full: boolean): void {
    this.s.peer(p).full = full;
  }

  /** The leaf that is to be sent next. Ask whenever the line has room, and tell by sent when it has left. */
  nextSend(now: number): Send | undefined {
    return nextSend(this.s, now);
  }

  /** A leaf has left. */
  sent(send: Send, now: number): void {
    sent(this.s, send, now);
  }

  /** Whether somebody asks for leaves that are not on their way. */
  get waiting(): boolean {
    return waiting(this.s);
  }

  /** The frames that are to be sent now. Ask after any fact, and at the deadline. */
  next(now: number): Action[] {
    const { s } = this;
    releaseStalled(s, now);
    const out = s.out;
    s.out = [];
    addShows(s, out, now);
    addWants(s, out, now);
    addIdle(s, out, now);
    return out;
  }

  /** When next has something to say though nothing happens (ms). */
  deadline(): number | undefined {
    const { s } = this;
    let first = Number.POSITIVE_INFINITY;
    for (const p of s.here.list()) {
      const { asked, heard, useful, quiet } = s.peer(p);
      if (asked > 0) first = Math.min(first, heard + s.config.stall);
      else if (useful > 0 && quiet !== undefined) first = Math.min(first, quiet);
    }
    for (const one of s.showing.pending) {
      if (!one.asked || s.peer(one.peer).full) first = Math.min(first, (one.at ?? 0) + patience(s, one));
    }
    const { all, out } = s.showing;
    if (!all && out !== undefined && !s.here.empty && allOut(s)) first = Math.min(first, neededAt(s));
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  }

  /** Whole pieces. */
  get held(): number {
    return this.s.held;
  }

  /** Pieces that are wanted and not whole. */
  get missing(): number {
    return this.s.missing;
  }

  has(piece: number): boolean {
    return this.s.piece(piece).held;
  }

  /** How many pieces a peer has shown. */
  shows(p: Peer): number {
    return this.s.peer(p).shows;
  }

  /** Whether a peer shows a piece. */
  isShown(p: Peer, piece: number): boolean {
    return this.s.piece(piece).shown.has(p);
  }

  /** A peer says that it leaves or has less than it has shown, or neither. It may be asked, but is not counted on. */
  leaves(p: Peer, going: boolean): void {
    this.s.going.remove(p);
    if (going && this.s.here.has(p)) this.s.going.add(p);
  }

  /** Whether every piece is whole at some other peer that is connected and is counted on: then the uploader may. */
  get swarmHolds(): boolean {
    const { lonely, going, pieces } = this.s;
    if (lonely > 0 || going.empty) return lonely === 0;
    return pieces.every((piece) => piece.shown.exceeds(going));
  }

  /** Whether anything that is missing was asked of somebody, or is shown by somebody. */
  get reachable(): boolean {
    return this.s.asked > 0 || this.s.here.list().some((p) => this.s.peer(p).useful > 0);
  }

  /** What comes from a peer in bytes a second while something is asked of it; 0: unknown. */
  arrivalRate(p: Peer): number {
    return this.s.peer(p).arrivals.rate;
  }

  /** What goes out to all in bytes a second while there is something to send, the figure for STAT; 0: unknown. */
  get sendRate(): number {
    return this.s.sent.rate;
  }

  private selectOne(i: number, isWanted: boolean, now: number): void {
    const { s } = this;
    const piece = s.piece(i);
    if (piece.wanted === isWanted) return;
    piece.wanted = isWanted;
    if (!piece.held) {
      s.missing += isWanted ? 1 : -1;
      if (!isWanted) for (const p of s.here.list()) takeBack(s, i, p, now);
    }
    place(s, i);
  }
}
