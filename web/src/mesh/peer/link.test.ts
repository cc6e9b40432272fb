import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Bytes } from '../bytes';
import { MeshError } from '../error';
import { cutLeaf } from '../parts';
import { append } from '../wire';
import type { Connected } from './attempts';
import { BadLeaf, Breach, Link, type LinkHandlers } from './link';
import type { Way } from './way';

/** A link whose lane is the test's, and what it makes of what comes. */
function linked() {
  const heard: { waits: boolean; whole: number[]; broke: unknown[] } = { waits: true, whole: [], broke: [] };
  const asked: number[] = [];
  let take: (message: Bytes) => void = () => undefined;
  let frame: (message: Bytes) => void = () => undefined;
  const lane = { listen: (to: typeof take) => (take = to) };
  const control = { listen: (to: typeof frame) => (frame = to), buffered: 0, send: () => true };
  const on: LinkHandlers = {
    frame: () => undefined,
    expects: (_link, piece) => {
      asked.push(piece);
      return heard.waits && !heard.whole.includes(piece) ? 65_536 : undefined;
    },
    whole: async (_link, parts, piece) => {
      heard.whole.push(piece);
      if (parts.bytes[0] === BAD) throw new BadLeaf('bad');
    },
    soon: () => undefined,
    messages: async () => [{ head: new Uint8Array(), bytes: new Uint8Array(1) }],
    sent: () => undefined,
    broke: (broken, error) => {
      broken.dead = true; // as links.ts does
      heard.broke.push(error);
    },
  };
  const link = new Link({ peer: new Uint8Array(1), conn: { control, lane } } as unknown as Connected, 0, on);
  link.start();
  const say = { take: (message: Bytes) => take(message), frame: (message: Bytes) => frame(message) };
  return { heard, asked, link, control, ...say };
}

/** A further connection, whose lane has room when the test says so. */
function further(sent: Bytes[], room: () => Promise<void>) {
  let word: (message: Bytes) => void = () => undefined;
  const control = { listen: (to: typeof word) => (word = to) };
  const lane = { listen: () => undefined, room, send: (message: Bytes) => sent.push(message) > 0 };
  return { way: { control, lane } as unknown as Way, say: (message: Bytes) => word(message) };
}

it('sends by whichever lane has room, and takes nothing but leaves by a further one', async () => {
  const { heard, link } = linked();
  const [full, free]: [Bytes[], Bytes[]] = [[], []];
  const second = further(full, () => new Promise(() => undefined));
  const third = further(free, () => Promise.resolve());
  Object.assign(link.conn.lane, { room: () => new Promise(() => undefined) });
  for (const { way } of [second, third]) link.addLane(way);
  for (let leaf = 0; leaf < 6; leaf++) link.hand({ peer: 0, piece: 0, leaf });
  await expect.poll(() => free.length).toBe(4);
  expect(full).toEqual([]);
  second.say(new Uint8Array(1));
  expect(heard.broke).toEqual([expect.any(Breach)]);
});

/** The first byte of a leaf that is not what was shared. */
const BAD = 66;

/** The messages of a leaf, for a peer that takes so many bytes at a time. */
const leafOf = (piece: number, largest: number, first = 0): Bytes[] =>
  cutLeaf(
    { piece, leaf: 5, bytes: new Uint8Array(65_536).fill(first, 0, 1) },
    { root: new Uint8Array(32), signature: new Uint8Array(64), nodes: new Uint8Array() },
    largest,
  ).map((frame) => append(frame));

const leaf = leafOf(3, 61_440);

it('puts a leaf together that somebody waits for, also when it looks round meanwhile', async () => {
  const { heard, link, take } = linked();
  take(leaf[0] as Bytes);
  link.sweep();
  take(leaf[1] as Bytes);
  await expect.poll(() => heard).toEqual({ waits: true, whole: [3], broke: [] });
});

