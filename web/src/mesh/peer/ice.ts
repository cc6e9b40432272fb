// The servers that help to find a path: the server's own STUN answerer, and the operator's TURN servers.

import type { Welcome } from '../../signal/msg.gen';

export function iceServers({ stun, files }: Pick<Welcome, 'stun' | 'files'>): RTCIceServer[] {
  const turn = files?.turn ?? [];
  return [
    ...(stun ? [{ urls: `stun:${stun}` }] : []),
    ...turn.map(({ url, username, credential }) => ({ urls: url, username, credential })),
  ];
}
