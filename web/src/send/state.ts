// The state of the page that sends files, and how it changes. Pure: the controller tells it what
// happened and carries out what people want.

import type { Entry } from '../mesh/manifest';
import type { End, Event as MeshEvent, PeerStatus, Status } from '../mesh/peer/config';
import type { Guest, Rule } from '../mesh/peer/door';
import type { Link as Connection } from '../signal/core';
import type { LeftOut } from './collect';

/** One who came in, or wants to. */
export interface Receiver {
  key: string;
  name: string;
  /**
   * waits: for the person's word; away: was here before a reload, and is not back; back: put back, as
   * it had no place and all were taken; gone: not connected any more, with everything or
   * without.
   */
  phase: 'waits' | 'coming' | 'here' | 'away' | 'back' | 'gone' | 'removed';
  complete: boolean;
  peer: PeerStatus | undefined;
  /** The check words, once they are worked out. */
  words: string | undefined;
}

/** What was shared before and can go on. */
export interface Earlier {
  room: string;
  entries: readonly Entry[];
  text: string;
  /** ms since the epoch. */
  expires: number;
  /** How many were let in. */
  guests: number;
  /** The browser can read the files again by itself, or there are none. */
  ready: boolean;
  /** What the person has to be told about the last try. */
  problem: string | undefined;
}

export interface State {
  phase: 'empty' | 'opening' | 'key' | 'open' | 'ended';
  entries: readonly Entry[];
  leftOut: readonly LeftOut[];
  text: string;
  link: string;
  code: { text: string; until: number } | undefined;
  codeEnded: 'time' | 'guessed' | undefined;
  connection: Connection;
  receivers: readonly Receiver[];
  rule: Rule;
  /** Bytes a second that are sent at most, 0 for no limit. */
  rate: number;
  /** When the link ends, by the server's word (ms since the epoch). */
  expires: number | undefined;
  /** The server has closed the room, as its time is over. */
  over: boolean;
  earlier: readonly Earlier[];
  /** The room that is being taken up again. */
  continuing: string | undefined;
  /** What the server or the browser refused, in words. */
  problem: string | undefined;
  /** Others could not be told of all whose right was taken back. */
  untold: boolean;
  status: Status | undefined;
  end: End | undefined;
}

export const initial: State = {
  phase: 'empty',
  entries: [],
  leftOut: [],
  text: '',
  link: '',
  code: undefined,
  codeEnded: undefined,
  connection: { phase: 'closed' },
  receivers: [],
  rule: { approve: false, password: '', most: 0 },
  rate: 0,
  expires: undefined,
  over: false,
  earlier: [],
  continuing: undefined,
  problem: undefined,
  untold: false,
  status: undefined,
  end: undefined,
};

export type Event =
  | { kind: 'chosen'; entries: readonly Entry[]; leftOut: readonly LeftOut[]; text: string; link: string }
  /** What could go on has been looked up. */
  | { kind: 'earlier'; earlier: readonly Earlier[] }
  | { kind: 'continuing'; room: string }
  | { kind: 'cannotContinue'; room: string; problem: string }
  /** The room was taken up again, with those who were let in before. */
  | { kind: 'continued'; rule: Rule; rate: number; guests: readonly Guest[] }
  | { kind: 'rate'; rate: number }
  | { kind: 'words'; key: string; words: string | undefined }
  | { kind: 'problem'; text: string }
  | { kind: 'mesh'; event: MeshEvent }
  | { kind: 'status'; status: Status }
  | { kind: 'rule'; rule: Rule }
  | { kind: 'key' }
  /** told: whether others could be told of it. */
  | { kind: 'removed'; key: string; told: boolean }
  | { kind: 'decided'; key: string; yes: boolean }
  | { kind: 'closed' };

export function step(state: State, event: Event): State {
  switch (event.kind) {
    case 'chosen':
      return {
        ...blank(state),
        phase: 'opening',
        entries: event.entries,
        leftOut: event.leftOut,
        text: event.text,
        link: event.link,
      };
    case 'problem':
      return { ...state, problem: event.text };
    case 'earlier':
      return { ...state, earlier: event.earlier };
    case 'continuing':
      return { ...state, continuing: event.room, earlier: withProblem(state.earlier, event.room, undefined) };
    case 'cannotContinue':
      return { ...state, continuing: undefined, earlier: withProblem(state.earlier, event.room, event.problem) };
    case 'continued':
      return { ...state, rule: event.rule, rate: event.rate, receivers: event.guests.filter(wasIn).map(fromBefore) };
    case 'rate':
      return { ...state, rate: event.rate };
    case 'words':
      return { ...state, receivers: withWords(state.receivers, event.key, event.words) };
    case 'mesh':
      return heard(state, event.event);
    case 'status':
      return ended({ ...state, status: event.status, receivers: withPeers(state.receivers, event.status.peers) });
    case 'rule':
      return { ...state, rule: event.rule };
    case 'key':
      return { ...state, phase: 'opening', problem: undefined };
    case 'removed':
      return {
        ...state,
        receivers: withPhase(state.receivers, event.key, 'removed'),
        untold: state.untold || !event.told,
      };
    case 'decided':
      if (!event.yes) return { ...state, receivers: state.receivers.filter((r) => r.key !== event.key) };
      return { ...state, receivers: withPhase(state.receivers, event.key, 'coming') };
    case 'closed':
      return blank(state);
  }
}