describe('memory of messages', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is let go of once a part has been copied, and kept where it is the leaf', async () => {
    const ends = vi.fn();
    // Takes what it is given and keeps nothing, as a worker that has ended does.
    class Ended {
      terminate = ends;
      postMessage = (message: unknown, transfer: Transferable[]) => structuredClone(message, { transfer });
    }
    vi.stubGlobal('Worker', Ended);
    vi.stubGlobal('navigator', { userAgentData: {} }); // Chromium
    const { heard, take } = linked();
    const parts = leafOf(3, 61_440);
    const [whole] = leafOf(4, 70_000) as [Bytes];
    for (const message of [...parts, whole]) take(message);
    await expect.poll(() => heard.whole).toEqual([3, 4]);
    expect(ends).toHaveBeenCalledOnce();
    expect([...parts, whole].map(({ buffer }) => buffer.byteLength > 0)).toEqual([false, false, true]);
  });

  it('is left alone where others lie in it, too', async () => {
    const { heard, take } = linked();
    const all = new Uint8Array(200_000);
    const parts = leafOf(3, 61_440).map((part, i) => {
      const room = all.subarray(i * 100_000, i * 100_000 + part.length);
      room.set(part);
      return room;
    });
    for (const part of parts) take(part);
    await expect.poll(() => heard.whole).toEqual([3]);
    expect(all.byteLength).toBe(200_000);
  });
});

it('keeps no beginning of a leaf that nobody waits for any more', async () => {
  const { heard, link, take } = linked();
  take(leaf[0] as Bytes);
  heard.waits = false;
  link.sweep();
  take(leaf[1] as Bytes);
  await expect.poll(() => heard.broke).toHaveLength(1);
  expect(heard.broke[0]).toBeInstanceOf(Breach);
  expect(heard.whole).toEqual([]);
});

describe('a peer that does what it may not', () => {
  const whole = (piece: number, first = 0): Bytes => leafOf(piece, 262_144, first)[0] as Bytes;

  it('is cut off when it sends what nobody asked for', async () => {
    const { heard, take } = linked();
    heard.waits = false;
    take(whole(3));
    await expect.poll(() => heard.broke).toHaveLength(1);
    expect(heard.broke[0]).toBeInstanceOf(Breach);
    expect(heard.whole).toEqual([]);
  });

  it('is cut off when it sends a leaf again', async () => {
    const { heard, take } = linked();
    for (const piece of [1, 3, 3]) take(whole(piece));
    await expect.poll(() => heard.broke).toHaveLength(1);
    expect(heard.broke[0]).toBeInstanceOf(Breach);
  });

  it('is read no further than its first bad leaf', async () => {
    const { heard, asked, take } = linked();
    for (const piece of [1, 2, 3, 4]) take(whole(piece, piece === 1 ? 0 : BAD));
    await expect.poll(() => heard.broke).toHaveLength(1);
    expect(heard.broke[0]).toBeInstanceOf(BadLeaf);
    take(whole(5));
    expect(heard.whole).toEqual([1, 2]);
    expect(asked).toEqual([1, 2]);
  });

  it('is cut off when it sends more than can have been asked for', () => {
    const { heard, take } = linked();
    for (let piece = 0; heard.broke.length === 0 && piece < 400; piece++) take(whole(piece));
    expect(heard.broke[0]).toBeInstanceOf(Breach);
    expect(heard.whole.length).toBeLessThan(400);
  });

  it.each<[string, Bytes]>([
    ['a frame of control on the lane', append({ type: 'ping', value: 1n })],
    ['no frame at all', Uint8Array.of(0xff, 1, 2)],
    ['nothing', new Uint8Array()],
  ])('is cut off for %s', async (_, message) => {
    const { heard, take } = linked();
    take(message);
    await expect.poll(() => heard.broke).toHaveLength(1);
    expect(heard.broke[0]).toBeInstanceOf(MeshError);
  });

  it('is cut off for a flood of frames, and for a leaf among them', () => {
    const ping = append({ type: 'ping', value: 1n });
    const { heard, frame } = linked();
    for (let n = 0; heard.broke.length === 0 && n < 100_000; n++) frame(ping);
    expect(heard.broke[0]).toBeInstanceOf(Breach);
    const other = linked();
    other.frame(whole(3));
    expect(other.heard.broke[0]).toBeInstanceOf(MeshError);
  });

  it('is cut off when it reads nothing', () => {
    const { heard, link, control } = linked();
    link.say({ type: 'ping', value: 1n });
    expect(heard.broke).toEqual([]);
    control.buffered = 9 * 1024 * 1024;
    link.say({ type: 'ping', value: 1n });
    expect(heard.broke).toHaveLength(1);
  });
});
