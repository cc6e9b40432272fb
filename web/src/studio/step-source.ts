// What files, camera and screen bring, and what the person does with them. Pure.

import {
  add,
  current,
  type Item,
  MAX_ITEMS,
  move,
  neighbour,
  pick,
  type Queue,
  refuse,
  remove,
  surplus,
} from '../media/queue';
import {
  type Effect,
  type Event,
  type FileState,
  type Next,
  type Note,
  noDevice,
  noFile,
  onTheAir,
  type State,
  to,
} from './state';

export function stepSource(state: State, event: Event): Next {
  switch (event.kind) {
    case 'added':
      return added(state, event.items);
    case 'removed':
      return removed(state, event.id);
    case 'moved':
      return to({ ...state, queue: move(state.queue, event.id, event.by) });
    case 'picked':
      return show({ ...state, note: undefined }, event.id, state.live || state.file.playing);
    case 'next':
    case 'previous':
      return skip({ ...state, note: undefined }, event.kind === 'next' ? 1 : -1);
    case 'loop':
      return to({ ...state, queue: { ...state.queue, loop: event.on } });
    case 'toggle':
      return toggle(state);
    case 'seekTo':
      return to(
        { ...state, file: { ...state.file, position: event.seconds, over: false } },
        { kind: 'seek', to: event.seconds },
      );
    case 'chooseCamera':
      return open(state, 'camera', event.devices ?? state.devices);
    case 'chooseScreen':
      return open(state, 'screen', state.devices);
    case 'deviceSound':
      return to({ ...state, device: { ...state.device, soundOn: event.on } }, { kind: 'soundDevice', on: event.on });
    case 'devicePicture':
      return to(
        { ...state, device: { ...state.device, pictureOn: event.on } },
        { kind: 'pictureDevice', on: event.on },
      );
    case 'deviceOn':
      return deviceOn(state, event);
    case 'deviceRefused':
      return deviceRefused(state, event.trouble);
    case 'deviceGone':
      return deviceGone(state);
    case 'mutedByBrowser':
      return to({ ...state, muted: true, hushed: true });
    default:
      return player(state, event);
  }
}

/** What the media element says about the file that is on. */
function player(state: State, event: Event): Next {
  const file = (change: Partial<FileState>, ...effects: Effect[]): Next =>
    state.kind === 'file' ? to({ ...state, file: { ...state.file, ...change } }, ...effects) : to(state);
  switch (event.kind) {
    case 'loaded':
      return file(
        { phase: 'ready', duration: event.duration, picture: event.picture, sound: event.sound },
        { kind: 'limits' },
      );
    case 'refused':
      return refused(state, event.trouble);
    case 'soundless':
      return to({ ...state, file: { ...state.file, sound: false }, note: { tone: 'warn', ...event.trouble } });
    case 'playing':
      return file({ playing: true, over: false, seeking: false });
    case 'paused':
      return file({ playing: false });
    case 'seeking':
      return file({ seeking: true });
    case 'seeked':
      return file({ seeking: false });
    case 'position':
      return file(
        state.file.seeking ? {} : { position: event.seconds, reached: Math.max(state.file.reached, event.seconds) },
      );
    case 'duration':
      return file({ duration: event.seconds });
    case 'ended':
      return ended(state);
    default:
      return to(state);
  }
}

function added(state: State, items: Parameters<typeof add>[1]): Next {
  if (items.length === 0) return to(state);
  const next: State = {
    ...state,
    queue: add(state.queue, items),
    resume: undefined,
    note: surplusNote(state.queue, items),
  };
  const first = items[0]?.id;
  // Files take the place of a camera or of nothing, such as a list that cannot be played: the first of them is shown.
  if (first !== undefined && (state.kind !== 'file' || state.file.phase === 'none')) {
    return show({ ...next, device: noDevice }, first, state.live);
  }
  return to(next);
}

/** Says that the list is full. */
export function surplusNote(queue: Queue, items: readonly Item[]): Note | undefined {
  const out = surplus(queue, items.length);
  if (out === 0) return undefined;
  const left = out === 1 ? 'One file was left out.' : `${out} files were left out.`;
  return {
    tone: 'warn',
    title: `The list is full: ${left}`,
    advice: `It holds ${MAX_ITEMS} files. Take some off it first.`,
  };
}

/** Puts a file on. */
export function show(state: State, id: string, play: boolean): Next {
  const queue = pick(state.queue, id);
  if (queue.current !== id) return to(state);
  const file: FileState = { ...noFile, phase: 'loading', playing: play };
  return to({ ...state, queue, kind: 'file', device: noDevice, file }, { kind: 'load', id, at: 0, play });
}