/** Nothing is shared; what the person set stays. */
const blank = ({ rule, rate, earlier }: State): State => ({ ...initial, rule, rate, earlier });

function heard(state: State, event: MeshEvent): State {
  switch (event.kind) {
    case 'connection':
      return connected({ ...state, connection: event.connection });
    case 'opened':
      return { ...state, phase: 'open', link: moved(state.link, event.server), problem: undefined };
    case 'expires':
      return { ...state, expires: event.at };
    case 'code':
      return { ...state, code: { text: event.text, until: event.until }, codeEnded: undefined };
    case 'codeEnded':
      return { ...state, code: undefined, codeEnded: event.guessed ? 'guessed' : 'time' };
    case 'asked':
      return { ...state, receivers: withReceiver(state.receivers, event.key, event.name, 'waits') };
    case 'admitted':
      return { ...state, receivers: withReceiver(state.receivers, event.key, event.name, 'coming') };
    case 'putBack':
      return { ...state, receivers: state.receivers.map((r) => (r.key === event.key ? putBack(r) : r)) };
    case 'untold':
      return { ...state, untold: true };
    case 'complete':
      return { ...state, receivers: state.receivers.map((r) => (r.key === event.key ? withAll(r) : r)) };
    case 'ended':
      return { ...state, phase: 'ended', end: event.end };
    default:
      return state;
  }
}

/** The link under the server's address for others; what the page was opened under may lead here alone. */
function moved(link: string, server: string): string {
  return server === '' ? link : server + link.slice(link.indexOf('/f/'));
}

/** What the server refuses for good ends the transfer, or needs a key. */
function connected(state: State): State {
  const { connection } = state;
  if (connection.phase !== 'refused') return state;
  // forbidden: the room was opened with another key than the one that is known now.
  if (connection.code === 'unauthorised' || connection.code === 'forbidden') return { ...state, phase: 'key' };
  // Those who are connected need no server.
  if (connection.code === 'expired') return ended({ ...state, over: true, code: undefined });
  return { ...state, phase: 'ended', problem: connection.text };
}

/** When the time of the link is over it ends for good with the last who is still receiving. */
function ended(state: State): State {
  const receiving = state.receivers.some((r) => r.phase === 'here' && !r.complete);
  if (!state.over || receiving) return state;
  return { ...state, phase: 'ended', problem: 'Its time is over, and the server has closed it.' };
}

function withReceiver(all: readonly Receiver[], key: string, name: string, phase: Receiver['phase']): Receiver[] {
  const others = all.filter((r) => r.key !== key);
  const words = all.find((r) => r.key === key)?.words;
  return [...others, { key, name, phase, complete: false, peer: undefined, words }];
}

/** It may have come and left between two looks at who is here. */
function withAll(receiver: Receiver): Receiver {
  const { phase } = receiver;
  return { ...receiver, complete: true, phase: phase === 'coming' || phase === 'away' ? 'here' : phase };
}

/** Who was removed is not in at all. */
const putBack = (receiver: Receiver): Receiver =>
  receiver.phase === 'removed' ? receiver : { ...receiver, phase: 'back', peer: undefined };

const wasIn = ({ serial, refused }: Guest): boolean => serial !== 0 && !refused;

function fromBefore({ key, name, out }: Guest): Receiver {
  return { key, name, phase: out ? 'back' : 'away', complete: false, peer: undefined, words: undefined };
}

const withWords = (all: readonly Receiver[], key: string, words: string | undefined): Receiver[] =>
  all.map((r) => (r.key === key ? { ...r, words } : r));

const withProblem = (all: readonly Earlier[], room: string, problem: string | undefined): Earlier[] =>
  all.map((one) => (one.room === room ? { ...one, problem } : one));

const withPhase = (all: readonly Receiver[], key: string, phase: Receiver['phase']): Receiver[] =>
  all.map((r) => (r.key === key ? { ...r, phase } : r));

function withPeers(all: readonly Receiver[], peers: readonly PeerStatus[]): Receiver[] {
  return all.map((receiver) => {
    const peer = peers.find((p) => p.key === receiver.key);
    if (receiver.phase === 'waits' || receiver.phase === 'removed') return receiver;
    if (peer) return { ...receiver, peer, phase: 'here', complete: peer.complete };
    return receiver.phase === 'here' ? { ...receiver, peer: undefined, phase: 'gone' } : receiver;
  });
}

/** Whether the link that has ended can never work again. */
export function leadsNowhere({ over, end, connection }: State): boolean {
  return over || end?.kind === 'changed' || (connection.phase === 'refused' && connection.code === 'closed');
}

/** Whether the uploader may close the page: somebody has each piece, or there is nothing to send. */
export function isSafe({ status, receivers, entries }: State): boolean {
  if (status?.safe) return true;
  const some = receivers.filter((r) => r.phase !== 'removed' && r.phase !== 'waits');
  // Who has left with everything gives nothing to those who are still receiving.
  if (some.some((r) => r.phase === 'here' && !r.complete)) return false;
  const empty = entries.every((entry) => entry.size === 0);
  return some.some((r) => r.complete && (r.phase === 'gone' || empty));
}
