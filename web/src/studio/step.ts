// The studio's state machine: a state and an event give the next state and what is to be done.
// Pure. What files and devices bring is in step-source.ts, what the server says in step-server.ts.

import { add, afterEnd, current, emptyQueue, type Item, refuse } from '../media/queue';
import { chooseName, nameInUse } from './name';
import { declared, isReady, shownTitle } from './select';
import {
  type Effect,
  type Event,
  type Next,
  type Note,
  noDevice,
  noFile,
  nothingOn,
  onTheAir,
  type Remembered,
  type Resume,
  type State,
  to,
} from './state';
import { stepServer } from './step-server';
import { show, stepSource, surplusNote } from './step-source';

/** From the moment on that the uploader wants it to be on the air. */
const freshlyLive = { live: true, everUp: false, stopped: false, owed: false } as const;

const SOURCE_FIRST: Note = {
  tone: 'warn',
  title: 'Choose something to show first.',
  advice: 'Until then the stream goes on where it is now.',
};

const MISSING = 'It could not be opened again. Add it once more.';

export function step(state: State, event: Event): Next {
  const next = react(state, event);
  return declare(next.state, next.effects);
}

function react(state: State, event: Event): Next {
  switch (event.kind) {
    case 'begin':
      return begin(state, event);
    case 'key':
      return to(
        { ...state, key: { phase: 'trying', typed: true } },
        { kind: 'connect', key: event.key, remember: event.remember },
      );
    case 'forgetKey':
      return leave(state);
    case 'goLive':
      return goLive(state);
    case 'stop':
      return stop(state);
    case 'takeBack':
      return takeBack(state);
    case 'name':
      return chooseName(state, event.text);
    case 'nameInUse':
      return nameInUse(state);
    case 'title':
      return to({ ...state, title: event.text.slice(0, 120) });
    case 'settings':
      return settings(state, event.settings);
    case 'topology':
      return to(
        { ...state, topology: event.topology },
        { kind: 'tell', message: { type: 'set-topology', topology: event.topology } },
      );
    case 'listen':
      return to(
        { ...state, volume: event.volume, muted: event.muted, hushed: false },
        { kind: 'listen', volume: event.volume, muted: event.muted },
      );
    case 'dismiss':
      return to({ ...state, note: undefined });
    case 'continue':
      return goOn(state);
    case 'discard':
      return to(
        { ...state, resume: undefined, device: noDevice, stopped: true, owed: true },
        { kind: 'tell', message: { type: 'stop' } },
      );
    case 'restored':
      return restored(state, event);
    case 'missing':
      return to({ ...state, queue: event.ids.reduce((queue, id) => refuse(queue, id, MISSING), state.queue) });
    case 'instead':
      return instead(state, event.items);
    case 'command':
      return to(state, { kind: 'tell', message: event.message });
    case 'hidden':
      return hidden(state, event.hidden);
    case 'link':
    case 'restarted':
    case 'message':
    case 'path':
    case 'problem':
      return stepServer(state, event);
    default:
      return stepSource(state, event);
  }
}

function begin(state: State, event: Extract<Event, { kind: 'begin' }>): Next {
  const { key, kept } = event;
  const { name, ...rest } = kept;
  const started: State = { ...state, ...rest, name: { chosen: name }, ...resumed(event.resume) };
  if (!key) return to({ ...started, key: { phase: 'missing' } });
  return to({ ...started, key: { phase: 'trying' } }, { kind: 'connect', key, remember: false });
}

function resumed(kept: Remembered | undefined): Partial<State> {
  if (!kept?.live) return {};
  const item = current(kept.queue);
  if (kept.kind === 'file' && !item) return {};
  const name = kept.kind === 'file' ? (item?.name ?? '') : kept.kind === 'camera' ? 'Camera' : 'Screen';
  const { kind, position, playing, how, queue, devices, paused, soundOn, pictureOn } = kept;
  const resume = { kind, name, position, playing, how, queue, busy: false };
  // A camera comes back as quiet and as still as it was.
  return kind === 'file' ? { resume } : { resume, devices, device: { ...noDevice, paused, soundOn, pictureOn } };
}

function goLive(state: State): Next {
  if (state.live || !isReady(state) || !state.room || state.name.asking !== undefined) return to(state);
  return showLive(state);
}

/** The stream goes on elsewhere, and is to go on here. It must not be cut off there for nothing. */
function takeBack(state: State): Next {
  if (!isReady(state)) return to({ ...state, note: SOURCE_FIRST });
  const still = state.kind === 'file' ? { ...state, file: { ...state.file, playing: false } } : state;
  return showLive({ ...still, stale: true });
}

