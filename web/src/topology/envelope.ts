// What the two ends of a direct way tell each other through the server: descriptions and candidates. The
// server attests who said it and carries it between the ends of one way alone. Nothing is hidden from it: it
// has no part in a direct way, and could give everybody the picture by itself. Pure.

import { fromBase64, toBase64 } from '../mesh/base64';
import { text, utf8 } from '../mesh/bytes';
import { type EndWay, MAX_SEALED, type Serve, type Way } from '../signal/msg.gen';

export type Signal = { way: number } & (
  | { offer: string }
  | { answer: string }
  | { candidates: readonly RTCIceCandidateInit[] }
);

/** What a viewer's page hears of direct ways: the server's messages, and what the other end says. */
export type Heard = Way | EndWay | Serve | { type: 'signal'; from: string; signal: Signal };

/** How many candidates one envelope may have. */
const MOST = 64;

export function seal(signal: Signal): string {
  return toBase64(utf8(JSON.stringify(signal)));
}

/** undefined for what is none. */
export function unseal(sealed: string): Signal | undefined {
  if (sealed.length > MAX_SEALED) return undefined;
  try {
    return read(JSON.parse(text(fromBase64(sealed))));
  } catch {
    return undefined;
  }
}

function read(value: unknown): Signal | undefined {
  const v = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { way, offer, answer, candidates } = v;
  if (typeof way !== 'number' || !Number.isSafeInteger(way) || way <= 0) return undefined;
  if (typeof offer === 'string') return { way, offer };
  if (typeof answer === 'string') return { way, answer };
  if (!Array.isArray(candidates) || candidates.length > MOST) return undefined;
  return { way, candidates: candidates.flatMap((c) => readCandidate(c) ?? []) };
}

function readCandidate(value: unknown): RTCIceCandidateInit | undefined {
  const v = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { candidate, sdpMid, sdpMLineIndex } = v;
  if (typeof candidate !== 'string') return undefined;
  return {
    candidate,
    ...(typeof sdpMid === 'string' ? { sdpMid } : {}),
    ...(typeof sdpMLineIndex === 'number' ? { sdpMLineIndex } : {}),
  };
}
