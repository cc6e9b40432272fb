// The state of the page that receives files, and how it changes. Pure.

import type { LinkFault } from '../mesh/link';
import type { Manifest } from '../mesh/manifest';
import type { End, Event as MeshEvent, Status } from '../mesh/peer/config';
import type { Link as Connection } from '../signal/core';
import { spoiltWords } from './words';

export interface State {
  phase:
    | 'bad-link'
    | 'meeting'
    /** The uploader's person has to decide. */
    | 'waits'
    | 'password'
    /** What there is is known, and the person has to choose. */
    | 'offered'
    | 'fetching'
    | 'done'
    | 'ended';
  fault: LinkFault | undefined;
  /** Somebody who is not the one of the link says to be the uploader. */
  stranger: boolean;
  /** The password was wrong, not missing. */
  wrongPassword: boolean;
  connection: Connection;
  manifest: Manifest | undefined;
  /** Places of the files that are wanted. */
  wanted: ReadonlySet<number>;
  paused: boolean;
  status: Status | undefined;
  /** Bytes a second, evened out. */
  rate: number;
  end: End | undefined;
  /** What did not work, in words. */
  problem: string | undefined;
  /** Places of the files that were saved. */
  saved: ReadonlySet<number>;
  /** Files are being written to a folder. */
  saving: boolean;
  /** The browser keeps what was received over a reload. */
  lasting: boolean;
  /** The check words, once they are worked out. */
  words: string | undefined;
  /** The files are where the person wants them as soon as they are whole. */
  placed: boolean;
  /** What is chosen was begun at an earlier time, and goes on with a click. */
  again: boolean;
  /** A place for the files is being opened; the person may be asked for one. */
  opening: boolean;
  /** What is played while it comes. */
  playing: { file: number; url: string } | undefined;
}

export const initial: State = {
  phase: 'meeting',
  fault: undefined,
  stranger: false,
  wrongPassword: false,
  connection: { phase: 'connecting' },
  manifest: undefined,
  wanted: new Set(),
  paused: false,
  status: undefined,
  rate: 0,
  end: undefined,
  problem: undefined,
  saved: new Set(),
  saving: false,
  lasting: true,
  words: undefined,
  placed: false,
  again: false,
  opening: false,
  playing: undefined,
};

export type Event =
  | { kind: 'badLink'; fault: LinkFault }
  | { kind: 'mesh'; event: MeshEvent }
  | { kind: 'status'; status: Status }
  | { kind: 'choose'; file: number; wanted: boolean }
  | { kind: 'chooseAll'; wanted: boolean }
  | { kind: 'password' }
  | { kind: 'again'; wanted: ReadonlySet<number> }
  | { kind: 'anew' }
  | { kind: 'opening'; opening: boolean }
  | { kind: 'accepted'; wanted: ReadonlySet<number>; lasting: boolean; placed: boolean }
  | { kind: 'play'; playing: State['playing'] }
  | { kind: 'pause'; paused: boolean }
  | { kind: 'words'; words: string | undefined }
  | { kind: 'saving' }
  | { kind: 'saved'; files: readonly number[] }
  /** A part of these files was stored at an earlier time, is not as it was, and is fetched again. */
  | { kind: 'spoilt'; files: readonly number[] }
  | { kind: 'problem'; text: string };

export function step(state: State, event: Event): State {
  switch (event.kind) {
    case 'badLink':
      return { ...state, phase: 'bad-link', fault: event.fault };
    case 'mesh':
      return heard(state, event.event);
    case 'status':
      return { ...state, status: event.status, rate: evened(state, event.status) };
    case 'choose':
      return { ...state, wanted: toggled(state.wanted, event.file, event.wanted) };
    case 'chooseAll':
      return { ...state, wanted: event.wanted ? all(state.manifest) : new Set() };
    case 'password':
      return { ...state, phase: 'meeting' };
    case 'again':
      return { ...state, again: true, wanted: event.wanted };
    case 'anew':
      return { ...state, again: false, wanted: all(state.manifest) };
    case 'opening':
      return { ...state, opening: event.opening, problem: undefined };
    case 'accepted':
      return accepted(state, event);
    case 'play':
      return { ...state, playing: event.playing, problem: undefined };
    case 'words':
      return { ...state, words: event.words };
    case 'pause':
      return { ...state, paused: event.paused, rate: 0 };
    case 'saving':
      return { ...state, saving: true, problem: undefined };
    case 'saved':
      return { ...state, saving: false, saved: new Set([...state.saved, ...event.files]) };
    case 'spoilt':
      return spoilt(state, event.files);
    case 'problem':
      return { ...state, saving: false, problem: event.text };
  }
}

/** What was saved of these files has the part that is wrong, too. */
function spoilt(state: State, files: readonly number[]): State {
  const { phase, saved, manifest } = state;
  const again = files.filter((file) => saved.has(file)).map((file) => manifest?.files[file]?.path ?? '');
  return {
    ...state,
    phase: phase === 'done' ? 'fetching' : phase,
    saved: new Set([...saved].filter((file) => !files.includes(file))),
    problem: spoiltWords(again),
  };
}

function accepted(state: State, { wanted, lasting, placed }: Extract<Event, { kind: 'accepted' }>): State {
  return { ...state, phase: 'fetching', wanted, lasting, placed, opening: false, again: false, problem: undefined };
}

function heard(state: State, event: MeshEvent): State {
  switch (event.kind) {
    case 'connection':
      return refused({ ...state, connection: event.connection });
    case 'waits':
      return { ...state, phase: 'waits' };
    case 'stranger':
      return { ...state, stranger: true };
    case 'offered':
      return { ...state, phase: 'offered', manifest: event.offered.manifest, wanted: all(event.offered.manifest) };
    case 'finished':
      return { ...state, phase: 'done', saved: state.placed ? state.wanted : state.saved };
    case 'ended':
      if (state.phase === 'done') return state;
      return { ...state, phase: 'ended', end: event.end };
    case 'password':
      return { ...state, phase: 'password', wrongPassword: event.wrong };
    default:
      return state;
  }
}

/** What the server refuses for good ends what has not begun; peers that are connected go on without it. */
function refused(state: State): State {
  const { connection, phase } = state;
  if (connection.phase !== 'refused' && connection.phase !== 'replaced') return state;
  return phase === 'fetching' || phase === 'done' || phase === 'offered' ? state : { ...state, phase: 'ended' };
}

const all = (manifest: Manifest | undefined): Set<number> => new Set(manifest?.files.keys() ?? []);

function toggled(wanted: ReadonlySet<number>, file: number, on: boolean): Set<number> {
  const next = new Set(wanted);
  if (on) next.add(file);
  else next.delete(file);
  return next;
}

const WEIGHT = 0.3;
/** Less than so many bytes a second is nothing: no time can be told from it. */
const NOTHING = 100;

function evened({ rate }: State, { down }: Status): number {
  const next = rate === 0 ? down : rate * (1 - WEIGHT) + down * WEIGHT;
  return next < NOTHING ? 0 : next;
}

/** Seconds that are left; undefined while nothing comes. */
export function secondsLeft({ rate, status }: State): number | undefined {
  if (!status || rate <= 0) return undefined;
  return (status.total - status.held) / rate;
}

/** Bytes of the files that are wanted. */
export function wantedBytes({ manifest, wanted }: State): number {
  return [...wanted].reduce((sum, file) => sum + (manifest?.files[file]?.size ?? 0), 0);
}
