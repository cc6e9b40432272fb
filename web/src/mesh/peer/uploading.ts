// What only the uploader does: it makes all that others are given, takes back, prolongs, and knows
// after a reload what it knew before.

import { checkText } from '../code';
import { checkNumbers } from '../keys';
import { encodeManifest, layoutOf, sealManifest } from '../manifest';
import { sha256 } from '../merkle';
import { pointOf } from '../sign';
import { MAX_REVOKED, signRevocations } from '../token';
import type { Before, Share } from './config';
import { Content } from './content';
import { lifeOf, ownToken } from './member';
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
  peer.content = new Content(id, layout, both, new Files(layout, files), (piece, root) =>
    cfg.tell({ kind: 'signed', piece, root }),
  );
  if (before) await takeUp(peer, keys, before);
  peer.sched = peer.schedule(true);
  peer.sched.hold(0, layout.pieces);
}

async function takeUp(peer: Peer, keys: CryptoKeyPair, { guests, revoked, roots }: Before): Promise<void> {
  const content = peer.content as Content;
  for (const [piece, root] of roots) content.roots.set(piece, root);
  await content.check(sample([...roots.keys()]));
  peer.door?.restore(guests);
  peer.revoked = revoked;
  if (revoked.version > 0) {
    peer.revokeList = await signRevocations(revoked, keys.privateKey, peer.cfg.link.room);
  }
}

/** The first, the last, and some between, never the same ones. */
function sample(pieces: readonly number[]): number[] {
  const chance = Array.from({ length: SAMPLE - 2 }, () => Math.floor(Math.random() * pieces.length));
  const chosen = new Set([0, pieces.length - 1, ...chance]);
  return [...chosen].map((i) => pieces[i]).filter((piece) => piece !== undefined);
}

/** What has to be known again after a reload, but for roots: of these each is told once. */
export const known = (peer: Peer): Omit<Before, 'roots'> => ({
  guests: [...(peer.door?.guests.values() ?? [])].map((guest) => ({ ...guest })),
  revoked: peer.revoked,
});

/** Takes back what somebody was given: nobody serves it any more. */
export async function remove(peer: Peer, { keys }: Share, key: string): Promise<void> {
  const { intro, revoked } = peer;
  // One who was let in just before a reload may be known by its token alone.
  const serial = peer.door?.remove(key) || peer.links.all.get(key)?.token.serial || 0;
  intro.later(async () => intro.reception?.putOut(key));
  if (serial !== 0 && !revoked.serials.includes(serial)) {
    const serials = [...revoked.serials, serial].slice(-MAX_REVOKED).sort((a, b) => a - b);
    // Higher than any that was told before, also when a reload came before it was written down.
    const version = Math.max(revoked.version + 1, Math.floor(Date.now() / 1000));
    const next = { version, serials };
    peer.revoke(next, await signRevocations(next, keys.privateKey, peer.cfg.link.room));
  }
  peer.cfg.tell({ kind: 'guests' });
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
