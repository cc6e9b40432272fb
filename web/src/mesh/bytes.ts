// Bytes as docs/MESH.md writes them: big-endian numbers, joined parts, UTF-8, hexadecimal.

import { MeshError } from './error';

/** Bytes with memory of their own, as WebCrypto and data channels want them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
// A byte order mark is a character like any other here: dropping it would change what is signed.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const utf8 = (text: string): Bytes => encoder.encode(text);

/** Whether a text has UTF-8 of its own: halves of surrogate pairs have none. */
export const isUnicode = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** The text of UTF-8 bytes. Throws MeshError when they are none. */
export function text(bytes: Bytes): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MeshError('not UTF-8');
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, b) => b.toString(16).padStart(2, '0'));

export function hex(bytes: Bytes): string {
  let out = '';
  for (const byte of bytes) out += HEX[byte];
  return out;
}

export function concat(...parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Lets use have bytes with a head before them, where they lie if memory has room there: what lies there is put back once use
 * returns, so that it must have taken its copy by then. That spares a copy of 64 KiB for a head of a few bytes.
 */
export function behind<T>(head: Bytes, bytes: Bytes, use: (both: Bytes) => T): T {
  const at = bytes.byteOffset - head.length;
  if (at < 0) return use(concat(head, bytes));
  const both = new Uint8Array(bytes.buffer, at, head.length + bytes.length);
  const was = both.slice(0, head.length);
  both.set(head);
  try {
    return use(both);
  } finally {
    both.set(was);
  }
}

/** The order of their bytes: below 0 when a comes first. */
export function compare(a: Bytes, b: Bytes): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether both are the same. Takes the same time wherever they differ, so that a MAC can be compared. */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Reads numbers and runs of bytes one after another. Throws MeshError where they end too early or too late. */
export class Reader {
  private readonly bytes: Bytes;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.skip(1));
  }

  u16(): number {
    return this.view.getUint16(this.skip(2));
  }

  u32(): number {
    return this.view.getUint32(this.skip(4));
  }

  u64(): bigint {
    return this.view.getBigUint64(this.skip(8));
  }

  /** The next bytes, not copied. */
  take(count: number): Bytes {
    const from = this.skip(count);
    return this.bytes.subarray(from, from + count);
  }

  /** All that is left, not copied. */
  rest(): Bytes {
    return this.take(this.left);
  }

  end(): void {
    if (this.left !== 0) throw new MeshError(`${this.left} bytes too many`);
  }

  private skip(count: number): number {
    if (count > this.left) throw new MeshError('ends too early');
    const from = this.at;
    this.at += count;
    return from;
  }
}

/** Puts numbers and runs of bytes together in memory of exactly that size. */
export class Writer {
  private readonly bytes: Bytes;
  private readonly view: DataView;
  private at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  u8(value: number): this {
    this.view.setUint8(this.step(1), value);
    return this;
  }

  u16(value: number): this {
    this.view.setUint16(this.step(2), value);
    return this;
  }

  u32(value: number): this {
    this.view.setUint32(this.step(4), value);
    return this;
  }

  u64(value: bigint): this {
    this.view.setBigUint64(this.step(8), value);
    return this;
  }

  put(bytes: Bytes): this {
    this.bytes.set(bytes, this.step(bytes.length));
    return this;
  }

  /** The finished bytes. Throws RangeError when the size was not met: that is a fault of the caller. */
  done(): Bytes {
    if (this.at !== this.bytes.length) throw new RangeError(`${this.at} bytes written of ${this.bytes.length}`);
    return this.bytes;
  }

  private step(count: number): number {
    const from = this.at;
    this.at += count;
    return from;
  }
}
