import { describe, expect, it } from 'vitest';
import { type Bytes, hex, text, utf8 } from './bytes';
import { MAX_ENVELOPE, openGroup, openPair, sealGroup, sealPair, senderOf } from './envelope';
import { MeshError } from './error';
import { golden, privateKey, unhex } from './golden.fixture';
import { pairKeys, roomKeys } from './keys';
import {
  type Card,
  decodeMessage,
  encodeMessage,
  MAX_PLAIN,
  MAX_SDP,
  newCard,
  type PairMessage,
  verifyCard,
} from './messages';
import { Chance, spoil } from './mutate.fixture';
import { newSigningKeys } from './sign';

interface GoldenEnvelope {
  sender: 'low' | 'high';
  from: string;
  to: string;
  nonce: string;
  plain: string;
  envelope: string;
}

const file = golden<{
  card: { room: string; secret: string; k: string; key: string; dh: string; signature: string };
  group: GoldenEnvelope[];
  pairs: GoldenEnvelope[];
  badMessages: { text: string; error: string }[];
}>('envelopes.json');

const side = golden<Record<'low' | 'high', { private: string; public: string }> & { secret: string; room: string }>(
  'pair.json',
);
const agreement = async (who: 'low' | 'high') => ({
  privateKey: await privateKey('ECDH', unhex(side[who].private), unhex(side[who].public)),
  dh: unhex(side[who].public),
});
const secret = unhex(side.secret);
const low = await pairKeys(await agreement('low'), unhex(side.high.public), secret, side.room);
const high = await pairKeys(await agreement('high'), unhex(side.low.public), secret, side.room);
const room = await roomKeys(unhex(file.card.secret), file.card.room);

describe('golden envelopes of the room', () => {
  it.each(file.group)('$plain', async ({ from, to, nonce, plain, envelope }) => {
    const message = await openGroup(room, { from, to }, unhex(envelope));
    expect(text(encodeMessage(message))).toBe(plain);
    expect(hex(await sealGroup(room, { from, to }, message, unhex(nonce)))).toBe(envelope);
    if (message.type === 'card') {
      expect([hex(message.key), hex(message.dh), hex(message.signature)]).toEqual([
        file.card.key,
        file.card.dh,
        file.card.signature,
      ]);
    }
    await expect(openGroup(room, { from: to, to: from }, unhex(envelope))).rejects.toThrow(MeshError);
  });
});

describe('golden envelopes of a pair', () => {
  it.each(file.pairs)('$plain', async ({ sender, from, to, nonce, plain, envelope }) => {
    const [out, back] = sender === 'low' ? [low, high] : [high, low];
    const message = await openPair(back, { from, to }, unhex(envelope));
    expect(text(encodeMessage(message))).toBe(plain);
    expect(hex(await sealPair(out, { from, to }, message, unhex(nonce)))).toBe(envelope);
    expect(hex(senderOf(unhex(envelope)))).toBe(side[sender].public);
  });

  it('open for nobody else, nowhere else and not when sent back', async () => {
    const { sender, from, to, envelope } = file.pairs[0] as GoldenEnvelope;
    const [out, back] = sender === 'low' ? [low, high] : [high, low];
    const bytes = unhex(envelope);
    await expect(openPair(out, { from, to }, bytes)).rejects.toThrow(MeshError);
    await expect(openPair(out, { from: to, to: from }, bytes)).rejects.toThrow(MeshError);
    await expect(openPair(back, { from: to, to: from }, bytes)).rejects.toThrow(MeshError);
    await expect(openPair(back, { from, to: `${to}x` }, bytes)).rejects.toThrow(MeshError);
    await expect(openPair(back, { from: `${from}\0`, to }, bytes)).rejects.toThrow(MeshError);
    await expect(openPair({ ...back, room: 'other' }, { from, to }, bytes)).rejects.toThrow(MeshError);
  });
});

it('damaged envelopes do not open', async () => {
  const { sender, from, to, envelope } = file.pairs[0] as GoldenEnvelope;
  const back = sender === 'low' ? high : low;
  const chance = new Chance(5);
  for (let round = 0; round < 1000; round++) {
    const bytes = spoil(unhex(envelope), chance);
    if (hex(bytes) === envelope) continue;
    await expect(openPair(back, { from, to }, bytes)).rejects.toThrow(MeshError);
  }
  for (const bytes of [new Uint8Array(), Uint8Array.of(3), new Uint8Array(MAX_ENVELOPE + 1).fill(3)]) {
    await expect(openPair(back, { from, to }, bytes)).rejects.toThrow(MeshError);
    await expect(openGroup(room, { from, to }, bytes)).rejects.toThrow(MeshError);
  }
});

it('the golden card is of the golden key', async () => {
  const { card: g } = file;
  const card: Card = { type: 'card', key: unhex(g.key), dh: unhex(g.dh), signature: unhex(g.signature) };
  const k = unhex(g.k);
  expect((await verifyCard(card, k, g.room)).type).toBe('public');
  await expect(verifyCard(card, k, 'other')).rejects.toThrow(MeshError);
  await expect(verifyCard(card, new Uint8Array(16), g.room)).rejects.toThrow(MeshError);
  await expect(verifyCard({ ...card, dh: card.key }, k, g.room)).rejects.toThrow(MeshError);
});

it('a new card verifies', async () => {
  const keys = await newSigningKeys();
  const card = await newCard(keys, 'room', low.own);
  expect(keys.privateKey.extractable).toBe(false);
  const { keyHash } = await import('./keys');
  await verifyCard(card, await keyHash(card.key), 'room');
});

describe('a message', () => {
  it.each(file.badMessages)('is refused as $error: $text', ({ text: bad }) => {
    expect(() => decodeMessage(utf8(bad))).toThrow(MeshError);
  });

  it.each<[string, Bytes]>([
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    [
      'half a character',
      utf8('{"type":"ask","fingerprint":"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","name":"\\ud800"}'),
    ],
    ['too long', utf8(`{"type":"wait"${' '.repeat(MAX_PLAIN)}}`)],
    ['a prototype', utf8('{"type":"wait","__proto__":1}')],
    ['the name of something that every object has', utf8('{"type":"constructor"}')],
  ])('is refused: %s', (_, bytes) => {
    expect(() => decodeMessage(bytes)).toThrow(MeshError);
  });

  it('that would be refused is not made', () => {
    const attempt = new Uint8Array(16);
    const token = new Uint8Array(256);
    const bad: PairMessage[] = [
      { type: 'answer', attempt, token, sdp: 'v'.repeat(MAX_SDP + 1) },
      { type: 'answer', attempt, token, sdp: '\u0001'.repeat(MAX_SDP) },
      { type: 'answer', attempt: new Uint8Array(15), token, sdp: 'v' },
      { type: 'refused', reason: 'because' as never },
      { type: 'candidate', attempt, candidate: 'a\r\nb' },
    ];
    for (const message of bad) expect(() => encodeMessage(message)).toThrow(MeshError);
  });

  it('damaged is refused by the one error, or is another message of one form', () => {
    const plains = [...file.group, ...file.pairs].map((g) => utf8(g.plain));
    const chance = new Chance(8);
    for (let round = 0; round < 5000; round++) {
      const bytes = spoil(plains[round % plains.length] as Bytes, chance);
      try {
        const message = decodeMessage(bytes);
        expect(decodeMessage(encodeMessage(message))).toEqual(message);
      } catch (error) {
        expect(error).toBeInstanceOf(MeshError);
      }
    }
  });
});
