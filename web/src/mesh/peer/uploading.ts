// What only the uploader does: it makes all that others are given, takes back, prolongs, and knows
// after a reload what it knew before.

import { checkText } from '../code';
import { checkNumbers } from '../keys';
import { encodeManifest, layoutOf, sealManifest } from '../manifest';
import { sha256 } from '../merkle';
import { pointOf } from '../sign';
import { MAX_REVOKED, signRevocations } from '../token';
import type { Before, Share } from './config';
import { Content, sample } from './content';
import { tokensOf } from './door';
import type { Link } from './link';
import { lifeOf, ownToken } from './member';
import { ReadAhead } from './read-ahead';
import { Files } from './sink';
import type { Peer } from './swarm';

/** How far the end of a room may be from what was asked for (ms). */
const TOLERANCE = 60_000;

/** Of pieces that went out before a reload so many are read again before anything is served. */
const SAMPLE = 4;

/**
 * Makes the uploader: everything is here from the start. Throws MeshError when the manifest breaks a
 * rule, and SourceChanged when the files are not those of which pieces went out before.
 */
export async function makeUploader(peer: Peer, share: Share): Promise<void> {
  const { cfg, intro } = peer;
  const { keys, manifest, files, before } = share;
  const cbor = encodeManifest(manifest);
  const id = await sha256(cbor);
  const layout = layoutOf(manifest);
  peer.blob = await sealManifest(cbor, cfg.link.room, keys.privateKey);
  peer.offered = { manifest, id };
  intro.signer = { point: await pointOf(keys.publicKey), key: keys.publicKey };
  intro.uploader = cfg.identity.agreement.dh;
  intro.token = await ownToken(cfg, share);
  const both = { verify: keys.publicKey, sign: keys.privateKey };
  peer.content = new Content(id, layout, both, new ReadAhead(new Files(layout, files), layout.total), (piece, root) =>
    cfg.tell({ kind: 'signed', piece, root }),
  );
  if (before) await takeUp(peer, keys, before);
  peer.sched = peer.schedule(true);
  peer.sched.hold(0, layout.pieces);
}

async function takeUp(peer: Peer, keys: CryptoKeyPair, { guests, revoked, roots }: Before): Promise<void> {
  const content = peer.content as Content;
  for (const [piece, root] of roots) content.roots.set(piece, root);
  await content.check(sample([...roots.keys()], SAMPLE));
  peer.door?.restore(guests);
  peer.revoked = revoked;
  if (revoked.version > 0) {
    peer.revokeList = await signRevocations(revoked, keys.privateKey, peer.cfg.link.room);
  }
}

/** What has to be known again after a reload, but for roots: of these each is told once. */
export const known = (peer: Peer): Omit<Before, 'roots'> => ({
  guests: [...(peer.door?.guests.values() ?? [])].map((guest) => ({ ...guest })),
  revoked: peer.revoked,
});

/** Takes back what somebody was given: nobody serves it any more. False when others cannot be told of it. */
export async function remove(peer: Peer, share: Share, key: string): Promise<boolean> {
  const { intro, door, links } = peer;
  door?.remove(key);
  const guest = door?.guests.get(key);
  // One who was let in just before a reload may be known by its token alone.
  const serials = [...(guest ? tokensOf(guest) : []), links.all.get(key)?.token.serial ?? 0].filter((one) => one > 0);
  intro.later(async () => intro.reception?.putOut(key));
  const told = await tellOf(peer, share, serials);
  const link = peer.links.all.get(key);
  if (link) peer.links.bye(link, 'not-admitted');
  peer.cfg.tell({ kind: 'guests' });
  return told;
}

/** A receiver says for the first time how it fares: it takes a place. */
export function takesPlace(peer: Peer, { key, token }: Link): void {
  if (!peer.cfg.share || !peer.door) return;
  const out = peer.door.takes(key, token.serial);
  peer.cfg.tell({ kind: 'guests' });
  putBack(peer, peer.cfg.share, out);
}

