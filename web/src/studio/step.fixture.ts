// States and events of the studio that several of its tests begin with.

import { DEFAULTS } from '../media/settings';
import type { Welcome } from '../signal/msg.gen';
import { type Effect, type Event, initial, type Kept, type Remembered, type State } from './state';
import { step } from './step';

export const item = (id: string) => ({ id, name: `${id}.webm`, size: 1, modified: 1 });
export const welcome: Welcome = {
  type: 'welcome',
  endpoint: 'e',
  room: { kind: 'stream', name: 'name' },
  role: 'publisher',
  instance: 'i',
  resume: 'r',
  mediaToken: 't',
  mediaUrl: '/whip/name',
  publicUrl: 'http://192.0.2.7:8080/',
  viewers: 3,
  access: { password: false, embed: true },
};
export const plain: Kept = {
  name: '',
  settings: DEFAULTS,
  topology: 'sfu',
  title: '',
  volume: 0.8,
  muted: false,
  owed: false,
};
export const began = (key: string | undefined, resume?: Remembered): Event => ({
  kind: 'begin',
  key,
  kept: plain,
  ...(resume ? { resume } : {}),
});
/** A camera with its microphone. */
export const both = { sound: true, picture: true };
export const open: Event = { kind: 'link', link: { phase: 'open' } };
export const hello: Event = { kind: 'message', message: welcome };
export const loaded = { kind: 'loaded', duration: 30, picture: true, sound: true } satisfies Event;
export const up: Event = { kind: 'path', status: 'connected' };

/** Plays events; gives the last state and the effects of the last event. */
export function play(state: State, ...events: Event[]): { state: State; effects: Effect[]; kinds: string[] } {
  let effects: Effect[] = [];
  let now = state;
  for (const event of events) ({ state: now, effects } = step(now, event));
  return { state: now, effects, kinds: effects.map((e) => e.kind) };
}

export const inside = play(initial, began('k'), open, hello).state;
export const withFiles = play(inside, { kind: 'added', items: ['a', 'b', 'c'].map(item) }, loaded).state;
export const live = play(withFiles, { kind: 'goLive' }, { kind: 'playing' }, up).state;
export const told = (effects: Effect[]) => effects.flatMap((e) => (e.kind === 'tell' ? [e.message] : []));
