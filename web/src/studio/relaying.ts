// What the server does with the stream, from what it tells every few seconds. Pure.

import type { ServerFigures } from '../signal/msg.gen';
import { capital } from '../ui/capital';
import type { Row } from '../ui/figures';
import { milliseconds } from '../ui/format';

/** The last two tellings of one server. */
export interface Told {
  before?: ServerFigures;
  last?: ServerFigures;
}

/** The next telling. Sums that have become less are of a server that began anew. */
export function told(heard: Told, next: ServerFigures): Told {
  const { last } = heard;
  const goesOn = last !== undefined && sums(next).every((n, i) => n >= (sums(last)[i] ?? 0));
  return goesOn ? { before: last, last: next } : { last: next };
}

/** What is counted from the server's start. */
function sums(f: ServerFigures): number[] {
  return [f.datagrams, f.messages, f.calls, ...f.delays];
}

/** What went out between the two tellings. */
export interface Recent {
  /** Packets in one message to the system, and messages in one call of it; undefined where nothing went out. */
  perMessage: number | undefined;
  perCall: number | undefined;
  delays: number[];
}

export function recent({ before, last }: Told): Recent {
  if (!before || !last) return { perMessage: undefined, perCall: undefined, delays: [] };
  const since = (of: (f: ServerFigures) => number): number => of(last) - of(before);
  const messages = since((f) => f.messages);
  const calls = since((f) => f.calls);
  return {
    perMessage: messages > 0 ? since((f) => f.datagrams) / messages : undefined,
    perCall: calls > 0 ? messages / calls : undefined,
    delays: last.delays.map((n, i) => n - (before.delays[i] ?? 0)),
  };
}

/** The upper bound of a bucket, s. */
function bound(bucket: number): number {
  return 2 ** (bucket + 1) / 1e6;
}

/** The time within which that share of packets went out, s, rounded up to a bound; undefined: not known, or longer than all bounds. */
export function within(delays: readonly number[], share: number): number | undefined {
  const all = delays.reduce((sum, n) => sum + n, 0);
  let sum = 0;
  for (const [i, n] of delays.entries()) {
    sum += n;
    if (all > 0 && sum >= share * all) return i < delays.length - 1 ? bound(i) : undefined;
  }
  return undefined;
}

/** "512 µs", "8.2 ms" of seconds. */
function short(time: number): string {
  return time < 1e-3 ? `${Math.round(time * 1e6)} µs` : milliseconds(time);
}

/** "99 % within 8 ms"; undefined while nothing went out. */
export function swiftness(delays: readonly number[]): string | undefined {
  if (!delays.some((n) => n > 0)) return undefined;
  const time = within(delays, 0.99);
  return time === undefined ? 'slow' : `99 % within ${short(time)}`;
}

/** One bar of the histogram: packets that took up to that long. */
export interface Bar {
  label: string;
  /** Of all packets. */
  share: number;
}

/** The histogram without its empty ends. */
export function bars(delays: readonly number[]): Bar[] {
  const all = delays.reduce((sum, n) => sum + n, 0);
  const first = delays.findIndex((n) => n > 0);
  if (first < 0) return [];
  const last = delays.findLastIndex((n) => n > 0);
  return delays.slice(first, last + 1).map((n, i) => {
    const at = first + i;
    const longest = at === delays.length - 1;
    return { label: longest ? 'longer' : `to ${short(bound(at))}`, share: n / all };
  });
}

const number = (n: number): string => n.toLocaleString('en-GB');

export function rows(heard: Told): Row[] {
  const { last } = heard;
  if (!last) return [];
  const { perMessage, perCall, delays } = recent(heard);
  const half = within(delays, 0.5);
  return [
    ['Packets from you', number(last.in)],
    ['Packets to viewers', number(last.out)],
    ['Of these sent again', number(last.repeats)],
    ['Half go on within', half === undefined ? undefined : short(half)],
    ['Packets in one message', perMessage?.toFixed(1)],
    ['Messages in one call', perCall?.toFixed(1)],
  ];
}

/** The reasons that people meet; others are shown as /metrics has them. */
const REASONS: Record<string, string> = {
  layer: 'Viewer gets a lower quality',
  wait_key_frame: 'Viewer waits for a whole picture',
  lapped: 'Server too slow',
  old_source: 'Of a quality left behind',
  no_format: 'Viewer cannot play the format',
  padding: 'Empty',
  duplicate: 'Came twice',
  not_authentic: 'From you, broken or forged',
  not_negotiated: 'Of a format not agreed on',
  bad_packet: 'From you, unreadable',
};

/** What viewers send beside reading, by how the names of reasons begin. */
const FROM_VIEWERS: readonly (readonly [string, string])[] = [
  ['stun_', 'Viewers’ checks, not valid'],
  ['dtls_', 'Viewers’ handshakes, out of place'],
  ['rtcp_', 'Viewers’ reports, not valid'],
];

/** What was not sent on, the most first. */
export function dropped(heard: Told): Row[] {
  const sums = new Map<string, number>();
  for (const { reason, packets } of heard.last?.dropped ?? []) {
    const words = reasonWords(reason);
    sums.set(words, (sums.get(words) ?? 0) + packets);
  }
  return [...sums].sort(([, a], [, b]) => b - a).map(([words, packets]) => [words, number(packets)]);
}

function reasonWords(reason: string): string {
  const group = FROM_VIEWERS.find(([beginning]) => reason.startsWith(beginning));
  return REASONS[reason] ?? group?.[1] ?? capital(reason.replaceAll('_', ' '));
}
