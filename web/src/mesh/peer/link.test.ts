import { expect, it } from 'vitest';
import type { Bytes } from '../bytes';
import { cutLeaf } from '../parts';
import { append } from '../wire';
import type { Connected } from './attempts';
import { Breach, Link, type LinkHandlers } from './link';

/** A link whose lane is the test's, and what it makes of what comes. */
function linked() {
  const heard: { waits: boolean; whole: number[]; broke: unknown[] } = { waits: true, whole: [], broke: [] };
  let take: (message: Bytes) => void = () => undefined;
  const lane = { listen: (to: typeof take) => (take = to) };
  const control = { listen: () => undefined, buffered: 0, send: () => true };
  const on: LinkHandlers = {
    frame: () => undefined,
    expects: () => (heard.waits ? 65_536 : undefined),
    whole: async (_link, _parts, piece) => void heard.whole.push(piece),
    messages: async () => [],
    sent: () => undefined,
    broke: (_link, error) => void heard.broke.push(error),
  };
  const link = new Link({ peer: new Uint8Array(1), conn: { control, lane } } as unknown as Connected, 0, on);
  link.start();
  return { heard, link, take: (message: Bytes) => take(message) };
}

const leaf = cutLeaf(
  { piece: 3, leaf: 5, bytes: new Uint8Array(65_536) },
  { root: new Uint8Array(32), signature: new Uint8Array(64), nodes: new Uint8Array() },
  61_440,
).map((frame) => append(frame));

it('puts a leaf together that somebody waits for, also when it looks round meanwhile', async () => {
  const { heard, link, take } = linked();
  take(leaf[0] as Bytes);
  link.sweep();
  take(leaf[1] as Bytes);
  await expect.poll(() => heard).toEqual({ waits: true, whole: [3], broke: [] });
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
