// What the viewer is told: facts in, one scene out. Pure; every state of the page is one case here.

import type { Link } from '../signal/core';
import type { State } from '../signal/msg.gen';
import { wordsFor } from '../signal/words';
import type { PathStatus } from '../topology/rejoin';

export interface Facts {
  /** WebRTC is missing or switched off in this browser. */
  missing: boolean;
  link: Link;
  /** Whether the server has welcomed this page at least once. */
  welcomed: boolean;
  stream: Omit<State, 'type'> | undefined;
  path: PathStatus;
  /** A picture (or sound) has been shown since the page was opened. */
  shown: boolean;
  /** Something is arriving now. */
  flowing: boolean;
  /** The viewer's own pause. */
  stopped: boolean;
  /** The browser does not even begin to play without a gesture. */
  playBlocked: boolean;
  /** False when the browser has no decoder for the picture that is sent. */
  playable: boolean;
  /** The picture on the screen comes by plain HTTP, as nothing else comes through. */
  byHttp: boolean;
  /** A password was given and refused. */
  passwordWrong: boolean;
}

export type SceneKind =
  | 'playing'
  | 'sound-only'
  | 'stopped'
  | 'press-play'
  | 'connecting'
  | 'idle'
  | 'paused'
  | 'seeking'
  | 'away'
  | 'reconnecting'
  | 'ended'
  | 'removed'
  | 'password'
  | 'not-found'
  | 'refused'
  | 'version'
  | 'codec'
  | 'blocked'
  | 'by-http'
  | 'busy'
  | 'server-away'
  | 'no-webrtc';

export interface Scene {
  kind: SceneKind;
  /** A few words; empty when the picture speaks for itself. */
  title: string;
  /** One or two sentences: what it means and what the person can do. */
  text: string;
  /** card: in the middle, over the dimmed picture. note: a line above the picture. none: nothing. */
  form: 'card' | 'note' | 'none';
  /** Something is under way by itself. */
  busy: boolean;
  /** The text tells what was wrong with what the person gave. */
  mistake?: boolean;
  action?: 'reload' | 'play' | 'home' | 'retry';
}

type Words = [title: string, text: string, more?: Partial<Pick<Scene, 'form' | 'busy' | 'mistake' | 'action'>>];

function scene(kind: SceneKind, [title, text, more]: Words): Scene {
  return { kind, title, text, form: 'card', busy: false, ...more };
}

/** The one scene that fits. The order of the questions is the order of importance. */
export function sceneOf(f: Facts): Scene {
  return barred(f) ?? serverGone(f) ?? streamOver(f) ?? unplayable(f) ?? waiting(f) ?? networkTrouble(f) ?? running(f);
}

function barred(f: Facts): Scene | undefined {
  if (f.link.phase !== 'refused') return undefined;
  switch (f.link.code) {
    case 'password':
      return scene('password', [
        'This stream has a password',
        f.passwordWrong
          ? 'That was not the right one. Please try again.'
          : 'The person who sent you the link knows it.',
        { mistake: f.passwordWrong },
      ]);
    case 'removed':
      return scene('removed', ['You have been removed from this stream', 'The person who shares it has decided so.']);
    case 'not-found':
      return scene('not-found', [
        'There is no stream here',
        f.link.text || 'Check the link, or ask for a new one.',
        { action: 'home' },
      ]);
    case 'version':
      return scene('version', [
        'A newer version of this page is ready',
        'Reload it to go on watching.',
        { action: 'reload' },
      ]);
    default:
      return scene('refused', [
        'You cannot watch this stream',
        f.link.text || wordsFor(f.link.code),
        { action: 'retry' },
      ]);
  }
}

/** The server answers nothing. As long as the picture runs there is no reason to cover it. */
function serverGone(f: Facts): Scene | undefined {
  if (f.link.phase !== 'waiting') return undefined;
  const code = f.link.code;
  if (code === 'rate' || code === 'full') {
    return scene('busy', ['One moment, please', `${wordsFor(code)} This page tries again by itself.`, { busy: true }]);
  }
  if (f.flowing && f.path === 'connected') return undefined;
  // The first lost try is most often a short gap and is over before it could be read.
  if (f.link.attempt < 2) return undefined;
  const restarting = code === 'shutdown';
  return scene('server-away', [
    restarting ? 'The server is being restarted' : 'The server cannot be reached',
    restarting
      ? 'The picture comes back by itself in a moment.'
      : 'Check your connection. This page keeps trying and comes back by itself.',
    { busy: true, action: 'retry' },
  ]);
}

