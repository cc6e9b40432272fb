import { describe, expect, it } from 'vitest';
import { type Bytes, equal, hex } from './bytes';
import { MeshError } from './error';
import { pattern } from './golden.fixture';
import { Chance, spoil } from './mutate.fixture';
import { append, type Channel, type Frame, MAX_MESSAGE, parse, shows, WireError } from './wire';

const proof = { root: pattern(1, 32), signature: pattern(2, 64), nodes: pattern(3, 96) };
const list = (...serials: number[]): Bytes => {
  const bytes = new Uint8Array(16 + 4 + 2 + 4 * serials.length + 64);
  const view = new DataView(bytes.buffer);
  view.setUint16(20, serials.length);
  for (const [i, serial] of serials.entries()) view.setUint32(22 + 4 * i, serial);
  return bytes;
};

const frames: Frame[] = [
  { type: 'hello', version: 1, seed: true, largest: 61_440, attempt: pattern(4, 16), mac: pattern(5, 32) },
  { type: 'manifest', total: 1000, offset: 900, bytes: pattern(6, 100) },
  { type: 'bitfield', pieces: 11, bits: Uint8Array.of(0b1000_0001, 0b0110_0000) },
  { type: 'bitfield', pieces: 0, bits: new Uint8Array() },
  {
    type: 'have',
    ranges: [
      { first: 0, count: 1 },
      { first: 262_143, count: 1 },
    ],
  },
  { type: 'want', piece: 7, first: 0, count: 64 },
  { type: 'cancel', piece: 262_143, first: 63, count: 1 },
  { type: 'leaf', piece: 1, leaf: 2, size: 300, offset: 0, proof, bytes: pattern(7, 300) },
  { type: 'leaf', piece: 1, leaf: 2, size: 300, offset: 200, proof: undefined, bytes: pattern(7, 100) },
  { type: 'reject', piece: 1, first: 2, count: 3, reason: 'busy' },
  { type: 'stat', held: 3, up: 0xffff_ffff, down: 0, state: 'complete' },
  { type: 'revoke', list: list(1, 2, 0xffff_ffff) },
  { type: 'bye', reason: 'too-many-peers', text: 'größer' },
  { type: 'bye', reason: 'done', text: '' },
  { type: 'ping', value: 2n ** 64n - 1n },
  { type: 'pong', value: 0n, clock: 2 ** 53 - 1 },
];

const channelOf = (frame: Frame): Channel => (frame.type === 'leaf' ? 'lane' : 'control');

