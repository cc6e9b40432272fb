import { describe, expect, it } from 'vitest';
import type { Bytes } from '../mesh/bytes';
import { Layout } from '../mesh/layout';
import { LEAF } from '../mesh/merkle';
import type { Flowing } from './served';
import { Cancelled, Streamed } from './streamed';

const head = { status: 200, headers: {} };
const sizes = [LEAF + 10, 0, 5, 2 * LEAF, 7];

/** The whole stream, of which each byte tells where it lies. */
function content(layout: Layout): Bytes {
  return Uint8Array.from({ length: layout.total }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

/** All that comes, in a form that is quick to compare. */
async function all(flowing: Flowing | undefined): Promise<string> {
  const parts: Bytes[] = [];
  for (let next = await flowing?.next(); next; next = await flowing?.next()) parts.push(next);
  return Buffer.concat(parts).toString('base64');
}

async function fill(sink: Streamed, bytes: Bytes, order: readonly number[]): Promise<void> {
  for (const leaf of order) await sink.write(leaf * LEAF, bytes.slice(leaf * LEAF, (leaf + 1) * LEAF));
}

function made(files: readonly number[]) {
  const layout = new Layout(sizes);
  const bytes = content(layout);
  const sink = new Streamed(layout, files);
  const asked: Promise<string>[] = [];
  const ask = (file: number): void => {
    const flowing = sink.flow(file, head);
    asked.push(Promise.resolve().then(() => all(flowing)));
  };
  sink.onNext = ask;
  const part = (file: number): string => {
    const start = layout.fileStart(file);
    return Buffer.from(bytes.slice(start, start + (sizes[file] ?? 0))).toString('base64');
  };
  return { layout, bytes, sink, asked, ask, part };
}

describe('downloads that are fed while things come', () => {
  it.each([
    ['in order', [0, 1, 2, 3]],
    ['from behind', [3, 2, 1, 0]],
    ['one twice', [1, 0, 1, 3, 2]],
  ])('give every file what is its, %s', async (_, order) => {
    const { layout, bytes, sink, asked, ask, part } = made([0, 2, 3, 4]);
    ask(0);
    await fill(sink, bytes, order);
    await sink.finish();
    expect(await Promise.all(asked)).toEqual([0, 2, 3, 4].map(part));
    expect(sink.position).toBe(layout.total);
  });

  it('leave out what is not wanted', async () => {
    const { bytes, sink, asked, ask, part } = made([2, 4]);
    ask(2);
    await fill(sink, bytes, [3, 1]);
    await sink.finish();
    expect(await Promise.all(asked)).toEqual([2, 4].map(part));
  });

  it('answer no file before its turn, and none twice', async () => {
    const { bytes, sink, ask } = made([0, 2]);
    expect(sink.flow(2, head)).toBeUndefined();
    ask(0);
    await fill(sink, bytes, [0]);
    await new Promise((resolve) => setTimeout(resolve));
    expect(sink.position).toBe(LEAF);
    expect(sink.flow(0, head)).toBeUndefined();
  });

  it('end when the person ends them', async () => {
    const { sink } = made([0]);
    const flowing = sink.flow(0, head) as Flowing;
    const waiting = expect(flowing.next()).rejects.toThrow(Cancelled);
    const finishing = expect(sink.finish()).rejects.toThrow(Cancelled);
    flowing.stop();
    await Promise.all([waiting, finishing]);
    await expect(sink.write(0, new Uint8Array(1))).rejects.toThrow(Cancelled);
  });

  it('keep nothing over a reload, and nothing to pass on', async () => {
    const { sink } = made([0]);
    expect(await sink.flush()).toBe(false);
    expect(sink.placed).toBe(true);
    await expect(sink.read()).rejects.toThrow();
  });
});
