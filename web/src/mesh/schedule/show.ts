// The uploader's part: each piece is shown to one receiver first, and when every piece has gone out
// once and others do not spread them fast, everything to all.

import { type Peer, PeerSet } from './peers';
import type { Action, Shown, State } from './state';

/**
 * When each piece is at one of the others and they lack no more than a third of everything, they have so long
 * at a time (ms) to get such a part (one in so many) of that from each other, so that the uploader need not
 * send it once more.
 */
const SPREAD_SPAN = 500;
const SPREAD_PART = 8;

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
  if (!allOut(s) || !needed(s, now)) return;
  showing.all = true;
  for (const peer of s.here.list()) out.push({ kind: 'have', peer, first: 0, count: s.pieces.length });
}

/** Whether nobody is waited for: each piece has gone out, or everybody was shown it and nobody asked in time. */
export function allOut({ showing, pieces }: State): boolean {
  return showing.pending.length === 0 && showing.again.length === 0 && showing.next === pieces.length;
}

/**
 * Notes that a leaf of a piece is sent, for the first time as far as the number of those that went out tells:
 * whoever asks for the same again and again must not put off that everything is shown. Receivers with much to
 * do ask late for what they were shown, and as long as they do there is something that others lack more than
 * what went out.
 */
export function goesOut(s: State, i: number, now: number): void {
  const piece = s.piece(i);
  piece.sent++;
  piece.gone++;
  if (piece.gone <= s.leavesOf(i)) s.showing.out = now;
}

/**
 * Whether it is for the uploader to send once more what others lack: where they show all that went out,
 * when that is much or they do not get it from each other fast; else when they have had the time to show
 * it, as what is only on its way must not be asked for again.
 */
function needed(s: State, now: number): boolean {
  const { showing } = s;
  showing.out ??= now;
  if (s.lonely > 0) {
    showing.looked = undefined;
    return now >= neededAt(s);
  }
  let lacking = 0;
  for (const p of s.here.list()) lacking += s.pieces.length - s.peer(p).shows;
  if (lacking === 0 || 3 * lacking > s.here.size * s.pieces.length) return true;
  if (showing.looked !== undefined) {
    if (now < neededAt(s)) return false;
    if (SPREAD_PART * lacking > (SPREAD_PART - 1) * showing.lacked) return true;
  }
  showing.looked = now;
  showing.lacked = lacking;
  return false;
}

/** When that may change though nothing happens, while nobody is waited for. ms */
export function neededAt(s: State): number {
  const { out = 0, looked = 0 } = s.showing;
  return s.lonely > 0 ? out + settling(s) : looked + SPREAD_SPAN;
}

/**
 * How long nothing more may go out for the first time until what nobody shows is shown to all: as long as an
 * answer may take, and the next leaf. ms
 */
function settling(s: State): number {
  const { rate } = s.sent;
  const next = rate > 0 ? Math.min(s.config.stall, Math.trunc((1000 * s.config.leaf) / rate)) : 0;
  return patienceFor(farthest(s)) + next;
}

function showOne(s: State, i: number, peer: Peer, at: number): void {
  carry(s, i, peer);
  s.piece(i).shownTo.add(peer);
  s.showing.pending.push({ piece: i, peer, at, asked: false });
}

/** Makes a peer the one that has to pass a piece on, and to whom it goes out from its beginning. */
function carry(s: State, i: number, peer: Peer): void {
  passedOn(s, i, undefined);
  s.piece(i).carrier = peer;
  s.piece(i).sent = 0;
  s.peer(peer).carrying++;
}

/** Takes the next piece that nobody has and somebody here was not shown. */
function nextToShow(s: State): number | undefined {
  const { showing } = s;
  while (showing.again.length > 0 || showing.next < s.pieces.length) {
    const again = showing.again.shift();
    const i = again ?? showing.next++;
    const piece = s.piece(i);
    if (again !== undefined && !piece.again) continue; // it was asked for after all
    piece.again = false;
    if (!piece.shown.empty) continue;
    if (!s.here.without(piece.shownTo).empty) return i;
    passedOn(s, i, undefined); // everybody was shown it, and any may ask
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
    if (one.at === undefined || (one.asked && !s.peer(one.peer).full)) one.at = now; // then it waits for us
    if (!piece.shown.empty || piece.sent >= s.leavesOf(one.piece)) return false;
    if (now - one.at < patience(s, one)) return true;
    late ||= !one.asked;
    showAgain(s, one.piece);
    return false;
  });
  // A receiver that picks single files, or that is far away: show more at a time.
  if (late) showing.ahead = Math.min(2 * showing.ahead, s.pieces.length);
  return showing.pending.filter((one) => !s.peer(one.peer).full).length;
}

/** How many pieces may be shown that have not gone out: what the line takes until a receiver has asked, and a few. */
function showAhead(s: State): number {
  const line = (s.sent.rate * (2 * farthest(s) + 50)) / 1000;
  return s.showing.ahead + Math.trunc(line / s.config.piece);
}

/** The longest round trip to a peer (ms). */
const farthest = (s: State): number => Math.max(0, ...s.here.list().map((p) => s.peer(p).roundTrip));

/** How long an answer may take from somebody at such a distance (ms). */
const patienceFor = (roundTrip: number): number => 4 * roundTrip + 500;

/**
 * How long a receiver has to ask for what it was shown, and, when it has asked, how long its channel
 * may take nothing (ms).
 */
export function patience(s: State, { asked, peer }: Shown): number {
  return asked ? s.config.stall : patienceFor(s.peer(peer).roundTrip);
}

/**
 * Gives a piece to the first who asks for it of those that it was shown to, since who did not ask in
 * time may still do: before every piece went out once, none goes out to two. Returns whether p gets it.
 */
export function claim(s: State, p: Peer, i: number): boolean {
  const piece = s.piece(i);
  if (!s.config.uniqueFirst || s.showing.all) return true;
  const one = s.showing.pending.find((shown) => shown.piece === i);
  const lost = piece.carrier === undefined && piece.shown.empty;
  if (one ? one.peer !== p && one.asked : piece.carrier !== p && !lost) {
    piece.shownTo.remove(p);
    return false;
  }
  if (one) Object.assign(one, { peer: p, asked: true });
  else piece.again = false; // late, or once more
  if (piece.carrier !== p) carry(s, i, p);
  const more = !one && piece.shown.empty && piece.sent < s.leavesOf(i);
  if (more) s.showing.pending.push({ piece: i, peer: p, at: undefined, asked: true });
  return true;
}

/**
 * Notes that a request for leaves of a piece was served or taken back. Who asks for no others of it has as
 * long as at first, and is not waited for for ever.
 */
export function unclaim(s: State, p: Peer, i: number): void {
  const one = s.showing.pending.find((shown) => shown.piece === i && shown.peer === p);
  if (one && !s.peer(p).queue.some((r) => r.piece === i)) one.asked = false;
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
  for (const piece of s.pieces) {
    piece.shownTo.remove(p);
    if (piece.carrier === p) piece.carrier = undefined;
  }
  showUnclaimed(s);
}

/**
 * Has what nobody has or is to pass on shown to those who were not shown it: somebody has come, or has left.
 */
export function showUnclaimed(s: State): void {
  for (let i = 0; i < s.showing.next; i++) {
    const { shown, shownTo, carrier } = s.piece(i);
    if (shown.empty && carrier === undefined && !s.here.without(shownTo).empty) showAgain(s, i);
  }
}
