// Who is in the room, and whose a key is (docs/MESH.md, section 2). Anybody may say that a key is its own;
// an envelope that opens shows it. Pure: it is told what came, and changes members alone.

import { type Bytes, equal } from '../bytes';

/** An endpoint of the room. */
export interface Member {
  endpoint: string;
  /** The server has named it. */
  listed: boolean;
  publisher: boolean;
  neighbour: boolean;
  /** Its agreement key, once it has told. */
  dh: Bytes | undefined;
  /** An envelope that opened has shown that it has this key; before that it only says so. */
  proven: boolean;
  /** The last good card that came from it. */
  card: { dh: Bytes; signer: Signer } | undefined;
  /** It was told our key or card. */
  told: boolean;
  /** When to offer to it, and the pause after the next failure (ms). */
  next: number;
  pause: number;
}

/** The uploader's signing key. */
export interface Signer {
  point: Bytes;
  key: CryptoKey;
}

export const newMember = (endpoint: string): Member => ({
  ...{ endpoint, listed: false, publisher: false, neighbour: false, told: false, next: 0, pause: 0 },
  ...{ dh: undefined, proven: false, card: undefined },
});

/** More than a room has: what the server, and those who come and go, can make us remember. */
export const MOST_MEMBERS = 256;

/**
 * Whom to forget for another: of those whom the server has not named the one that was heard of first, but not the
 * uploader. Who comes, sends an envelope and leaves before others are told of it must not keep out those who stay.
 */
export function ghostOf(members: Iterable<Member>, uploaderAt: string): Member | undefined {
  return [...members].find(({ listed, endpoint }) => !listed && endpoint !== uploaderAt);
}

/** Of those whose key fits, one who has proven it before one who only says so. */
export function memberWith(members: Iterable<Member>, fits: (dh: Bytes) => boolean): Member | undefined {
  const all = [...members].filter(({ dh }) => dh && fits(dh));
  return all.find(({ proven }) => proven) ?? all[0];
}

/**
 * Notes that a member says to have a key, or has proven it. What was proven stands against others who say
 * so, and a proof takes the key away from these: moved has their endpoints. Only a first or a proven key
 * gives a turn at once, turn (ms): else who says another key each time would be offered to without end.
 */
export function learn(members: Iterable<Member>, member: Member, dh: Bytes, proven: boolean, turn: number) {
  const others = [...members].filter((one) => one !== member && one.dh && equal(one.dh, dh));
  if (!proven && others.some((other) => other.proven)) return { news: false, moved: [] };
  if (proven) for (const other of others) Object.assign(other, { dh: undefined, proven: false });
  const moved = proven ? others.map(({ endpoint }) => endpoint) : [];
  const same = member.dh !== undefined && equal(member.dh, dh);
  const first = member.dh === undefined;
  member.proven = proven || (same && member.proven);
  if (same) return { news: false, moved };
  member.dh = dh.slice();
  if (first || proven) Object.assign(member, { pause: 0, next: turn });
  return { news: true, moved };
}
