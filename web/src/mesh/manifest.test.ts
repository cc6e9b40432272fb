import { encode } from 'cborg';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, concat, equal, hex } from './bytes';
import { MeshError } from './error';
import { unhex } from './golden.fixture';
import {
  decodeManifest,
  encodeManifest,
  layoutOf,
  MAX_BLOB,
  MAX_ENTRIES,
  MAX_TIME,
  MAX_TOTAL,
  type Manifest,
  openManifest,
  sealManifest,
  signRoot,
  verifyRoot,
} from './manifest';
import { sha256 } from './merkle';
import { Chance, spoil } from './mutate.fixture';
import { PathError } from './path';
import { newSigningKeys } from './sign';

const entry = (path: string, size = 1, mtime = 0) => ({ path, size, mtime });
const manifest = (over: Partial<Manifest> = {}): Manifest => ({
  files: [entry('b/größe.txt', 70_000, 1_700_000_000), entry('a', 0), entry('empty/', 0)],
  created: 1_760_000_000,
  text: '',
  ...over,
});

describe('a manifest', () => {
  it.each<[string, Manifest]>([
    ['files', manifest()],
    ['a text', manifest({ files: [], text: 'Guten Tag \u0000 \ufeff 🙂' })],
    ['both', manifest({ text: 'x'.repeat(65_536) })],
    ['the largest of all', manifest({ files: [entry('a', MAX_TOTAL, MAX_TIME)] })],
  ])('of %s comes back as it was', (_, m) => {
    const cbor = encodeManifest(m);
    expect(decodeManifest(cbor)).toEqual(m);
    expect(hex(encodeManifest(decodeManifest(cbor)))).toBe(hex(cbor));
  });

  it('has its keys in the order of their bytes', () => {
    const cbor = encodeManifest(manifest({ files: [entry('a', 2, 3)], created: 4 }));
    expect(hex(cbor)).toBe(
      'a5' + // v, leaf, files, piece, created
        '617601' +
        '646c6561661a00010000' +
        '6566696c657381a364706174686161' +
        '6473697a6502656d74696d6503' +
        '6570696563651a00010000' +
        '676372656174656404',
    );
  });

  it.each<[string, Manifest]>([
    ['nothing', manifest({ files: [] })],
    ['too many files', manifest({ files: Array.from({ length: MAX_ENTRIES + 1 }, (_, i) => entry(`${i}`)) })],
    ['too many bytes', manifest({ files: [entry('a', MAX_TOTAL), entry('b', 1)] })],
    ['a size that is no number', manifest({ files: [entry('a', Number.NaN)] })],
    ['a size below zero', manifest({ files: [entry('a', -1)] })],
    ['half a byte', manifest({ files: [entry('a', 0.5)] })],
    ['a time after all', manifest({ created: MAX_TIME + 1 })],
    ['a time before all', manifest({ files: [entry('a', 1, -1)] })],
    ['a long text', manifest({ text: 'é'.repeat(32_769) })],
    ['half a character', manifest({ text: '\ud800' })],
  ])('of %s is not made', (_, m) => {
    expect(() => encodeManifest(m)).toThrow(MeshError);
  });

  it('with a path that is refused says which', () => {
    expect(() => encodeManifest(manifest({ files: [entry('../a')] }))).toThrow(PathError);
    expect(() => encodeManifest(manifest({ files: [entry('a'), entry('A')] }))).toThrow(PathError);
  });

  it('too large in CBOR is not made', () => {
    const long = `${'a'.repeat(250)}/`.repeat(4);
    const files = Array.from({ length: 4200 }, (_, i) => entry(`${long}${i}`));
    expect(() => encodeManifest(manifest({ files }))).toThrow(MeshError);
  });
});

