import { describe, expect, it } from 'vitest';
import { type Bytes, hex, utf8 } from './bytes';
import { MeshError } from './error';
import { golden, privateKey, unhex } from './golden.fixture';
import {
  type Agreement,
  checkHello,
  checkNumbers,
  exportKey,
  helloMac,
  hkdf,
  newAgreement,
  pairBytes,
  pairKeys,
  random,
  roomKeys,
} from './keys';

const { keys } = golden<{ keys: { secret: string; room: string; join: string; verifier: string; group: string }[] }>(
  'keys.json',
);

interface GoldenSide {
  private: string;
  public: string;
}

const pair = golden<{
  secret: string;
  room: string;
  low: GoldenSide;
  high: GoldenSide;
  sealUp: string;
  sealDown: string;
  macUp: string;
  macDown: string;
  export: string;
  exported: { label: string; bytes: string };
  check: number[];
  badPublic: Record<string, string>;
}>('pair.json');

const { hellos } = golden<{
  hellos: { sender: 'low' | 'high'; attempt: string; lane: number; offerer: string; answerer: string; mac: string }[];
}>('hello.json');

const secret = unhex(pair.secret);
const side = async (who: GoldenSide): Promise<Agreement> => ({
  privateKey: await privateKey('ECDH', unhex(who.private), unhex(who.public)),
  dh: unhex(who.public),
});
const low = await side(pair.low);
const high = await side(pair.high);

it.each(keys)('the keys of room $room', async (g) => {
  const made = await roomKeys(unhex(g.secret), g.room);
  expect([hex(made.join), hex(made.verifier)]).toEqual([g.join, g.verifier]);
  // The group key cannot be read, but what it seals can be opened by the golden bytes only.
  const known = await crypto.subtle.importKey('raw', unhex(g.group), 'AES-GCM', false, ['decrypt']);
  const how = { name: 'AES-GCM', iv: new Uint8Array(12) };
  const sealed = await crypto.subtle.encrypt(how, made.group, utf8('words'));
  expect(hex(new Uint8Array(await crypto.subtle.decrypt(how, known, sealed)))).toBe(hex(utf8('words')));
});

it('a room of no name has no keys', async () => {
  for (const room of ['', 'a/b', 'ä', 'a'.repeat(65), 'a\n']) {
    await expect(roomKeys(secret, room)).rejects.toThrow(MeshError);
    await expect(pairKeys(low, high.dh, secret, room)).rejects.toThrow(MeshError);
  }
});

describe('a pair', () => {
  it('has the golden keys, the same from both sides', async () => {
    const want = pair.sealUp + pair.sealDown + pair.macUp + pair.macDown + pair.export;
    expect(hex(await pairBytes(low, high.dh, secret, pair.room))).toBe(want);
    expect(hex(await pairBytes(high, low.dh, secret, pair.room))).toBe(want);
  });

  it('exports the golden bytes and check numbers', async () => {
    for (const keys of [
      await pairKeys(low, high.dh, secret, pair.room),
      await pairKeys(high, low.dh, secret, pair.room),
    ]) {
      expect(hex(await exportKey(keys, pair.exported.label, pair.exported.bytes.length / 2))).toBe(pair.exported.bytes);
      expect(await checkNumbers(keys)).toEqual(pair.check);
    }
  });

  it.each(Object.entries(pair.badPublic))('refuses %s', async (_, bytes) => {
    await expect(pairKeys(low, unhex(bytes), secret, pair.room)).rejects.toThrow(MeshError);
  });

  it('of new keys that cannot be taken out agrees, and with another secret does not', async () => {
    const [a, b] = [await newAgreement(), await newAgreement()];
    expect(a.privateKey.extractable).toBe(false);
    const s = random(16);
    expect(hex(await pairBytes(a, b.dh, s, 'room'))).toBe(hex(await pairBytes(b, a.dh, s, 'room')));
    expect(hex(await pairBytes(a, b.dh, s, 'room'))).not.toBe(hex(await pairBytes(a, b.dh, random(16), 'room')));
    expect(hex(await pairBytes(a, b.dh, s, 'room'))).not.toBe(hex(await pairBytes(a, b.dh, s, 'other')));
  });
});

it.each(hellos)('the mac of HELLO on lane $lane from the $sender', async (g) => {
  const facts = { attempt: unhex(g.attempt), lane: g.lane, offerer: unhex(g.offerer), answerer: unhex(g.answerer) };
  const lowPair = await pairKeys(low, high.dh, secret, pair.room);
  const highPair = await pairKeys(high, low.dh, secret, pair.room);
  const [from, to] = g.sender === 'low' ? [lowPair, highPair] : [highPair, lowPair];
  const mac = unhex(g.mac);
  expect(hex(await helloMac(from, facts))).toBe(g.mac);
  expect(await checkHello(to, facts, mac)).toBe(true);
  // Sent back, of another lane, attempt or certificate, or changed, it is of no use.
  expect(await checkHello(from, facts, mac)).toBe(false);
  expect(await checkHello(to, { ...facts, lane: g.lane ^ 1 }, mac)).toBe(false);
  expect(await checkHello(to, { ...facts, attempt: new Uint8Array(16) }, mac)).toBe(false);
  expect(await checkHello(to, { ...facts, offerer: facts.answerer, answerer: facts.offerer }, mac)).toBe(false);
  expect(await checkHello(to, facts, flipped(mac))).toBe(false);
  expect(await checkHello(to, facts, mac.slice(0, 31))).toBe(false);
});

const flipped = (bytes: Bytes): Bytes => bytes.map((b, i) => (i === 0 ? b ^ 1 : b));

it('HKDF is that of RFC 5869, appendix A.1', async () => {
  const made = await hkdf(
    unhex('0b'.repeat(22)),
    unhex('000102030405060708090a0b0c'),
    unhex('f0f1f2f3f4f5f6f7f8f9'),
    42,
  );
  expect(hex(made)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
});