/** A receiver has connected, perhaps by a token of which the door knows nothing. */
export function returns(peer: Peer, { key, token }: Link): void {
  if (!peer.cfg.share || !peer.door) return;
  if (!peer.door.guests.has(key)) peer.cfg.tell({ kind: 'guests' });
  putBack(peer, peer.cfg.share, peer.door.returned(key, token.serial));
}

/** Lets in who waits for it, or not: who is denied may be here by a token of an earlier time. */
export function decide(peer: Peer, key: string, yes: boolean): void {
  peer.intro.reception?.decide(key, yes);
  if (peer.cfg.share && peer.door?.guests.get(key)?.refused) putBack(peer, peer.cfg.share, [key]);
}

/** Takes back the tokens of those who only look, since there is no place left, or who were refused. */
export function putBack(peer: Peer, share: Share, keys: readonly string[]): void {
  if (keys.length === 0) return;
  const { cfg, intro, links, door } = peer;
  const guests = keys.map((key) => door?.guests.get(key)).filter((guest) => guest !== undefined);
  for (const { key, refused } of guests) {
    const link = links.all.get(key);
    if (link) links.bye(link, refused ? 'not-admitted' : 'too-many-peers');
    if (refused) continue;
    intro.later(async () => intro.reception?.putBack(key));
    cfg.tell({ kind: 'putBack', key });
  }
  void tellOf(peer, share, guests.flatMap(tokensOf)).then((told) => {
    if (!told) cfg.tell({ kind: 'untold' });
  });
}

/** Tells others of tokens that were taken back. False when that cannot be: here they are worth nothing all the same. */
const tellOf = (peer: Peer, share: Share, serials: readonly number[]): Promise<boolean> =>
  relist(peer, share, (before) => [...before, ...serials]).catch(() => false);

/** One who was put back is let in again, since there is a place. */
export async function reinstate(peer: Peer, share: Share, serial: number): Promise<void> {
  await relist(peer, share, (serials) => serials.filter((one) => one !== serial));
}

/**
 * Changes the list of what was taken back, and tells all. False when it would hold too many: none is left
 * out for another, since whoever is left out is let in again.
 */
function relist(peer: Peer, share: Share, change: (serials: readonly number[]) => number[]): Promise<boolean> {
  const work = peer.revoking.then(async () => {
    const { serials: before, version: last } = peer.revoked;
    const serials = [...new Set(change(before))].sort((a, b) => a - b);
    if (serials.length > MAX_REVOKED) return false;
    if (serials.length === before.length && serials.every((serial, i) => serial === before[i])) return true;
    // Higher than any that was told before, also when a reload came before it was written down.
    const next = { version: Math.max(last + 1, Math.floor(Date.now() / 1000)), serials };
    peer.revoke(next, await signRevocations(next, share.keys.privateKey, peer.cfg.link.room));
    peer.cfg.tell({ kind: 'guests' }); // a reload has to know this list
    return true;
  });
  peer.revoking = work.catch(() => undefined);
  return work;
}

/** The room ends at another time (ms since the epoch), by the server too; who is in gets a new token. */
export async function setExpiry(peer: Peer, share: Share, expires: number): Promise<void> {
  share.expires = expires;
  peer.door?.until(expires);
  peer.intro.token = await ownToken(peer.cfg, share);
  peer.intro.send({ type: 'set-files', terms: { life: lifeOf(expires) } });
  peer.intro.reception?.renew((key) => peer.links.all.get(key)?.token.fingerprint);
}

/** The server may not have heard of another end while it was away. at: when the room ends by its word. */
export function agree(peer: Peer, { expires }: Share, at: number): void {
  if (Math.abs(at - expires) > TOLERANCE) peer.intro.send({ type: 'set-files', terms: { life: lifeOf(expires) } });
}

/** The words that the other's person sees, too, when nobody stands between. key: undefined for the uploader. */
export async function checkWords(peer: Peer, key: string | undefined): Promise<string | undefined> {
  const { intro } = peer;
  const dh = key === undefined ? intro.uploader : intro.reception?.whereabouts(key).dh;
  return dh && checkText(await checkNumbers(await intro.pair(dh)));
}