/** Puts what is on the stage on the air. */
function showLive(state: State): Next {
  const effects: Effect[] = [onTheAir(state)];
  const on: State = { ...state, ...freshlyLive, problem: '', note: undefined };
  if (state.kind !== 'file' || state.file.playing) return to(on, ...effects);
  if (state.file.over) {
    const next = afterEnd(state.queue);
    if (next && next.id !== state.queue.current) {
      const shown = show(on, next.id, true);
      return to(shown.state, ...effects, ...shown.effects);
    }
    effects.push({ kind: 'seek', to: 0 });
  }
  // It counts as playing at once, so that viewers are not told of a pause.
  return to({ ...on, file: { ...state.file, playing: true, over: false } }, ...effects, { kind: 'play' });
}

function stop(state: State): Next {
  if (!state.live) return to(state);
  const effects: Effect[] = [
    { kind: 'tell', message: { type: 'stop' } },
    { kind: 'want', want: false },
  ];
  if (state.kind === 'file') effects.push({ kind: 'pause' });
  // The word may be lost on its way; step-server.ts says it again until the server has answered.
  const over = { live: false, everUp: false, path: 'none', stopped: true, owed: true, note: undefined } as const;
  return to({ ...state, ...over }, ...effects);
}

/** Without the key nothing goes on: not the stream, not the camera, nor the offer to go on. */
function leave(state: State): Next {
  const stopped = state.resume
    ? to({ ...state, owed: true }, { kind: 'tell', message: { type: 'stop' } })
    : stop(state);
  return to(
    { ...stopped.state, ...nothingOn, resume: undefined, room: undefined, told: undefined, key: { phase: 'missing' } },
    ...stopped.effects,
    { kind: 'unload' },
    { kind: 'keyForget' },
  );
}

function settings(state: State, chosen: State['settings']): Next {
  const next = { ...state, settings: chosen };
  if (!state.live) return to(next, { kind: 'limits' });
  // Without renegotiation another codec, number of qualities, or delay needs a new session; viewers keep theirs.
  const { codec, one, delay } = state.settings;
  if (chosen.codec === codec && chosen.one === one && chosen.delay === delay) return to(next, { kind: 'limits' });
  return to({ ...next, recoding: state.path === 'connected' }, { kind: 'renew' });
}

function goOn(state: State): Next {
  const resume = state.resume;
  if (!resume || resume.busy) return to(state);
  const busy: State = { ...state, resume: { ...asOffered(resume), busy: true } };
  if (resume.kind === 'file') return to(busy, { kind: 'reopen' });
  return to(
    { ...busy, kind: resume.kind, device: { ...state.device, phase: 'opening' } },
    { kind: 'openDevice', source: resume.kind, devices: state.devices },
  );
}

/** Files of the list are there again, or only some, or another than the one that was on. */
function restored(state: State, { ids, pending, difference }: Extract<Event, { kind: 'restored' }>): Next {
  if (!state.resume) return to(state);
  const resume = asOffered(state.resume);
  // One click may still bring back the one that was on.
  if (difference !== undefined) return to({ ...state, resume: { ...resume, difference } });
  const on = resume.queue.current;
  if (on === undefined || !ids.includes(on)) return to({ ...state, resume: { ...resume, how: 'choose' } });
  const there = new Set([...ids, ...(pending ?? [])]);
  const queue = { ...resume.queue, items: resume.queue.items.filter((i) => there.has(i.id)) };
  return onAir({ ...state, queue }, on, resume.position, resume.playing);
}

/** The offer to go on as it is while nothing has been tried yet. */
function asOffered({ difference: _, ...resume }: Resume): Resume {
  return { ...resume, busy: false };
}

function instead(state: State, items: readonly Item[]): Next {
  const first = items[0];
  if (!first) return to(state);
  const queue = { ...add(emptyQueue, items), loop: state.resume?.queue.loop ?? false };
  return onAir({ ...state, queue, note: surplusNote(emptyQueue, items) }, first.id, 0, true);
}

function onAir(state: State, id: string, at: number, play: boolean): Next {
  const file = { ...noFile, phase: 'loading' as const, playing: play, position: at };
  return to(
    { ...state, ...freshlyLive, kind: 'file', file, resume: undefined },
    { kind: 'load', id, at, play },
    onTheAir(state),
  );
}

/** Browsers slow a hidden tab down. Nobody reads the page then; the note is there on the way back. */
function hidden(state: State, now: boolean): Next {
  const next = { ...state, hidden: now };
  if (!now || !state.live || state.kind !== 'file') return to(next);
  return to({
    ...next,
    note: {
      tone: 'warn',
      title: 'This tab was in the background while live.',
      advice:
        'The stream went on. Browsers slow such tabs down: sound is not touched, but viewers may see fewer pictures. Give the studio a window of its own and leave it in view.',
    },
  });
}

/** Tells the server what is true now, when it knows otherwise. */
function declare(state: State, effects: Effect[]): Next {
  if (state.link.phase !== 'open' || !state.room || state.resume) return { state, effects };
  const told = { state: declared(state), title: shownTitle(state) };
  if (state.told?.state === told.state && state.told.title === told.title) return { state, effects };
  const message = { type: 'set-state' as const, state: told.state, ...(told.title ? { title: told.title } : {}) };
  return { state: { ...state, told }, effects: [...effects, { kind: 'tell', message }] };
}
