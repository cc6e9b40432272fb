// What follows from the state: what viewers are told, which words the page shows, what is
// allowed now. Pure.

import { titleOf } from '../media/card';
import { current } from '../media/queue';
import type { StreamState } from '../signal/msg.gen';
import type { State } from './state';

/** What the studio is doing, for words, colours and tests. */
export type Phase =
  | 'setup' // nothing chosen yet
  | 'returning' // the page was loaded anew while live; the person has to say how to go on
  | 'ready'
  | 'connecting'
  | 'live'
  | 'paused'
  | 'seeking'
  | 'reconnecting'
  | 'recoding' // a new session with another codec, or number of qualities, is on its way
  | 'blocked'
  | 'refused'
  | 'unreachable'
  | 'replaced'
  | 'ended';

export function phaseOf(state: State): Phase {
  if (state.link.phase === 'replaced') return 'replaced';
  if (state.resume) return 'returning';
  if (!state.live) return state.stopped && hasSource(state) ? 'ended' : hasSource(state) ? 'ready' : 'setup';
  switch (state.path) {
    case 'connected':
      return declared(state);
    case 'blocked':
    case 'refused':
      return state.path;
    case 'unreachable':
    case 'busy':
      return state.everUp ? 'reconnecting' : 'unreachable';
    default:
      if (state.recoding) return 'recoding';
      return state.everUp ? 'reconnecting' : 'connecting';
  }
}

/** The uploader's word to viewers. */
export function declared(state: State): Extract<StreamState, 'live' | 'paused' | 'seeking'> {
  if (!state.live) return 'live';
  if (isEmpty(state)) return 'paused';
  if (state.kind === 'file') {
    if (state.file.seeking) return 'seeking';
    // While the next file is being opened the stream goes on.
    return state.file.phase === 'ready' && !state.file.playing ? 'paused' : 'live';
  }
  return state.device.paused ? 'paused' : 'live';
}

/** Nothing is on: the camera is gone, the last file was removed or cannot be played. */
function isEmpty(state: State): boolean {
  return state.kind === undefined || (state.kind === 'file' && state.file.phase === 'none');
}

/** The title that viewers read: the uploader's, or the name of what is on. */
export function shownTitle(state: State): string {
  return (state.title.trim() || defaultTitle(state)).slice(0, 120);
}

export function defaultTitle(state: State): string {
  if (state.kind === 'camera') return 'Camera';
  if (state.kind === 'screen') return 'Screen';
  const item = current(state.queue);
  return item ? titleOf(item.name) : '';
}

/** Something is there that could be published: files that cannot be played are nothing. */
export function hasSource(state: State): boolean {
  if (state.kind === 'file') return state.queue.items.some((item) => item.refused === undefined);
  return state.kind !== undefined && state.device.phase === 'on';
}

/** Files were chosen, and none of them can be played: there is no more to see than before. */
export function showsNothing(state: State): boolean {
  return state.kind === 'file' && phaseOf(state) === 'setup';
}

/** How far one can move in the file that is on: to its end, or in one of unknown length to where it has been. s */
export function reach({ duration, reached }: State['file']): number {
  return Number.isFinite(duration) ? duration : reached;
}

/** What is on can be published at once. */
export function isReady(state: State): boolean {
  return hasSource(state) && (state.kind !== 'file' || state.file.phase === 'ready');
}

/** Go live can be pressed. */
export function canGoLive(state: State): boolean {
  if (state.live || state.room === undefined || state.link.phase === 'replaced') return false;
  return state.name.asking === undefined && isReady(state);
}

/** The stream was stopped and the server cannot be told yet: viewers go on waiting. */
export function owesStop(state: State): boolean {
  return state.owed && state.link.phase === 'waiting';
}

/** The address that viewers open. */
export function watchLink(state: State): string {
  const room = state.room;
  return room ? `${room.publicUrl.replace(/\/$/, '')}/w/${encodeURIComponent(room.name)}` : '';
}

/** Leaving the page would cut viewers off. */
export function mustWarn(state: State): boolean {
  return (state.live && state.link.phase !== 'replaced') || owesStop(state);
}

/** The screen must not go dark while people watch. */
export function wantsAwake(state: State): boolean {
  return state.live && declared(state) !== 'paused';
}

/** The state in words: what is going on, and what it means for viewers. */
export function wordsOf(state: State): { title: string; detail: string } {
  switch (phaseOf(state)) {
    case 'setup':
      return { title: 'Nothing chosen yet', detail: 'Choose a file, the camera or the screen.' };
    case 'returning':
      return { title: 'Viewers are waiting', detail: 'They read “back in a moment”.' };
    case 'ready':
      return { title: 'Ready', detail: 'Nobody sees anything yet. You can give away the link already.' };
    case 'connecting':
      return { title: 'Connecting …', detail: 'Viewers will see the picture in a moment.' };
    case 'live':
      return { title: 'Live', detail: isDark(state) ? darkWords(state) : 'Viewers see what you see here.' };
    case 'paused':
      return pausedWords(state);
    case 'seeking':
      return { title: 'Moving to another place …', detail: 'Viewers see the last picture for a moment.' };
    case 'reconnecting':
      return {
        title: 'Connection lost – trying again …',
        detail: 'Viewers read “back in a moment”. The stream goes on by itself.',
      };
    case 'recoding':
      return { title: 'Changing how it is sent …', detail: 'Viewers see the last picture for a moment.' };
    case 'blocked':
      return {
        title: 'This network lets no video through',
        detail: 'It blocks UDP. Try another network, such as a phone’s, or ask whoever runs this one.',
      };
    case 'refused':
      return { title: 'This stream cannot be sent', detail: state.problem };
    case 'unreachable':
      return { title: 'The server cannot be reached', detail: 'It is tried again by itself.' };
    case 'replaced':
      return {
        title: 'This stream goes on from somewhere else',
        detail: isReady(state)
          ? 'Another page or program publishes under this link now. This page has stopped.'
          : 'Another page or program publishes under this link now. To go on from here, choose something to show first.',
      };
    case 'ended':
      return {
        title: 'Stopped',
        detail: owesStop(state)
          ? 'Viewers do not know it yet: the server does not answer.'
          : 'Viewers read that the stream has ended. You can go live again with the same link.',
      };
  }
}

/** The camera is on and its picture is switched off. */
export function isDark(state: State): boolean {
  return state.kind === 'camera' && state.device.picture && !state.device.pictureOn;
}

function darkWords({ device }: State): string {
  const heard = device.sound && device.soundOn ? 'hear what the microphone hears' : 'hear nothing';
  return `Viewers read that the camera is off, and ${heard}.`;
}

function pausedWords(state: State): { title: string; detail: string } {
  if (isEmpty(state)) {
    return {
      title: 'Nothing to show',
      detail: 'Viewers read that you have paused. Add a file, or choose the camera or the screen.',
    };
  }
  if (state.kind === 'file') {
    return state.file.over
      ? { title: 'The list is over', detail: 'Viewers see its last picture.' }
      : { title: 'Paused', detail: 'Viewers see a still picture and read that you have paused.' };
  }
  if (isDark(state)) {
    return {
      title: 'Paused',
      detail: 'Viewers read that the camera is off and that you have paused, and hear nothing.',
    };
  }
  if (state.kind === 'camera' && !state.device.picture) {
    return { title: 'Paused', detail: 'Viewers hear nothing and read that you have paused.' };
  }
  return { title: 'Paused', detail: 'Viewers see a black picture, hear nothing, and read that you have paused.' };
}