describe('a frame', () => {
  it.each(frames.map((f) => [f.type, f] as const))('%s comes back as it was', (_, frame) => {
    expect(parse(append(frame), channelOf(frame))).toEqual(frame);
  });

  it('belongs on its channel', () => {
    for (const frame of frames) {
      const allowed = (['control', 'side-control', 'lane'] as const).filter((channel) => {
        try {
          parse(append(frame), channel);
          return true;
        } catch (error) {
          expect((error as WireError).fault).toBe('channel');
          return false;
        }
      });
      const expected =
        frame.type === 'leaf' ? ['lane'] : frame.type === 'hello' ? ['control', 'side-control'] : ['control'];
      expect(allowed).toEqual(expected);
    }
  });

  it('of no type, of no bytes or of too many is refused', () => {
    for (const type of [0, 14, 255]) expect(() => parse(Uint8Array.of(type), 'control')).toThrow(WireError);
    expect(() => parse(new Uint8Array(), 'control')).toThrow(WireError);
    const most = append({ type: 'manifest', total: 1_000_000, offset: 0, bytes: new Uint8Array(MAX_MESSAGE - 9) });
    expect(most.length).toBe(MAX_MESSAGE);
    expect(parse(most, 'control').type).toBe('manifest');
    const more = new Uint8Array(MAX_MESSAGE + 1);
    more.set(most);
    expect(() => parse(more, 'control')).toThrow(WireError);
  });

  it.each<[string, Frame]>([
    ['another version', { ...(frames[0] as Frame & { type: 'hello' }), version: 2 }],
    ['messages too small', { ...(frames[0] as Frame & { type: 'hello' }), largest: 16_383 }],
    ['a part behind the end', { type: 'manifest', total: 1000, offset: 901, bytes: pattern(6, 100) }],
    ['spare bits', { type: 'bitfield', pieces: 11, bits: Uint8Array.of(0, 0b0001_0000) }],
    ['too few bits', { type: 'bitfield', pieces: 17, bits: Uint8Array.of(0, 0) }],
    ['no ranges', { type: 'have', ranges: [] }],
    ['an empty range', { type: 'have', ranges: [{ first: 1, count: 0 }] }],
    ['a range behind the last', { type: 'have', ranges: [{ first: 262_143, count: 2 }] }],
    ['too many ranges', { type: 'have', ranges: Array.from({ length: 1025 }, () => ({ first: 0, count: 1 })) }],
    ['no leaves', { type: 'want', piece: 1, first: 0, count: 0 }],
    ['leaves behind the last', { type: 'want', piece: 1, first: 1, count: 64 }],
    ['half a piece', { type: 'want', piece: 0.5, first: 1, count: 1 }],
    ['a leaf too large', { type: 'leaf', piece: 1, leaf: 2, size: 65_537, offset: 0, proof, bytes: pattern(7, 300) }],
    ['a leaf without bytes', { type: 'leaf', piece: 1, leaf: 2, size: 1, offset: 0, proof, bytes: pattern(7, 0) }],
    [
      'a first part without proof',
      { type: 'leaf', piece: 1, leaf: 2, size: 1, offset: 0, proof: undefined, bytes: pattern(7, 1) },
    ],
    ['a proof in a later part', { type: 'leaf', piece: 1, leaf: 2, size: 9, offset: 1, proof, bytes: pattern(7, 1) }],
    ['serial 0', { type: 'revoke', list: list(0) }],
    ['serials that do not ascend', { type: 'revoke', list: list(2, 2) }],
    ['a control character', { type: 'bye', reason: 'done', text: 'a\nb' }],
    ['a long text', { type: 'bye', reason: 'done', text: 'é'.repeat(101) }],
    ['half a character', { type: 'bye', reason: 'done', text: '\ud800' }],
  ])('with %s is not made', (_, frame) => {
    expect(() => append(frame)).toThrow(WireError);
  });

  it('a bitfield shows its pieces', () => {
    const bits = Uint8Array.of(0b1000_0001, 0b0110_0000);
    expect(Array.from({ length: 20 }, (_, i) => i).filter((i) => shows(bits, i))).toEqual([0, 7, 9, 10]);
  });
});

describe('damage', () => {
  it.each([1, 2, 3, 4])('is refused by the one error, or is another frame of one form (seed %d)', (seed) => {
    const chance = new Chance(seed);
    const channels: Channel[] = ['control', 'side-control', 'lane'];
    let refused = 0;
    for (let round = 0; round < 5_000; round++) {
      const frame = frames[chance.below(frames.length)] as Frame;
      const message = spoil(append(frame), chance);
      const channel = chance.below(8) === 0 ? (channels[chance.below(3)] as Channel) : channelOf(frame);
      try {
        const read = parse(message, channel);
        if (!equal(append(read), message)) throw new Error(`another form of ${hex(message)}`);
      } catch (error) {
        if (!(error instanceof MeshError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1_500);
  });

  it('of bytes by chance, too', () => {
    const chance = new Chance(3);
    for (let round = 0; round < 8_000; round++) {
      const message = chance.bytes(chance.below(200));
      if (message.length > 0) message[0] = 1 + chance.below(13);
      try {
        const read = parse(message, message[0] === 7 ? 'lane' : 'control');
        if (!equal(append(read), message)) throw new Error(`another form of ${hex(message)}`);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }
  });
});