describe('CBOR that is refused', () => {
  const good = { v: 1, files: [entry('a')], leaf: 65_536, piece: 65_536, created: 4 };
  const bytes = (value: unknown): Bytes => new Uint8Array(encode(value));

  it('is none of these', () => {
    expect(decodeManifest(bytes(good)).files).toEqual([entry('a')]);
  });

  it.each<[string, Bytes]>([
    ['another version', bytes({ ...good, v: 2 })],
    ['another leaf', bytes({ ...good, leaf: 65_537 })],
    ['another piece', bytes({ ...good, piece: 131_072 })],
    ['a member more', bytes({ ...good, x: 1 })],
    ['a prototype', concat(unhex('a6'), bytes(good).subarray(1), unhex('695f5f70726f746f5f5fa0'))],
    ['an empty text', bytes({ ...good, text: '' })],
    ['a text of bytes', bytes({ ...good, text: unhex('61') })],
    ['files in a map', bytes({ ...good, files: { a: 1 } })],
    ['a file in a list', bytes({ ...good, files: [['a', 1, 0]] })],
    ['a file with a member more', bytes({ ...good, files: [{ ...entry('a'), x: 1 }] })],
    ['a file with a member less', bytes({ ...good, files: [{ path: 'a', size: 1 }] })],
    ['a size in text', bytes({ ...good, files: [{ ...entry('a'), size: '1' }] })],
    ['a size too large for a number', bytes({ ...good, files: [{ ...entry('a'), size: 2n ** 63n }] })],
    ['a list', bytes([1])],
    ['null', bytes(null)],
    ['nothing', new Uint8Array()],
    ['bytes behind the end', concat(bytes(good), unhex('00'))],
    ['an end too early', bytes(good).slice(0, -1)],
    ['a number in a long form', concat(unhex('a561761801'), bytes(good).slice(4))],
    ['a float', concat(unhex('a56176f93c00'), bytes(good).slice(4))],
    ['a map of no said length', concat(unhex('bf'), bytes(good).subarray(1), unhex('ff'))],
    ['a tag', concat(unhex('c1'), bytes(good))],
    ['a member twice', concat(unhex('a6617601'), bytes(good).subarray(1))],
    ['members in another order', concat(unhex('a5'), bytes({ created: 4 }).subarray(1), withoutCreated(good))],
    ['lists in lists, deeper than any stack', new Uint8Array(4_000_000).fill(0x81)],
    ['a list of more than there is', unhex('9bffffffffffffffff')],
    ['a text of more than there is', unhex('7bffffffffffffffff')],
  ])('%s', (_, cbor) => {
    expect(() => decodeManifest(cbor)).toThrow(MeshError);
  });

  function withoutCreated({ created: _, ...rest }: typeof good): Bytes {
    return bytes(rest).subarray(1);
  }
});

describe('a signed manifest', () => {
  let keys: CryptoKeyPair;
  let blob: Bytes;
  beforeAll(async () => {
    keys = await newSigningKeys();
    blob = await sealManifest(encodeManifest(manifest()), 'room', keys.privateKey);
  });

  it('opens in its room with the key, and its id is the hash of the CBOR', async () => {
    const opened = await openManifest(blob, 'room', keys.publicKey);
    expect(opened.manifest).toEqual(manifest());
    expect(opened.id).toEqual(await sha256(blob.slice(64)));
    expect(layoutOf(opened.manifest).pieces).toBe(2);
  });

  it('is refused in another room, by another key, and with a bit changed', async () => {
    const other = await newSigningKeys();
    await expect(openManifest(blob, 'other', keys.publicKey)).rejects.toThrow(MeshError);
    await expect(openManifest(blob, 'room', other.publicKey)).rejects.toThrow(MeshError);
    await expect(openManifest(blob.slice(0, 63), 'room', keys.publicKey)).rejects.toThrow(MeshError);
    await expect(openManifest(new Uint8Array(MAX_BLOB + 1), 'room', keys.publicKey)).rejects.toThrow(MeshError);
    for (const at of [0, 63, 64, blob.length - 1]) {
      const changed = blob.slice();
      changed[at] = (changed[at] as number) ^ 1;
      await expect(openManifest(changed, 'room', keys.publicKey)).rejects.toThrow(MeshError);
    }
  });

  it('roots are signed for one manifest and one piece', async () => {
    const [id, root] = [await sha256(blob), await sha256(new Uint8Array())];
    const signature = await signRoot(keys.privateKey, id, 7, root);
    expect(await verifyRoot(keys.publicKey, id, 7, root, signature)).toBe(true);
    expect(await verifyRoot(keys.publicKey, id, 8, root, signature)).toBe(false);
    expect(await verifyRoot(keys.publicKey, root, 7, root, signature)).toBe(false);
    expect(await verifyRoot(keys.publicKey, id, 7, id, signature)).toBe(false);
  });
});

it.each([1, 2, 3, 4])('damaged CBOR is refused, or is another manifest of one form (seed %d)', (seed) => {
  const good = [
    encodeManifest(manifest()),
    encodeManifest(
      manifest({ text: 'a text', files: Array.from({ length: 10 }, (_, i) => entry(`d/${i}`, i * 1000)) }),
    ),
  ];
  const chance = new Chance(seed);
  let taken = 0;
  for (let round = 0; round < 1_500; round++) {
    const cbor = spoil(good[round % 2] as Bytes, chance);
    let read: Manifest;
    try {
      read = decodeManifest(cbor);
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      continue;
    }
    taken++;
    if (!equal(encodeManifest(read), cbor)) throw new Error(`another form of ${hex(cbor)}`);
  }
  // Some faults only change a name or a time.
  expect(taken).toBeGreaterThan(30);
});
