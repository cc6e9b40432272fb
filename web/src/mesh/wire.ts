// The frames between two peers, byte by byte (docs/MESH.md section 6): one message of a data channel
// is one frame. Everything that a frame alone can break is checked here: lengths, counts, ranges,
// spare bits, the channel. What needs to know more (was it asked for, is the hash right) is decided
// elsewhere. Whatever parse takes, append makes again byte for byte: each frame has one form.

import { type Bytes, isUnicode, Reader, text, utf8, Writer } from './bytes';
import { MeshError } from './error';
import { HASH, LEAF } from './merkle';
import { SIGNATURE } from './sign';

export const VERSION = 1;
/** The most leaves of a piece, pieces of a manifest, and hashes in the proof of a leaf. */
export const PIECE_LEAVES = 64;
export const MAX_PIECES = 2 ** 18;
export const MAX_NODES = 6;
/** What a peer can say is the largest message that it takes, in bytes. No frame is larger. */
export const MIN_MESSAGE = 16_384;
export const MAX_MESSAGE = 262_144;
/** Bytes of a manifest with its signature. */
export const MAX_BLOB = 4 * 1024 * 1024;
export const MAX_RANGES = 1024;
export const MAX_REVOKED = 1000;
/** Bytes of the text of BYE. */
export const MAX_BYE = 200;

export const ATTEMPT = 16;
export const MAC = 32;

/** Where a frame came from: the control channel of the first connection, that of a further one, any lane. */
export type Channel = 'control' | 'side-control' | 'lane';

/** Leaves of a piece, count of them from first on. */
export interface Leaves {
  piece: number;
  first: number;
  count: number;
}

/** Pieces, count of them from first on. */
export interface Range {
  first: number;
  count: number;
}

export type RejectReason = 'not-held' | 'busy' | 'unreadable' | 'changed';
export type ByeReason =
  | 'done'
  | 'goes-away'
  | 'not-admitted'
  | 'broke-protocol'
  | 'bad-leaf'
  | 'source-changed'
  | 'too-many-peers';
export type State = 'running' | 'paused' | 'disk-full' | 'waiting' | 'hidden' | 'complete' | 'leaving';

/** A leaf, or a part of one. The proof, hashes one behind the other, comes with the part of offset 0. */
export interface LeafFrame {
  type: 'leaf';
  piece: number;
  leaf: number;
  /** Bytes of the whole leaf, and where in it this part begins. */
  size: number;
  offset: number;
  proof: { root: Bytes; signature: Bytes; nodes: Bytes } | undefined;
  bytes: Bytes;
}

/** A part of the manifest's blob; parts come in order. */
export interface ManifestFrame {
  type: 'manifest';
  total: number;
  offset: number;
  bytes: Bytes;
}

export type Frame =
  | { type: 'hello'; version: number; seed: boolean; largest: number; attempt: Bytes; mac: Bytes }
  | ManifestFrame
  /** The first piece in the highest bit. */
  | { type: 'bitfield'; pieces: number; bits: Bytes }
  | { type: 'have'; ranges: readonly Range[] }
  | ({ type: 'want' } & Leaves)
  | ({ type: 'cancel' } & Leaves)
  | LeafFrame
  | ({ type: 'reject'; reason: RejectReason } & Leaves)
  /** held in pieces, up and down in bytes a second. */
  | { type: 'stat'; held: number; up: number; down: number; state: State }
  /** The list as it was signed; token.ts reads it. */
  | { type: 'revoke'; list: Bytes }
  | { type: 'bye'; reason: ByeReason; text: string }
  | { type: 'ping'; value: bigint }
  /** clock: of whoever answers, in µs from any beginning. */
  | { type: 'pong'; value: bigint; clock: number };

/** What is wrong with a frame; each ends the connection. */
export class WireError extends MeshError {
  readonly fault: 'type' | 'channel' | 'length' | 'value';

  constructor(fault: WireError['fault'], message: string) {
    super(message);
    this.fault = fault;
  }
}

// The first byte of a frame is its place in this list, counted from 1.
const TYPES = [
  'hello',
  'manifest',
  'bitfield',
  'have',
  'want',
  'cancel',
  'leaf',
  'reject',
  'stat',
  'revoke',
  'bye',
  'ping',
  'pong',
] as const satisfies readonly Frame['type'][];
const REJECTS: readonly RejectReason[] = ['not-held', 'busy', 'unreadable', 'changed'];
const BYES: readonly ByeReason[] = [
  'done',
  'goes-away',
  'not-admitted',
  'broke-protocol',
  'bad-leaf',
  'source-changed',
  'too-many-peers',
];
const STATES: readonly State[] = ['running', 'paused', 'disk-full', 'waiting', 'hidden', 'complete', 'leaving'];

