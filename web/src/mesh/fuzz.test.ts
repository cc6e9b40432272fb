// Fuzz targets for whatever comes from others: every frame on every channel, the manifest, messages of
// envelopes, tokens, and what people open or type.

import { describe, it } from 'vitest';
import { type Bytes, concat, equal, hex, utf8 } from './bytes';
import { formatCode, parseCode } from './code';
import { MeshError } from './error';
import { clock, rounds, seed, span, WITHIN } from './fuzz.fixture';
import { golden, unhex } from './golden.fixture';
import { formatLink, parseLink } from './link';
import { decodeManifest, encodeManifest } from './manifest';
import { decodeMessage, encodeMessage } from './messages';
import { Chance, spoil } from './mutate.fixture';
import { BlobParts } from './parts';
import { parseToken } from './token';
import { append, type Channel, parse } from './wire';

const MOST_KEPT = 2_000;

/**
 * Spoils what is good again and again; what is taken is spoilt further. take throws MeshError for what it
 * refuses, and another error for what must not be.
 */
function target(name: string, good: readonly Bytes[], take: (input: Bytes) => void): void {
  const run = (): void => {
    const chance = new Chance(seed);
    const kept = [...good];
    const until = clock() + span;
    for (let round = 0; round < rounds && clock() < until; round++) {
      const input =
        chance.below(32) === 0
          ? chance.bytes(chance.below(300))
          : spoil(kept[chance.below(kept.length)] as Bytes, chance);
      try {
        take(input);
        if (kept.length < MOST_KEPT) kept.push(input);
      } catch (error) {
        if (!(error instanceof MeshError)) throw new Error(`${name}, seed ${seed}: ${hex(input)}`, { cause: error });
      }
    }
  };
  it(name, run, WITHIN);
}

function same(written: Bytes, read: Bytes): void {
  if (!equal(written, read)) throw new Error(`another form: ${hex(written)}`);
}

const text = (input: Bytes): string => new TextDecoder().decode(input);

describe('a frame', () => {
  const { good } = golden<{ good: { channel: string; hex: string; frame: { type: string } }[] }>('frames.json');
  const types = [...new Set(good.map(({ frame }) => frame.type))];
  const channels: readonly Channel[] = ['control', 'side-control', 'lane'];
  for (const type of types) {
    const seeds = good.filter(({ frame }) => frame.type === type).map((one) => unhex(one.hex));
    target(type, seeds, (input) => {
      const refused: unknown[] = [];
      for (const channel of channels) {
        try {
          same(append(parse(input, channel)), input);
        } catch (error) {
          if (!(error instanceof MeshError)) throw error;
          refused.push(error);
        }
      }
      if (refused.length === channels.length) throw refused[0];
    });
  }
});

describe('a manifest', () => {
  const { good, bad } = golden<Record<'good' | 'bad', { cbor: string }[]>>('manifests.json');
  const seeds = [...good, ...bad].map(({ cbor }) => unhex(cbor));
  target('of one form', seeds, (input) => same(encodeManifest(decodeManifest(input)), input));
  target('in parts', seeds, (input) => {
    const parts = new BlobParts();
    const blob = concat(new Uint8Array(65), input);
    const [cut, total] = [1 + ((input[0] ?? 0) % 60), blob.length + ((input[1] ?? 0) % 2)];
    parts.add({ type: 'manifest', total, offset: 0, bytes: blob.subarray(0, cut) });
    const whole = parts.add({ type: 'manifest', total, offset: cut, bytes: blob.subarray(cut) });
    if (whole) same(whole.slice(), blob);
    else if (total === blob.length) throw new Error('not whole');
  });
});

describe('what others send and people type', () => {
  const { tokens } = golden<{ tokens: { token: string }[] }>('tokens.json');
  target(
    'a token',
    tokens.map(({ token }) => unhex(token)).filter(({ length }) => length > 0),
    (input) => {
      parseToken(input);
    },
  );
  const hello = { fingerprint: new Uint8Array(32), attempt: new Uint8Array(16), token: new Uint8Array(256) };
  const messages = [
    encodeMessage({ type: 'ask', fingerprint: hello.fingerprint, name: 'Anna', password: 'öffne' }),
    encodeMessage({ type: 'offer', attempt: hello.attempt, lane: 1, token: hello.token, sdp: 'v=0\r\n' }),
    encodeMessage({ type: 'answer', attempt: hello.attempt, token: hello.token, sdp: 'v=0\r\n' }),
    encodeMessage({ type: 'candidate', attempt: hello.attempt, candidate: 'candidate:1 1 udp 1 ::1 9 typ host' }),
    encodeMessage({ type: 'refused', reason: 'full' }),
    encodeMessage({ type: 'token', token: hello.token }),
    encodeMessage({ type: 'key', dh: new Uint8Array(65) }),
    encodeMessage({ type: 'wait' }),
  ];
  target('a message of an envelope', messages, (input) => {
    const written = encodeMessage(decodeMessage(input));
    same(encodeMessage(decodeMessage(written)), written);
  });
  const link = {
    server: 'https://files.example.org',
    room: 'room',
    secret: new Uint8Array(16),
    key: new Uint8Array(16),
  };
  target('a link', [utf8(formatLink(link)), utf8(formatLink({ ...link, server: 'http://[::1]:8080' }))], (input) => {
    const written = formatLink(parseLink(text(input)));
    if (formatLink(parseLink(written)) !== written) throw new Error(written);
  });
  target('a code', ['7-acorn-piano-zebra', ' 1234 – Zebra_acorn.piano,'].map(utf8), (input) => {
    const written = formatCode(parseCode(text(input)));
    if (formatCode(parseCode(written)) !== written) throw new Error(written);
  });
});
