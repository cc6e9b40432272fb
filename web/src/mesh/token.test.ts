import { describe, expect, it } from 'vitest';
import { type Bytes, hex } from './bytes';
import { golden, unhex } from './golden.fixture';
import { keyHash, roomHash } from './keys';
import { Chance, spoil } from './mutate.fixture';
import { newSigningKeys, pointOf } from './sign';
import {
  noRevocations,
  PASS_ON,
  parseToken,
  RECEIVE,
  signRevocations,
  signToken,
  type Token,
  TokenError,
  UPLOADER,
  verifyRevocations,
  verifyToken,
} from './token';

const { tokens } = golden<{
  tokens: {
    token: string;
    room: string;
    k: string;
    now: number;
    need: number;
    error: string;
    serial: number;
    expiry: number;
    rights: number;
    dh?: string;
    fingerprint?: string;
  }[];
}>('tokens.json');

const { lists } = golden<{
  lists: { list: string; key: string; room: string; error: string; version: number; serials: number[] | null }[];
}>('revoke.json');

const faultOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return '';
  } catch (error) {
    if (error instanceof TokenError) return error.fault;
    throw error;
  }
};

describe('the golden tokens', () => {
  it.each(tokens.map((g, i) => [i, g.error || 'good', g] as const))('number %d is %s', async (_, __, g) => {
    const work = verifyToken(unhex(g.token), unhex(g.k), g.room, g.now * 1000, g.need);
    expect(await faultOf(work)).toBe(g.error);
    if (g.error !== '') return;
    const token = await work;
    expect([token.serial, token.expiry, token.rights]).toEqual([g.serial, g.expiry, g.rights]);
    expect([hex(token.dh), hex(token.fingerprint)]).toEqual([g.dh, g.fingerprint]);
  });
});

describe('the golden revocations', () => {
  it.each(lists.map((g, i) => [i, g.error || 'good', g] as const))('number %d is %s', async (_, __, g) => {
    const work = verifyRevocations(unhex(g.list), unhex(g.key), g.room);
    expect(await faultOf(work)).toBe(g.error);
    if (g.error === '') expect(await work).toEqual({ version: g.version, serials: g.serials ?? [] });
  });
});

const keys = await newSigningKeys();
const key = await pointOf(keys.publicKey);
const k = await keyHash(key);
const token: Token = {
  room: await roomHash('room'),
  serial: 7,
  expiry: 2_000_000_000,
  rights: RECEIVE | PASS_ON,
  dh: key,
  fingerprint: new Uint8Array(32),
  key,
};

describe('a token', () => {
  it('of one form is signed and read again', async () => {
    const signed = await signToken(token, keys.privateKey);
    expect(signed.length).toBe(256);
    expect(await verifyToken(signed, k, 'room', 0, RECEIVE)).toEqual(token);
    expect(parseToken(signed)).toEqual(token);
    expect(await faultOf(verifyToken(signed, k, 'room', 1_999_999_999_999, RECEIVE))).toBe('');
    expect(await faultOf(verifyToken(signed, k, 'room', 2_000_000_000_000, RECEIVE))).toBe('expired');
    expect(await faultOf(verifyToken(signed, k, 'room', 0, UPLOADER))).toBe('rights');
  });

  it.each<[string, Partial<Token>]>([
    ['no rights', { rights: 0 }],
    ['unknown rights', { rights: 8 }],
    ['serial 0 for a receiver', { serial: 0 }],
    ['the uploader of another serial', { rights: UPLOADER }],
    ['an expiry that is not exact', { expiry: 2 ** 53 }],
    ['half a serial', { serial: 0.5 }],
    ['a short key', { dh: new Uint8Array(64) }],
  ])('of %s is not signed', async (_, over) => {
    expect(await faultOf(signToken({ ...token, ...over }, keys.privateKey))).toBe('form');
  });

  it('damaged is refused, whatever was damaged', async () => {
    const signed = await signToken(token, keys.privateKey);
    const chance = new Chance(12);
    for (let round = 0; round < 1000; round++) {
      const bytes = spoil(signed, chance);
      if (hex(bytes) !== hex(signed)) expect(await faultOf(verifyToken(bytes, k, 'room', 0, RECEIVE))).not.toBe('');
    }
  });
});

describe('a list of revocations', () => {
  it('is signed and read again', async () => {
    for (const list of [noRevocations, { version: 3, serials: [1, 2, 0xffff_ffff] }]) {
      const signed = await signRevocations(list, keys.privateKey, 'room');
      expect(await verifyRevocations(signed, key, 'room')).toEqual(list);
      expect(await faultOf(verifyRevocations(signed, key, 'other'))).toBe('room');
    }
  });

  it.each([[[0]], [[2, 1]], [[1, 1]], [[0.5]], [Array.from({ length: 1001 }, (_, i) => i + 1)]])(
    'of serials %j is not signed',
    async (serials) => {
      expect(await faultOf(signRevocations({ version: 1, serials }, keys.privateKey, 'room'))).toBe('form');
    },
  );

  it('damaged is refused', async () => {
    const signed = await signRevocations({ version: 3, serials: [1, 2, 9] }, keys.privateKey, 'room');
    const chance = new Chance(13);
    for (let round = 0; round < 1000; round++) {
      const bytes: Bytes = spoil(signed, chance);
      if (hex(bytes) !== hex(signed)) expect(await faultOf(verifyRevocations(bytes, key, 'room'))).not.toBe('');
    }
  });
});
