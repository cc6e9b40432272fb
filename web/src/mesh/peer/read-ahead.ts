// A store that is read in blocks where it is read more or less in order, as an uploader's is. Each reading of a part of a file asks
// another process of the browser, which opens the file and sends the bytes through a pipe: a byte costs Chromium twice as much by
// 512 KiB as by 4 MiB.

import type { Bytes } from '../bytes';
import { Lately } from './lately';
import type { Store } from './sink';

const BLOCK = 4 * 1024 * 1024;
/** Blocks that are kept: where one ends, parts of both are wanted in turns. */
const KEPT = 2;

export class ReadAhead implements Store {
  private readonly store: Store;
  /** Bytes of the stream. */
  private readonly size: number;
  private readonly blocks = new Lately<Bytes>(KEPT);
  /** The blocks that were read from last. */
  private lately: readonly number[] = [];
  /** Bytes that may be read and not wanted. What was wanted pays for them: in no order is more than twice as much read, and a block. */
  private credit = BLOCK;

  constructor(store: Store, size: number) {
    this.store = store;
    this.size = size;
  }

  async read(at: number, length: number): Promise<Bytes> {
    const block = Math.floor(at / BLOCK);
    const start = block * BLOCK;
    const follows = this.lately.includes(block) || this.lately.includes(block - 1);
    this.lately = [block, ...this.lately.filter((other) => other !== block)].slice(0, KEPT);
    this.credit = Math.min(this.credit + length, 2 * BLOCK);
    const whole = at + length <= start + BLOCK && (this.blocks.has(block) || (follows && this.credit >= BLOCK));
    if (!whole) return this.store.read(at, length);
    try {
      const bytes = await this.blocks.get(block, () => this.readBlock(start));
      return bytes.subarray(at - start, at - start + length);
    } catch {
      return this.store.read(at, length); // the block may hold parts of several files, of which another cannot be read
    }
  }

  private readBlock(start: number): Promise<Bytes> {
    this.credit -= BLOCK;
    return this.store.read(start, Math.min(BLOCK, this.size - start));
  }
}
