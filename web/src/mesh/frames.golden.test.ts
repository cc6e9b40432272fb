import { expect, it } from 'vitest';
import { hex } from './bytes';
import { golden, unhex } from './golden.fixture';
import { append, type Channel, type Frame, parse, WireError } from './wire';

const { good, bad } = golden<{
  good: { name: string; channel: string; hex: string; frame: Record<string, unknown> }[];
  bad: { name: string; channel: string; hex: string; rule: string }[];
}>('frames.json');

const CHANNELS: Record<string, Channel> = { control: 'control', 'side control': 'side-control', lane: 'lane' };
const REJECTS = ['', 'not-held', 'busy', 'unreadable', 'changed'];
const BYES = ['done', 'goes-away', 'not-admitted', 'broke-protocol', 'bad-leaf', 'source-changed', 'too-many-peers'];
const STATES = ['running', 'paused', 'disk-full', 'waiting', 'hidden', 'complete', 'leaving'];

/** A frame's values by the names of the golden file. */
function fields(frame: Frame): Record<string, unknown> {
  const named = { ...plain(frame), type: frame.type.toUpperCase() };
  switch (frame.type) {
    case 'have':
      return { ...named, ranges: frame.ranges.map(({ first, count }) => [first, count]) };
    case 'leaf': {
      const { proof, ...rest } = frame;
      return { ...plain(rest), type: named.type, ...plain(proof ?? {}) };
    }
    case 'reject':
      return { ...named, reason: REJECTS.indexOf(frame.reason) };
    case 'bye':
      return { ...named, reason: BYES.indexOf(frame.reason) };
    case 'stat':
      return { ...named, state: STATES.indexOf(frame.state) };
    case 'ping':
      return { ...named, value: frame.value.toString(16).padStart(16, '0') };
    case 'pong':
      return { ...named, value: frame.value.toString(16).padStart(16, '0'), clock: frame.clock };
    default:
      return named;
  }
}

/** Members as they are, bytes as hexadecimal. */
function plain(members: object): Record<string, unknown> {
  const entries = Object.entries(members);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Uint8Array ? hex(Uint8Array.from(value)) : value]),
  );
}

it.each(good)('$name', ({ channel, hex: text, frame }) => {
  const read = parse(unhex(text), CHANNELS[channel] as Channel);
  expect(fields(read)).toEqual(frame);
  expect(hex(append(read))).toBe(text);
});

it.each(bad)('$name is refused for its $rule', ({ channel, hex: text, rule }) => {
  try {
    parse(unhex(text), CHANNELS[channel] as Channel);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    expect((error as WireError).fault).toBe(rule);
    return;
  }
  throw new Error('taken');
});
