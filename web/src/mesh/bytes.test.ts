import { describe, expect, it } from 'vitest';
import { fromBase64, fromBase64Of, toBase64 } from './base64';
import { behind, compare, concat, equal, hex, isUnicode, Reader, text, utf8, Writer } from './bytes';
import { MeshError } from './error';
import { unhex } from './golden.fixture';
import { Chance } from './mutate.fixture';

describe('base64url', () => {
  it.each([
    ['', ''],
    ['00', 'AA'],
    ['ff', '_w'],
    ['fbff', '-_8'],
    ['000102', 'AAEC'],
    ['ffffffff', '_____w'],
  ])('%s is %s', (bytes, letters) => {
    expect(toBase64(unhex(bytes))).toBe(letters);
    expect(hex(fromBase64(letters))).toBe(bytes);
  });

  it('gives back whatever it was given', () => {
    const chance = new Chance(1);
    for (let length = 0; length < 200; length++) {
      const bytes = chance.bytes(length);
      expect(equal(fromBase64(toBase64(bytes)), bytes)).toBe(true);
    }
  });

  it.each(['A', 'AAAAA', 'AB', 'AAB', '_x', 'AA=', 'AA==', 'A A', '+/AA', 'AAé', '🙂🙂', 'AA\n'])(
    'refuses %j',
    (letters) => {
      expect(() => fromBase64(letters)).toThrow(MeshError);
    },
  );

  it('refuses another length than is wanted', () => {
    expect(fromBase64Of('AAEC', 3)).toEqual(unhex('000102'));
    expect(() => fromBase64Of('AAEC', 4)).toThrow(MeshError);
  });
});

describe('bytes', () => {
  it('are joined, compared and told apart', () => {
    expect(hex(concat(unhex('01'), unhex(''), unhex('0203')))).toBe('010203');
    expect(equal(unhex('0102'), unhex('0102'))).toBe(true);
    expect(equal(unhex('0102'), unhex('0103'))).toBe(false);
    expect(equal(unhex('0102'), unhex('010200'))).toBe(false);
    expect(compare(unhex('01ff'), unhex('0200'))).toBeLessThan(0);
    expect(compare(unhex('01'), unhex('0100'))).toBeLessThan(0);
    expect(compare(unhex('80'), unhex('7f'))).toBeGreaterThan(0);
    expect(compare(unhex('80'), unhex('80'))).toBe(0);
  });

  it('of a text come back whole, a byte order mark too', () => {
    for (const word of ['', 'é', '\ufeffa', '🙂']) expect(text(utf8(word))).toBe(word);
    expect(() => text(unhex('c3'))).toThrow(MeshError);
    expect(() => text(unhex('eda080'))).toThrow(MeshError);
    expect(isUnicode('🙂')).toBe(true);
    expect(isUnicode('\ud83d')).toBe(false);
  });
});

describe('numbers', () => {
  it('are read as they were written', () => {
    const bytes = new Writer(17)
      .u8(1)
      .u16(0x0203)
      .u32(0x8405_0607)
      .u64(0xf809_0a0b_0c0d_0e0fn)
      .put(unhex('1011'))
      .done();
    expect(hex(bytes)).toBe('01020384050607f8090a0b0c0d0e0f1011');
    const reader = new Reader(bytes.subarray());
    expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([
      1,
      0x203,
      0x84050607,
      0xf8090a0b0c0d0e0fn,
    ]);
    expect(reader.left).toBe(2);
    expect(() => reader.end()).toThrow(MeshError);
    expect(hex(reader.rest())).toBe('1011');
    reader.end();
  });

  it('that are cut are refused', () => {
    expect(() => new Reader(unhex('01')).u16()).toThrow(MeshError);
    expect(() => new Reader(unhex('010203')).u32()).toThrow(MeshError);
    expect(() => new Reader(unhex('01')).u64()).toThrow(MeshError);
    expect(() => new Reader(unhex('01')).take(2)).toThrow(MeshError);
    expect(() => new Reader(unhex('')).u8()).toThrow(MeshError);
  });

  it('must fill what was meant for them', () => {
    expect(() => new Writer(2).u8(1).done()).toThrow(RangeError);
    expect(() => new Writer(1).u16(1)).toThrow(RangeError);
  });
});

describe('bytes with a head before them', () => {
  const head = Uint8Array.of(1, 2, 3);

  it.each([
    ['no room', 0],
    ['less room than that', 2],
    ['just room', 3],
    ['more room', 9],
  ])('are one with it where there is %s, and what lay there is put back', (_, before) => {
    const memory = Uint8Array.from({ length: before + 4 }, (_none, i) => 100 + i);
    const was = [...memory];
    const seen = behind(head, memory.subarray(before), (both) => [...both]);
    expect(seen).toEqual([1, 2, 3, ...was.slice(before)]);
    expect([...memory]).toEqual(was);
  });

  it('are put back when their use fails', () => {
    const memory = Uint8Array.of(7, 8, 9, 10);
    const fails = (): never => {
      throw new Error('full');
    };
    expect(() => behind(head, memory.subarray(3), fails)).toThrow('full');
    expect([...memory]).toEqual([7, 8, 9, 10]);
  });
});