/** Reads a message that came on a channel. Bytes in the frame are parts of it, not copied. Throws WireError. */
export function parse(message: Bytes, from: Channel): Frame {
  const type = typeOf(message, from);
  const reader = new Reader(message.subarray(1));
  try {
    const frame = read(type, reader);
    reader.end();
    check(frame);
    return frame;
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError('length', `${type}: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
}

/** The message of a frame. Throws WireError where parse would refuse it. */
export function append(frame: Frame): Bytes {
  check(frame);
  return write(frame);
}

/** Whether a BITFIELD shows this piece. */
export function shows(bits: Bytes, piece: number): boolean {
  return ((bits[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
}

function typeOf(message: Bytes, from: Channel): Frame['type'] {
  const [first] = message;
  if (first === undefined || message.length > MAX_MESSAGE) throw new WireError('length', `${message.length} bytes`);
  const type = TYPES[first - 1];
  if (type === undefined) throw new WireError('type', `a frame of type ${first}`);
  const belongs = from === 'lane' ? type === 'leaf' : from === 'side-control' ? type === 'hello' : type !== 'leaf';
  if (!belongs) throw new WireError('channel', `${type} on ${from}`);
  return type;
}

function read(type: Frame['type'], r: Reader): Frame {
  switch (type) {
    case 'hello':
      return {
        type,
        version: r.u8(),
        seed: flag(r.u8()),
        largest: r.u32(),
        attempt: r.take(ATTEMPT),
        mac: r.take(MAC),
      };
    case 'manifest':
      return { type, total: r.u32(), offset: r.u32(), bytes: r.rest() };
    case 'bitfield':
      return { type, pieces: r.u32(), bits: r.rest() };
    case 'have':
      return { type, ranges: readRanges(r) };
    case 'want':
    case 'cancel':
      return { type, ...readLeaves(r) };
    case 'leaf':
      return readLeaf(r);
    case 'reject':
      return { type, ...readLeaves(r), reason: named(REJECTS, r.u8() - 1) };
    case 'stat':
      return { type, held: r.u32(), up: r.u32(), down: r.u32(), state: named(STATES, r.u8()) };
    case 'revoke':
      return { type, list: r.rest() };
    case 'bye':
      return { type, reason: named(BYES, r.u8()), text: readText(r) };
    case 'ping':
      return { type, value: r.u64() };
    case 'pong':
      return { type, value: r.u64(), clock: Number(r.u64()) };
  }
}

const readLeaves = (r: Reader): Leaves => ({ piece: r.u32(), first: r.u16(), count: r.u16() });

function readRanges(r: Reader): Range[] {
  const count = Math.floor(r.left / 8);
  if (count > MAX_RANGES) throw new WireError('length', `${count} ranges`);
  return Array.from({ length: count }, () => ({ first: r.u32(), count: r.u32() }));
}

function readLeaf(r: Reader): LeafFrame {
  const head = { type: 'leaf', piece: r.u32(), leaf: r.u16(), size: r.u32(), offset: r.u32() } as const;
  const nodes = r.u8();
  if (nodes > MAX_NODES || (head.offset > 0 && nodes > 0)) throw new WireError('value', `${nodes} nodes`);
  const proof =
    head.offset > 0 ? undefined : { root: r.take(HASH), signature: r.take(SIGNATURE), nodes: r.take(nodes * HASH) };
  return { ...head, proof, bytes: r.rest() };
}

function readText(r: Reader): string {
  const bytes = r.rest();
  if (bytes.length > MAX_BYE) throw new WireError('length', 'a text that is too long');
  try {
    return text(bytes);
  } catch {
    throw new WireError('value', 'a text that is not UTF-8');
  }
}

function flag(flags: number): boolean {
  if (flags > 1) throw new WireError('value', `flags ${flags}`);
  return flags === 1;
}

function named<T>(names: readonly T[], index: number): T {
  const name = names[index];
  if (name === undefined) throw new WireError('value', `a reason or state of no meaning`);
  return name;
}

function write(frame: Frame): Bytes {
  switch (frame.type) {
    case 'hello':
      return head(frame, 6 + ATTEMPT + MAC)
        .u8(frame.version)
        .u8(frame.seed ? 1 : 0)
        .u32(frame.largest)
        .put(frame.attempt)
        .put(frame.mac)
        .done();
    case 'manifest':
      return head(frame, 8 + frame.bytes.length)
        .u32(frame.total)
        .u32(frame.offset)
        .put(frame.bytes)
        .done();
    case 'bitfield':
      return head(frame, 4 + frame.bits.length)
        .u32(frame.pieces)
        .put(frame.bits)
        .done();
    case 'have':
      return frame.ranges.reduce((w, x) => w.u32(x.first).u32(x.count), head(frame, 8 * frame.ranges.length)).done();
    case 'want':
    case 'cancel':
      return writeLeaves(head(frame, 8), frame).done();
    case 'leaf':
      return writeLeaf(frame);
    case 'reject':
      return writeLeaves(head(frame, 9), frame)
        .u8(REJECTS.indexOf(frame.reason) + 1)
        .done();
    case 'stat':
      return head(frame, 13).u32(frame.held).u32(frame.up).u32(frame.down).u8(STATES.indexOf(frame.state)).done();
    case 'revoke':
      return head(frame, frame.list.length).put(frame.list).done();
    case 'bye': {
      const bytes = utf8(frame.text);
      return head(frame, 1 + bytes.length)
        .u8(BYES.indexOf(frame.reason))
        .put(bytes)
        .done();
    }
    case 'ping':
      return head(frame, 8).u64(frame.value).done();
    case 'pong':
      return head(frame, 16).u64(frame.value).u64(BigInt(frame.clock)).done();
  }
}

/** The first byte, and room for so many more. */
const head = ({ type }: Frame, size: number): Writer => new Writer(1 + size).u8(TYPES.indexOf(type) + 1);

const writeLeaves = (w: Writer, { piece, first, count }: Leaves): Writer => w.u32(piece).u16(first).u16(count);

function writeLeaf(frame: LeafFrame): Bytes {
  const { piece, leaf, size, offset, proof, bytes } = frame;
  const nodes = proof?.nodes.length ?? 0;
  const w = head(frame, 15 + (proof ? HASH + SIGNATURE + nodes : 0) + bytes.length);
  w.u32(piece)
    .u16(leaf)
    .u32(size)
    .u32(offset)
    .u8(nodes / HASH);
  if (proof) w.put(proof.root).put(proof.signature).put(proof.nodes);
  return w.put(bytes).done();
}

/** Throws WireError with what a receiver would refuse in a frame of the right shape. */
function check(frame: Frame): void {
  switch (frame.type) {
    case 'hello':
      must(frame.attempt.length === ATTEMPT && frame.mac.length === MAC, 'length');
      must(frame.version === VERSION && within(frame.largest, MIN_MESSAGE, MAX_MESSAGE), 'value');
      break;
    case 'manifest':
      must(frame.bytes.length > 0, 'length');
      must(within(frame.total, SIGNATURE + 1, MAX_BLOB) && within(frame.offset, 0, MAX_BLOB), 'value');
      must(frame.offset + frame.bytes.length <= frame.total, 'value');
      break;
    case 'bitfield':
      checkBitfield(frame.pieces, frame.bits);
      break;
    case 'have':
      must(within(frame.ranges.length, 1, MAX_RANGES), 'length');
      must(frame.ranges.every(isRange), 'value');
      break;
    case 'want':
    case 'cancel':
    case 'reject':
      must(isLeaves(frame), 'value');
      break;
    case 'leaf':
      checkLeaf(frame);
      break;
    case 'stat':
      must(within(frame.held, 0, MAX_PIECES), 'value');
      must(within(frame.up, 0, 0xffff_ffff) && within(frame.down, 0, 0xffff_ffff), 'value');
      break;
    case 'revoke':
      checkRevoke(frame.list);
      break;
    case 'bye':
      must(isUnicode(frame.text) && !/\p{Cc}/u.test(frame.text), 'value');
      must(utf8(frame.text).length <= MAX_BYE, 'length');
      break;
    case 'ping':
    case 'pong':
      must(frame.value >= 0n && frame.value < 2n ** 64n, 'value');
      must(frame.type === 'ping' || Number.isSafeInteger(frame.clock), 'value');
      break;
  }
}

function checkBitfield(pieces: number, bits: Bytes): void {
  must(within(pieces, 0, MAX_PIECES), 'value');
  must(bits.length === Math.ceil(pieces / 8), 'length');
  must(pieces % 8 === 0 || (((bits.at(-1) as number) << (pieces % 8)) & 0xff) === 0, 'value');
}

function checkLeaf({ piece, leaf, size, offset, proof, bytes }: LeafFrame): void {
  must(bytes.length > 0, 'length');
  must(within(piece, 0, MAX_PIECES - 1) && within(leaf, 0, PIECE_LEAVES - 1) && within(size, 1, LEAF), 'value');
  must(within(offset, 0, LEAF) && offset + bytes.length <= size, 'value');
  must((proof === undefined) === offset > 0, 'value');
  if (proof === undefined) return;
  must(proof.root.length === HASH && proof.signature.length === SIGNATURE && proof.nodes.length % HASH === 0, 'length');
  must(proof.nodes.length <= MAX_NODES * HASH, 'value');
}

/** Only the shape: the length, and that the serials ascend. Serial 0 is the uploader, who cannot be removed. */
function checkRevoke(list: Bytes): void {
  const head = 16 + 4 + 2;
  must(list.length >= head + SIGNATURE, 'length');
  const view = new DataView(list.buffer, list.byteOffset, list.length);
  const count = view.getUint16(20);
  must(count <= MAX_REVOKED, 'value');
  must(list.length === head + 4 * count + SIGNATURE, 'length');
  for (let i = 0, last = 0; i < count; i++) {
    const next = view.getUint32(head + 4 * i);
    must(next > last, 'value');
    last = next;
  }
}

const isRange = ({ first, count }: Range): boolean =>
  within(first, 0, MAX_PIECES) && within(count, 1, MAX_PIECES) && first + count <= MAX_PIECES;

const isLeaves = ({ piece, first, count }: Leaves): boolean =>
  within(piece, 0, MAX_PIECES - 1) && within(first, 0, 63) && within(count, 1, 64) && first + count <= PIECE_LEAVES;

const within = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high;

function must(holds: boolean, fault: WireError['fault']): void {
  if (!holds) throw new WireError(fault, `a ${fault} that is not allowed`);
}
