// What a frame of another peer's control channel leads to (docs/MESH.md, section 6).

import { ManifestError, openManifest } from '../manifest';
import { UPLOADER, verifyRevocations } from '../token';
import { type Frame, shows } from '../wire';
import { Breach, type Link, type Stat } from './link';
import { BAN, tellLine } from './links';
import type { Peer } from './swarm';
import { takesPlace } from './uploading';

/** Ranges of HAVE that are kept of a peer before we know what is shared. */
const MOST_SHOWN = 65_536;
/** A peer that leaves comes again later, if it stays in the room after all (ms). */
const LATER = 15_000;

/** Throws what ends the link. */
export function handleFrame(peer: Peer, link: Link, frame: Frame): void {
  const { sched } = peer;
  const now = performance.now();
  switch (frame.type) {
    case 'manifest':
      manifestPart(peer, link, frame);
      break;
    case 'bitfield':
      for (let i = 0; i < frame.pieces; i++) if (shows(frame.bits, i)) shown(peer, link, i, 1);
      break;
    case 'have':
      for (const { first, count } of frame.ranges) shown(peer, link, first, count);
      break;
    case 'want': {
      const { piece, first, count } = frame;
      if (link.joined && sched) sched.wanted(link.slot, piece, first, count);
      else link.say({ type: 'reject', piece, first, count, reason: 'not-held' });
      break;
    }
    case 'cancel':
      if (link.joined) sched?.cancelled(link.slot, frame.piece, frame.first, frame.count);
      break;
    case 'reject':
      if (link.joined) sched?.rejected(link.slot, frame.piece, frame.first, frame.count, frame.reason, now);
      break;
    case 'stat':
      stat(peer, link, frame);
      break;
    case 'revoke':
      void revocations(peer, link, frame.list);
      break;
    case 'bye':
      saidBye(peer, link, frame.reason);
      break;
    case 'ping':
      link.say({ type: 'pong', value: frame.value, clock: Math.floor(now * 1000) });
      break;
    case 'pong':
      pong(peer, link, frame, now);
      break;
    default:
      throw new Breach('a frame that may not come now');
  }
  peer.kick();
}

/** A peer's word on how it fares. To the uploader the first one says that it takes part. */
function stat(peer: Peer, link: Link, frame: Stat): void {
  const { sched } = peer;
  if (!link.stat) takesPlace(peer, link);
  if (link.dead) return; // there was no place left
  link.stat = frame;
  // Who leaves may have everything, or not.
  if (frame.state !== 'leaving') completes(peer, link, frame.state === 'complete');
  peer.links.join(link);
  if (link.joined) sched?.rate(link.slot, frame.up);
  // Who has less than it has shown has lost some of that, and does not say which.
  if (link.joined && sched) sched.leaves(link.slot, frame.state === 'leaving' || frame.held < sched.shows(link.slot));
}

function completes(peer: Peer, link: Link, complete: boolean): void {
  if (complete && !link.complete) peer.cfg.tell({ kind: 'complete', key: link.key });
  link.complete = complete;
}

function shown(peer: Peer, link: Link, first: number, count: number): void {
  if (link.joined && peer.sched) {
    peer.sched.shown(link.slot, first, count);
    return;
  }
  if (link.shown.length >= MOST_SHOWN) throw new Breach('too many ranges');
  const last = link.shown.at(-1);
  if (last && last.first + last.count === first) last.count += count;
  else link.shown.push({ first, count });
}

/** Puts the manifest together, and offers it to the person when it is whole and good. */
function manifestPart(peer: Peer, link: Link, frame: Extract<Frame, { type: 'manifest' }>): void {
  if (peer.offered) return; // what comes again is passed over
  if (!link.blob) throw new Breach('a second manifest');
  const blob = link.blob.add(frame);
  if (!blob) return;
  link.blob = undefined;
  const signer = peer.intro.signer;
  if (!signer) return;
  openManifest(blob.slice(), peer.cfg.link.room, signer.key).then(
    (offered) => {
      if (!peer.offered) peer.offer(offered, blob.slice(), link);
    },
    (error) => {
      // Signed by the uploader itself, and yet not acceptable; or forged by this peer.
      if (error instanceof ManifestError && error.rule === 'signature') {
        peer.links.ban(link.key, BAN);
        peer.links.unlink(link);
      } else peer.end({ kind: 'manifest' });
    },
  );
}

async function revocations(peer: Peer, link: Link, list: Uint8Array<ArrayBuffer>): Promise<void> {
  const signer = peer.intro.signer;
  if (!signer) return;
  try {
    const next = await verifyRevocations(list.slice(), signer.point, peer.cfg.link.room);
    if (next.version > peer.revoked.version) peer.revoke(next, list.slice());
  } catch {
    peer.links.ban(link.key, BAN);
    peer.links.unlink(link);
  }
}

function saidBye(peer: Peer, link: Link, reason: Extract<Frame, { type: 'bye' }>['reason']): void {
  const uploader = (link.token.rights & UPLOADER) !== 0;
  const member = peer.intro.memberOf(link.peer);
  if (reason === 'done') completes(peer, link, true);
  peer.links.unlink(link);
  if (member) member.next = performance.now() + LATER;
  if (reason === 'source-changed' && uploader) peer.changed = true;
  if (reason === 'not-admitted' && uploader) peer.end({ kind: 'refused', reason: 'removed' });
  if (reason === 'too-many-peers' && uploader) peer.end({ kind: 'refused', reason: 'full' });
  if (reason === 'bad-leaf' || reason === 'broke-protocol' || reason === 'too-many-peers')
    peer.links.ban(link.key, BAN);
}

/** The answer to a PING of ours. One that was not asked for, or comes again, says nothing. */
function pong(peer: Peer, link: Link, { value, clock }: Extract<Frame, { type: 'pong' }>, now: number): void {
  if (!link.pings.answer(value)) return;
  const sent = Number(value) / 1000;
  const took = now - sent;
  if (took > 0) peer.flow.pace.answered(link, took, link.there.over(clock / 1000 - sent, now), now);
  if (!(took > 0) || (link.roundTrip > 0 && took >= link.roundTrip)) return;
  link.roundTrip = took;
  tellLine(peer, link);
}