function streamOver(f: Facts): Scene | undefined {
  if (f.stream?.state !== 'ended') return undefined;
  return scene('ended', [
    'This stream has ended',
    'Thank you for watching. If it starts again under this link, the picture comes by itself.',
  ]);
}

function unplayable(f: Facts): Scene | undefined {
  const codec = f.stream?.video;
  if (f.playable || !codec) return undefined;
  return scene('codec', [
    'This browser cannot play this picture',
    `It is sent as ${codecName(codec)}, and there is no decoder for that here. Chrome or Edge usually has one, or ask the person who shares it to choose another format.`,
  ]);
}

function codecName(codec: string): string {
  return codec === 'H264' ? 'H.264' : codec;
}

function waiting(f: Facts): Scene | undefined {
  switch (f.stream?.state) {
    case 'idle':
      if (f.path === 'blocked') return undefined;
      return scene('idle', ['Not live yet', 'Leave this page open: the picture starts by itself.']);
    case 'away':
      return scene('away', [
        'Back in a moment',
        'The person who shares this has lost the connection. Nothing to do here.',
        { busy: true },
      ]);
    default:
      return undefined;
  }
}

function networkTrouble(f: Facts): Scene | undefined {
  if (f.byHttp) return undefined;
  switch (f.path) {
    case 'blocked':
      if (f.missing) {
        return scene('no-webrtc', [
          'This browser cannot show live video',
          'WebRTC is missing or switched off here. If the person who shares this sends it by plain HTTP too, it plays here. A current Firefox, Chrome, Edge or Safari shows it in any case.',
        ]);
      }
      return scene('blocked', [
        'This network lets no live video through',
        'The server answers, but video by UDP does not arrive. Try another network such as mobile data, switch off a VPN, or ask whoever runs this network to allow UDP to this server.',
        { busy: true, action: 'retry' },
      ]);
    case 'refused':
      return scene('refused', [
        'This browser and the server do not understand each other',
        'Reload the page. If that does not help, try a current Firefox, Chrome, Edge or Safari.',
        { action: 'reload' },
      ]);
    case 'busy':
      return scene('busy', [
        'One moment, please',
        'Many people are joining. This page tries again by itself.',
        { busy: true },
      ]);
    case 'unreachable':
    case 'reconnecting':
      if (f.flowing) return undefined;
      return scene('reconnecting', [
        'Reconnecting',
        'The connection was lost for a moment. The picture comes back by itself.',
        { busy: true },
      ]);
    default:
      return undefined;
  }
}

function running(f: Facts): Scene {
  const state = f.stream?.state;
  if (f.playBlocked) return scene('press-play', ['', '', { form: 'card', action: 'play' }]);
  if (f.stopped) return scene('stopped', ['Paused', 'Press play to go on with what is live now.', { action: 'play' }]);
  if (state === 'paused' && f.welcomed) {
    return scene('paused', [
      'Paused',
      'The person who shares this has paused it.',
      { form: f.shown ? 'note' : 'card' },
    ]);
  }
  if (state === 'seeking' && f.welcomed) {
    return scene('seeking', ['Moving to another place', '', { form: f.shown ? 'note' : 'card', busy: true }]);
  }
  if (!f.shown && !f.byHttp) return scene('connecting', ['Connecting', '', { busy: true }]);
  if (f.stream && !f.stream.video && f.stream.audio) {
    return scene('sound-only', ['Sound only', 'This stream has no picture.', { form: 'none' }]);
  }
  if (f.byHttp) {
    return scene('by-http', [
      'By plain HTTP',
      `This ${f.missing ? 'browser has no WebRTC' : 'network lets no live video through'}. It comes by plain HTTP instead, about a second later.`,
      { form: 'note' },
    ]);
  }
  return scene('playing', ['', '', { form: 'none' }]);
}

const OVER: ReadonlySet<SceneKind> = new Set<SceneKind>([
  'ended',
  'removed',
  'password',
  'not-found',
  'refused',
  'version',
  'no-webrtc',
]);

/** Whether there is anything to control in this scene. */
export function hasControls(s: Scene): boolean {
  return !OVER.has(s.kind);
}

/** Whether there is a stream here that others could be invited to. */
export function canInvite(s: Scene): boolean {
  return s.kind !== 'not-found' && s.kind !== 'removed';
}

/** Whether what the server last said of the stream still holds: while it is away nobody knows. */
export function isKnown(s: Scene): boolean {
  return s.kind !== 'server-away';
}

/** What a screen reader hears when the scene changes. */
export function spoken(s: Scene): string {
  if (s.kind === 'playing') return 'Live.';
  if (s.kind === 'press-play') return 'Press play to watch.';
  return [s.title, s.text].filter(Boolean).join('. ').replace('..', '.');
}
