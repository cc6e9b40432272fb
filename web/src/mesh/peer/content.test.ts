import { describe, expect, it } from 'vitest';
import { type Bytes, concat, equal } from '../bytes';
import { random } from '../keys';
import { Layout } from '../layout';
import { LEAF } from '../merkle';
import { type Message, Parts } from '../parts';
import { newSigningKeys } from '../sign';
import { append, type LeafFrame, parse } from '../wire';
import { Content, type Root } from './content';
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

/** A message as it goes. */
const joined = ({ head, bytes }: Message): Bytes => concat(head, bytes);

/** A leaf as it comes, cut in messages of so many bytes. */
async function arriving(from: Content, piece: number, leaf: number, largest: number): Promise<Parts> {
  const parts = new Parts(piece, leaf, layout.leafLength(piece, leaf));
  for (const message of (await from.messages(piece, leaf, largest)).reverse()) {
    const frame = parse(joined(message), 'lane');
    if (frame.type === 'leaf') parts.add(frame);
  }
  return parts;
}

async function fetchAll(from: Content, into: Content): Promise<void> {
  for (let piece = 0; piece < layout.pieces; piece++) {
    for (let leaf = 0; leaf < layout.leaves(piece); leaf++) {
      const parts = await arriving(from, piece, leaf, 16_384);
      expect(await into.verify(parts, piece, leaf)).toBe(true);
      await into.keep(parts, piece, leaf);
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
      const [here, there] = await Promise.all([got.arrayBuffer(), blob.arrayBuffer()]);
      expect(equal(new Uint8Array(here), new Uint8Array(there))).toBe(true);
    }
  });

  it('sends a leaf in one message as it would be cut for a peer that takes no more', async () => {
    const { content } = await uploader();
    const [whole, ...none] = (await content.messages(0, 0, 262_144)).map(joined);
    expect(none).toEqual([]);
    const { length } = whole as Bytes;
    expect((await content.messages(0, 0, length)).map((one) => equal(joined(one), whole as Bytes))).toEqual([true]);
    const [first, second] = (await content.messages(0, 0, length - 1)).map(joined);
    const [a, b] = [parse(first as Bytes, 'lane'), parse(second as Bytes, 'lane')] as LeafFrame[];
    const frame = { ...(a as LeafFrame), bytes: concat((a as LeafFrame).bytes, (b as LeafFrame).bytes) };
    expect(equal(append(frame), whole as Bytes)).toBe(true);
  });

  const MB = 1024 * 1024;

  /** A share of so many bytes, all zeros, and where leaves were read that lie together. */
  async function reading(total: number, fails: (at: number) => boolean = () => false) {
    const long = new Layout([total]);
    const { publicKey: verify, privateKey: sign } = await newSigningKeys();
    const read: number[] = [];
    const store = {
      read: async (at: number, length: number) => {
        read.push(at / (8 * LEAF));
        if (fails(at)) throw new SourceChanged();
        return new Uint8Array(length);
      },
    };
    return { content: new Content(id, long, { verify, sign }, store), read, perPiece: long.piece / (8 * LEAF) };
  }

  it('reads a little before it has its turn, once, and tells of what fails when that has', async () => {
    const { content, read } = await reading(256 * MB, (at) => at === 8 * LEAF);
    for (const piece of [0, 0, 1, 2, 3, 4]) content.prepare(piece, 0);
    expect(read).toEqual([0, 1, 2, 3]); // the last waits until one of these has its turn
    await content.messages(0, 0, 262_144);
    expect(read).toEqual([0, 1, 2, 3]);
    await expect(content.messages(1, 0, 262_144)).rejects.toThrow(SourceChanged);
    expect(read).toEqual([0, 1, 2, 3, 1]); // what failed had been let go, and was tried again
    for (const piece of [2, 3, 4]) content.prepare(piece, 7);
    expect(read).toEqual([0, 1, 2, 3, 1, 4]);
  });

  it('reads no more of large pieces again than what goes out, however many go out in turns', async () => {
    const { content, read, perPiece } = await reading(2048 * MB);
    expect(perPiece).toBe(8);
    const pieces = [0, 1, 2, 3, 4, 5];
    for (let leaf = 0; leaf < 64; leaf++) for (const piece of pieces) await content.messages(piece, leaf, 262_144);
    // Each once to know it, and once more at the most.
    expect(read.length).toBeLessThanOrEqual(2 * pieces.length * perPiece);
    expect(new Set(read).size).toBe(pieces.length * perPiece);
  });

  it('reads ahead of a large piece once that is known, and no more than a quarter of what has room', async () => {
    const { content, read } = await reading(2048 * MB);
    content.prepare(0, 0);
    expect(read).toEqual([]);
    for (const piece of [0, 1, 2]) await content.messages(piece, 0, 262_144);
    read.length = 0;
    for (const leaf of [0, 8, 16, 24, 32, 40]) content.prepare(0, leaf);
    await content.messages(1, 63, 262_144);
    expect(read.filter((at) => at < 8)).toEqual([0, 1, 2, 3]);
  });

  it('sends again what was spoilt once it is mended', async () => {
    const { keys, content } = await uploader();
    let spoilt = true;
    const good = new Files(layout, new Map(SIZES.map((size, i) => [i, new Blob([bytes(size)])])));
    const store = {
      read: async (at: number, length: number) => (spoilt ? new Uint8Array(length) : good.read(at, length)),
    };
    const other = new Content(id, layout, { verify: keys.publicKey, sign: undefined }, store);
    await content.messages(2, 0, 262_144);
    for (const [piece, root] of content.roots) other.roots.set(piece, root);
    await expect(other.messages(2, 0, 262_144)).rejects.toThrow(SourceChanged);
    spoilt = false;
    await expect(other.messages(2, 0, 262_144)).resolves.toHaveLength(1);
  });

  it('copies no leaf to send it', async () => {
    const { content } = await uploader();
    const [first] = await content.messages(2, 0, 262_144);
    expect(first?.bytes.byteOffset).toBeGreaterThanOrEqual(first?.head.length as number);
  });

  it('notices when what is read again is not what was signed', async () => {
    let changed = false;
    const long = new Layout([2048 * MB]);
    const { publicKey: verify, privateKey: sign } = await newSigningKeys();
    const store = { read: async (_at: number, length: number) => new Uint8Array(length).fill(changed ? 1 : 0) };
    const content = new Content(id, long, { verify, sign }, store);
    for (const piece of [0, 1, 2]) await content.messages(piece, 63, 262_144);
    changed = true;
    await content.messages(2, 62, 262_144); // still in memory
    await expect(content.messages(0, 0, 262_144)).rejects.toThrow(SourceChanged);
  });

  it('refuses a leaf with a bit changed, one of another place, and roots of another key', async () => {
    const { content, keys } = await uploader();
    const sink = new Memory(layout.total);
    const receiver = new Content(id, layout, { verify: keys.publicKey, sign: undefined }, sink);
    const bad = await arriving(content, 0, 0, 262_144);
    (bad.bytes as Bytes)[7] = (bad.bytes[7] as number) ^ 1;
    expect(await receiver.verify(bad, 0, 0)).toBe(false);
    const moved = await arriving(content, 2, 0, 262_144);
    expect(await receiver.verify(moved, 3, 0)).toBe(false);
    const stranger = (await uploader()).content;
    expect(await receiver.verify(await arriving(stranger, 1, 0, 262_144), 1, 0)).toBe(false);
  });

  it('looks at a root once, and at that of a liar beside it by itself', async () => {
    const { content, keys } = await uploader();
    const receiver = new Content(id, layout, { verify: keys.publicKey, sign: undefined }, new Memory(layout.total));
    const good = await arriving(content, 0, 0, 262_144);
    const lie = await arriving((await uploader()).content, 0, 0, 262_144);
    const same = await arriving(content, 0, 0, 262_144);
    const all = [lie, good, same].map((parts) => receiver.verify(parts, 0, 0));
    expect(await Promise.all(all)).toEqual([false, true, true]);
    expect(receiver.roots.get(0)?.hash).toEqual(good.proof?.root);
  });

  it('notices a file that is not what was signed', async () => {
    const { content, blobs } = await uploader();
    await content.messages(0, 0, 262_144);
    const files = new Files(layout, new Map([[0, new Blob([random(3)])], ...[...blobs.entries()].slice(1)]));
    await expect(files.read(0, 10)).rejects.toThrow(SourceChanged);
  });

  it('goes on after a reload with the roots that it signed, and with the same bytes alone', async () => {
    const { keys, blobs } = await uploader();
    const both = { verify: keys.publicKey, sign: keys.privateKey };
    const kept = new Map<number, Root>();
    const files = new Files(layout, new Map(blobs.entries()));
    const before = new Content(id, layout, both, files, (piece, root) => kept.set(piece, root));
    await before.messages(0, 0, 262_144);
    await before.messages(2, 0, 262_144);
    expect([...kept.keys()]).toEqual([0, 2]);
    const again = (blob: Blob): Content => {
      const content = new Content(id, layout, both, new Files(layout, new Map([...blobs.entries(), [0, blob]])));
      for (const [piece, root] of kept) content.roots.set(piece, root);
      return content;
    };
    await again(blobs[0] as Blob).check([0, 2]);
    const other = again(new Blob([random(LEAF), random(5)]));
    await expect(other.check([0])).rejects.toThrow(SourceChanged);
    await expect(other.messages(0, 0, 262_144)).rejects.toThrow(SourceChanged);
  });
});
