import { describe, expect, it } from 'vitest';
import { type Bytes, equal } from '../bytes';
import { ReadAhead } from './read-ahead';
import { SourceChanged, type Store } from './sink';

const MIB = 1024 * 1024;
const SIZE = 41 * MIB;
const PART = MIB / 2;

/** Each four bytes are different ones. */
const all = new Uint8Array(Uint32Array.from({ length: SIZE / 4 }, (_, i) => i).buffer);

/** The store, and what is read below it, in MiB. */
function stream(broken: (at: number, length: number) => boolean = () => false) {
  const reads: [at: number, length: number][] = [];
  const store: Store = {
    async read(at: number, length: number): Promise<Bytes> {
      if (at + length > SIZE) throw new Error('beyond the end');
      reads.push([at / MIB, length / MIB]);
      if (broken(at, length)) throw new SourceChanged();
      return all.slice(at, at + length);
    },
  };
  return { store: new ReadAhead(store, SIZE), reads };
}

async function take(store: Store, at: number, length = PART): Promise<void> {
  expect(equal(await store.read(at, length), all.subarray(at, at + length))).toBe(true);
}

const total = (reads: readonly [number, number][]): number => reads.reduce((sum, [, length]) => sum + length, 0);

describe('a store that is read ahead', () => {
  it('is read in blocks where parts are wanted in their order', async () => {
    const { store, reads } = stream();
    for (let at = 0; at < SIZE; at += PART) await take(store, at);
    expect(reads).toEqual([[0, 0.5], ...Array.from({ length: 10 }, (_, i) => [4 * i, 4]), [40, 1]]);
  });

  it('and where they are wanted nearly so, by several', async () => {
    const { store, reads } = stream();
    const order = Array.from({ length: SIZE / PART }, (_, i) => i);
    for (let i = 0; i + 5 < order.length; i += 3) {
      const [a, b] = [order[i] as number, order[i + 5] as number];
      [order[i], order[i + 5]] = [b, a];
    }
    await Promise.all(order.map((i) => take(store, i * PART)));
    expect(total(reads)).toBeLessThan((1.2 * SIZE) / MIB);
    expect(reads.length).toBeLessThan(order.length / 3);
  });

  it('costs no more than twice what is wanted, whatever the order', async () => {
    const { store, reads } = stream();
    const small = 64 * 1024;
    let wanted = 0;
    for (let i = 0, at = 1; i < 2000; i++, at = (at * 421 + 7) % (SIZE / small)) {
      await take(store, at * small, small);
      wanted += small / MIB;
    }
    expect(total(reads)).toBeLessThan(2 * wanted + 8);
  });

  it('is read part by part where a block cannot be read', async () => {
    const { store, reads } = stream((at, length) => at < 5 * MIB && at + length > 5 * MIB - PART);
    for (const at of [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6]) await take(store, at * MIB);
    await expect(store.read(5 * MIB - PART, PART)).rejects.toThrow(SourceChanged);
    expect(reads.slice(1, 4)).toEqual([
      [0, 4],
      [4, 4],
      [4, 0.5],
    ]);
  });

  it('reads what lies in two blocks by itself', async () => {
    const { store, reads } = stream();
    await take(store, 4 * MIB - PART);
    await take(store, 4 * MIB - PART / 2);
    expect(reads).toEqual([
      [3.5, 0.5],
      [3.75, 0.5],
    ]);
  });
});
