// How it goes, as people are told: who is connected, and why nothing comes.

import { UPLOADER } from '../token';
import type { State } from '../wire';
import type { PeerStatus, Stall } from './config';
import type { Link } from './link';
import type { Peer } from './swarm';

export function peersOf(peer: Peer): PeerStatus[] {
  return [...peer.links.all.values()].map((link) => peerOf(peer, link));
}

function peerOf(peer: Peer, link: Link): PeerStatus {
  const { key, token, stat, relayed, sent, taken, rate } = link;
  return {
    key,
    name: peer.door?.guests.get(key)?.name ?? '',
    uploader: (token.rights & UPLOADER) !== 0,
    held: stat?.held ?? 0,
    complete: link.complete,
    up: stat?.up ?? 0,
    down: stat?.down ?? 0,
    state: stat?.state ?? 'running',
    relayed,
    sent,
    taken,
    rate,
  };
}

/** Whether the others will finish without this peer: they have every piece among them, or nobody lacks any. */
export function isSafe({ sched, content, links }: Peer): boolean {
  if (!sched || !content) return false;
  const others = [...links.all.values()].filter(({ token }) => (token.rights & UPLOADER) === 0);
  const lacks = ({ complete, stat }: Link): boolean => !complete && stat?.state !== 'leaving';
  const held = content.layout.pieces > 0 && sched.swarmHolds;
  return held || (others.some(({ complete }) => complete) && !others.some(lacks));
}

/** Why a receiver gets nothing; undefined while it gets something, or needs nothing. */
export function stallOf(peer: Peer): Stall | undefined {
  const { intro, links, sched, fetching } = peer;
  if (!peer.cfg.fetch || peer.finished) return undefined;
  if (peer.paused) return 'paused';
  if (peer.down > 0) return undefined;
  if (links.all.size === 0) {
    if (!intro.online) return 'no-server';
    if (!intro.token) return intro.uploader ? 'no-answer' : 'no-uploader';
    return 'not-linked';
  }
  if (!peer.offered) return 'no-list';
  if (!sched || !fetching) return undefined;
  if (fetching.missing === 0) return peer.content?.sink?.window === undefined ? undefined : 'download';
  if (peer.storing > 0) return 'disk';
  if (sched.missing === 0) return 'download';
  if (!sched.reachable) return 'no-piece';
  return [...links.all.values()].every((link) => link.stat?.state === 'hidden') ? 'hidden' : 'quiet';
}

/** What STAT tells of us. */
export function stateOf(peer: Peer): State {
  if (peer.cfg.share) return document.visibilityState === 'hidden' ? 'hidden' : 'running';
  if (peer.paused) return 'paused';
  if (peer.fetching?.missing === 0) return 'complete';
  if (peer.down > 0) return 'running';
  return document.visibilityState === 'hidden' ? 'hidden' : 'waiting';
}
