// Who a peer is to the server, and what an uploader has of its own before anybody comes.

import { toBase64 } from '../base64';
import type { Bytes } from '../bytes';
import { type RoomKeys, roomHash } from '../keys';
import { pointOf } from '../sign';
import { PASS_ON, signToken, UPLOADER } from '../token';
import type { Config, Share } from './config';

/** What the server is told of us. */
export function memberOf(cfg: Config, keys: RoomKeys) {
  const room = { kind: 'files', name: cfg.link.room } as const;
  const { share } = cfg;
  if (!share) {
    const viewer = toBase64(cfg.identity.fingerprint.slice(0, 16));
    return { room, role: 'subscriber', password: toBase64(keys.join), viewer } as const;
  }
  const files = { verifier: toBase64(keys.verifier), life: lifeOf(share.expires) };
  return { room, role: 'publisher', token: share.owner, files } as const;
}

/** What the server is told of an end: the seconds until then, as many as it takes. */
export function lifeOf(expires: number): number {
  return Math.min(604_800, Math.max(60, Math.floor((expires - Date.now()) / 1000)));
}

/** The uploader's own token. */
export async function ownToken({ link, identity }: Config, { keys, expires }: Share): Promise<Bytes> {
  const token = {
    room: await roomHash(link.room),
    serial: 0,
    expiry: Math.floor(expires / 1000),
    rights: UPLOADER | PASS_ON,
    dh: identity.agreement.dh,
    fingerprint: identity.fingerprint,
    key: await pointOf(keys.publicKey),
  };
  return signToken(token, keys.privateKey);
}

/** By chance, so that none comes twice after a reload. */
export function drawSerial(): number {
  return Math.max(1, crypto.getRandomValues(new Uint32Array(1))[0] as number);
}