function removed(state: State, id: string): Next {
  const wasOn = state.queue.current === id && state.kind === 'file';
  const next: State = { ...state, queue: remove(state.queue, id) };
  if (!wasOn) return to(next);
  if (next.queue.current !== undefined) return show(next, next.queue.current, state.file.playing);
  // The last one: while live the stream needs something to show.
  const note = state.live
    ? ({
        tone: 'warn',
        title: 'There is nothing to show.',
        advice: 'Add a file, or choose the camera or the screen.',
      } as const)
    : undefined;
  return to({ ...next, kind: undefined, file: noFile, note }, { kind: 'unload' });
}

function skip(state: State, by: 1 | -1): Next {
  if (state.kind !== 'file') return to(state);
  // As players do it: back to the beginning first.
  if (by === -1 && state.file.position > 3)
    return to({ ...state, file: { ...state.file, over: false } }, { kind: 'seek', to: 0 });
  const other = neighbour(state.queue, by);
  return other
    ? show(state, other.id, state.live ? state.file.playing || state.file.over : state.file.playing)
    : to(state);
}

function toggle(state: State): Next {
  if (state.kind === 'file') {
    if (state.file.phase !== 'ready') return to(state);
    if (state.file.playing) return to(state, { kind: 'pause' });
    return state.file.over ? goOn(state, neighbour(state.queue, 1)) : to(state, { kind: 'play' });
  }
  if (state.device.phase !== 'on') return to(state);
  const paused = !state.device.paused;
  return to({ ...state, device: { ...state.device, paused } }, { kind: 'pauseDevice', paused });
}

/** A file has come to its end: the next one, or the list is over. */
function ended(state: State): Next {
  const next = neighbour(state.queue, 1);
  return next ? goOn(state, next) : to({ ...state, file: { ...state.file, playing: false, over: true } });
}

/** Plays that file, or without one the same again. */
function goOn(state: State, next: Item | undefined): Next {
  // The same again needs no loading: the element still has it.
  if (!next || next.id === state.queue.current) return to(state, { kind: 'seek', to: 0 }, { kind: 'play' });
  return show(state, next.id, true);
}

/** This file cannot be played: say why, and go on with the next that can. */
function refused(state: State, trouble: { title: string; advice: string }): Next {
  const item = current(state.queue);
  if (!item || state.kind !== 'file') return to(state);
  const wanted = state.file.playing;
  const marked: State = { ...state, queue: refuse(state.queue, item.id, trouble.title), file: noFile };
  const note = { tone: 'bad' as const, ...trouble };
  const other = neighbour({ ...marked.queue, loop: state.queue.loop }, 1);
  if (!other || other.id === item.id) return to({ ...marked, note });
  const next = show(marked, other.id, wanted);
  return { ...next, state: { ...next.state, note } };
}

function open(state: State, source: 'camera' | 'screen', devices: State['devices']): Next {
  return to(
    { ...state, devices, device: { ...state.device, phase: 'opening' }, note: undefined },
    { kind: 'openDevice', source, devices },
  );
}

function deviceOn(state: State, event: Extract<Event, { kind: 'deviceOn' }>): Next {
  const resuming = state.resume !== undefined && state.resume.kind === event.source;
  const next: State = {
    ...state,
    kind: event.source,
    file: noFile,
    // Another device is paused and heard as the one before it was.
    device: { ...state.device, phase: 'on', silent: undefined, ...event.device },
    devices: event.source === 'camera' ? event.devices : state.devices,
    resume: undefined,
    live: state.live || resuming,
    owed: state.owed && !resuming,
  };
  const { silent } = event.device;
  if (silent) next.note = { tone: 'warn', ...silent, action: 'microphone' };
  // The picture first: a camera that is switched off sends nothing of itself when the pause ends.
  const effects: Effect[] = [
    { kind: 'pictureDevice', on: event.source === 'screen' || next.device.pictureOn },
    { kind: 'pauseDevice', paused: next.device.paused },
    { kind: 'soundDevice', on: next.device.soundOn },
    { kind: 'limits' },
  ];
  if (resuming && !state.live) effects.push(onTheAir(state));
  return to(next, ...effects);
}

function deviceRefused(state: State, trouble: { title: string; advice: string } | undefined): Next {
  // What was on before goes on.
  const before = state.resume ? undefined : state.kind;
  const resume = state.resume ? { ...state.resume, busy: false, how: 'click' as const } : undefined;
  const phase = before === 'camera' || before === 'screen' ? 'on' : 'none';
  const note = trouble ? { tone: 'bad' as const, ...trouble } : state.note;
  return to({ ...state, kind: before, resume, device: { ...state.device, phase }, note });
}

function deviceGone(state: State): Next {
  if (state.kind === 'file') return to(state);
  const what = state.kind === 'screen' ? 'The screen is not shared any more.' : 'The camera is gone.';
  const advice = state.live ? 'The stream goes on without picture. Choose something else to show, or stop.' : '';
  // The next one is paused and heard as this one was.
  const device = { ...state.device, phase: 'none' as const };
  return to({ ...state, kind: undefined, device, note: { tone: 'warn', title: what, advice } }, { kind: 'unload' });
}
