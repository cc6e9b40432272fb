import { describe, expect, it } from 'vitest';
import type { Bytes } from '../bytes';
import { random } from '../keys';
import { Layout } from '../layout';
import { LEAF } from '../merkle';
import { Parts } from '../parts';
import { newSigningKeys } from '../sign';
import { parse } from '../wire';
import { Content } from './content';
import { Files, Memory, SourceChanged } from './sink';

const SIZES = [LEAF + 5, 0, 3 * LEAF];
const layout = new Layout(SIZES);
const id = random(32);

const bytes = (size: number): Bytes => Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

async function uploader(blobs = SIZES.map((size) => new Blob([bytes(size)]))) {
  const keys = await newSigningKeys();
  const files = new Map(blobs.entries());
  const content = new Content(id, layout, { verify: keys.publicKey, sign: keys.privateKey }, new Files(layout, files));
  return { content, keys, blobs };
}

/** A leaf as it comes, cut in messages of so many bytes. */
async function arriving(from: Content, piece: number, leaf: number, largest: number): Promise<Parts> {
  const parts = new Parts(piece, leaf, layout.leafLength(piece, leaf));
  for (const message of (await from.messages(piece, leaf, largest)).reverse()) {
    const frame = parse(message, 'lane');
    if (frame.type === 'leaf') parts.add(frame);
  }
  return parts;
}

const always = (): boolean => true;

async function fetchAll(from: Content, into: Content): Promise<void> {
  for (let piece = 0; piece < layout.pieces; piece++) {
    for (let leaf = 0; leaf < layout.leaves(piece); leaf++) {
      const parts = await arriving(from, piece, leaf, 16_384);
      expect(await into.take(parts, piece, leaf, always)).toBe(true);
    }
  }
}

describe('content', () => {
  it('goes from the uploader to a receiver, and from there to the next', async () => {
    const { content, keys, blobs } = await uploader();
    const verify = { verify: keys.publicKey, sign: undefined };
    const first = new Content(id, layout, verify, new Memory(layout.total));
    await fetchAll(content, first);
    const sink = new Memory(layout.total);
    await fetchAll(first, new Content(id, layout, verify, sink));
    for (const [i, blob] of blobs.entries()) {
      const got = sink.blob(layout.fileStart(i), blob.size);
      expect(new Uint8Array(await got.arrayBuffer())).toEqual(new Uint8Array(await blob.arrayBuffer()));
    }
  });

  it('refuses a leaf with a bit changed, one of another place, and roots of another key', async () => {
    const { content, keys } = await uploader();
    const sink = new Memory(layout.total);
    const receiver = new Content(id, layout, { verify: keys.publicKey, sign: undefined }, sink);
    const bad = await arriving(content, 0, 0, 262_144);
    (bad.bytes as Bytes)[7] = (bad.bytes[7] as number) ^ 1;
    expect(await receiver.take(bad, 0, 0, always)).toBe(false);
    const moved = await arriving(content, 2, 0, 262_144);
    expect(await receiver.take(moved, 3, 0, always)).toBe(false);
    const stranger = (await uploader()).content;
    expect(await receiver.take(await arriving(stranger, 0, 0, 262_144), 0, 0, always)).toBe(false);
    expect(await sink.read(0, layout.total)).toEqual(new Uint8Array(layout.total));
  });

  it('writes nothing of a leaf that came twice: the sink may be closed', async () => {
    const { content, keys } = await uploader();
    const sink = new Memory(layout.total);
    sink.write = () => Promise.reject(new Error('closed'));
    const receiver = new Content(id, layout, { verify: keys.publicKey, sign: undefined }, sink);
    const parts = await arriving(content, 0, 0, 262_144);
    expect(await receiver.take(parts, 0, 0, () => false)).toBe(true);
  });

  it('notices a file that is not what was signed', async () => {
    const { content, blobs } = await uploader();
    await content.messages(0, 0, 262_144);
    const files = new Files(layout, new Map([[0, new Blob([random(3)])], ...[...blobs.entries()].slice(1)]));
    await expect(files.read(0, 10)).rejects.toThrow(SourceChanged);
  });
});
