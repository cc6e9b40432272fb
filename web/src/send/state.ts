// The state of the page that sends files, and how it changes. Pure: the controller tells it what
// happened and carries out what people want.

import type { Entry } from '../mesh/manifest';
import type { End, Event as MeshEvent, PeerStatus, Status } from '../mesh/peer/config';
import type { Rule } from '../mesh/peer/door';
import type { Link as Connection } from '../signal/core';
import type { LeftOut } from './collect';

/** One who came in, or wants to. */
export interface Receiver {
  key: string;
  name: string;
  /** waits: for the person's word; gone: not connected any more, with everything or without. */
  phase: 'waits' | 'coming' | 'here' | 'gone' | 'removed';
  complete: boolean;
  peer: PeerStatus | undefined;
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
  /** What the server or the browser refused, in words. */
  problem: string | undefined;
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
  problem: undefined,
  status: undefined,
  end: undefined,
};

export type Event =
  | { kind: 'chosen'; entries: readonly Entry[]; leftOut: readonly LeftOut[]; text: string; link: string }
  | { kind: 'problem'; text: string }
  | { kind: 'mesh'; event: MeshEvent }
  | { kind: 'status'; status: Status }
  | { kind: 'rule'; rule: Rule }
  | { kind: 'key' }
  | { kind: 'removed'; key: string }
  | { kind: 'decided'; key: string; yes: boolean }
  | { kind: 'closed' };

export function step(state: State, event: Event): State {
  switch (event.kind) {
    case 'chosen':
      return {
        ...initial,
        phase: 'opening',
        rule: state.rule,
        entries: event.entries,
        leftOut: event.leftOut,
        text: event.text,
        link: event.link,
      };
    case 'problem':
      return { ...state, problem: event.text };
    case 'mesh':
      return heard(state, event.event);
    case 'status':
      return { ...state, status: event.status, receivers: withPeers(state.receivers, event.status.peers) };
    case 'rule':
      return { ...state, rule: event.rule };
    case 'key':
      return { ...state, phase: 'opening', problem: undefined };
    case 'removed':
      return { ...state, receivers: withPhase(state.receivers, event.key, 'removed') };
    case 'decided':
      if (!event.yes) return { ...state, receivers: state.receivers.filter((r) => r.key !== event.key) };
      return { ...state, receivers: withPhase(state.receivers, event.key, 'coming') };
    case 'closed':
      return { ...initial, rule: state.rule };
  }
}

function heard(state: State, event: MeshEvent): State {
  switch (event.kind) {
    case 'connection':
      return connected({ ...state, connection: event.connection });
    case 'opened':
      return { ...state, phase: 'open', link: moved(state.link, event.server), problem: undefined };
    case 'code':
      return { ...state, code: { text: event.text, until: event.until }, codeEnded: undefined };
    case 'codeEnded':
      return { ...state, code: undefined, codeEnded: event.guessed ? 'guessed' : 'time' };
    case 'asked':
      return { ...state, receivers: withReceiver(state.receivers, event.key, event.name, 'waits') };
    case 'admitted':
      return { ...state, receivers: withReceiver(state.receivers, event.key, event.name, 'coming') };
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
  if (connection.code === 'unauthorised') return { ...state, phase: 'key' };
  return { ...state, phase: 'ended', problem: connection.text };
}

function withReceiver(all: readonly Receiver[], key: string, name: string, phase: Receiver['phase']): Receiver[] {
  const others = all.filter((r) => r.key !== key);
  return [...others, { key, name, phase, complete: false, peer: undefined }];
}

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

/** Whether the uploader may close the page: somebody has each piece, or there is nothing to send. */
export function isSafe({ status, receivers, entries }: State): boolean {
  if (status?.safe) return true;
  const some = receivers.filter((r) => r.phase !== 'removed' && r.phase !== 'waits');
  // Who has left with everything gives nothing to those who are still receiving.
  if (some.some((r) => r.phase === 'here' && !r.complete)) return false;
  const empty = entries.every((entry) => entry.size === 0);
  return some.some((r) => r.complete && (r.phase === 'gone' || empty));
}
