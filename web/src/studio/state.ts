// The studio as a value: everything that the page knows, what may happen to it, and what is to
// be done about it. No DOM, no clock, no IO. step.ts decides, shell.ts carries out.

import type { Devices } from '../media/live-source';
import type { Item, Queue } from '../media/queue';
import { emptyQueue } from '../media/queue';
import { DEFAULTS, type Settings } from '../media/settings';
import type { SourceKind, Trouble } from '../media/source';
import type { Link } from '../signal/core';
import type { ClientMessage, Peer, ServerMessage, StreamState, Topology } from '../signal/msg.gen';
import type { PathStatus } from '../topology/rejoin';
import type { NameState } from './name';
import type { Told } from './relaying';

/** What the server said when it let the page in. */
export interface Room {
  name: string;
  publicUrl: string;
  mediaUrl: string;
  mediaToken: string;
  stun: string | undefined;
}

/** The file that is on. */
export interface FileState {
  phase: 'none' | 'loading' | 'ready';
  playing: boolean;
  seeking: boolean;
  /** The list is over: it stands on its last picture. */
  over: boolean;
  position: number; // s
  duration: number; // s; Infinity while the length is not known
  /** As far as it has been played: all that is known of a file without length. s */
  reached: number;
  picture: boolean;
  sound: boolean;
}

/** Camera or screen. */
export interface DeviceState {
  phase: 'none' | 'opening' | 'on';
  paused: boolean;
  sound: boolean;
  soundOn: boolean;
  /** There is a camera, whose picture can be switched off. */
  picture: boolean;
  pictureOn: boolean;
  /** Why the microphone that was asked for is not there. */
  silent?: Trouble | undefined;
}

/** What the page knows again after a reload, and what it takes to go on. */
export interface Resume {
  kind: SourceKind;
  /** Of the file, "Camera" or "Screen". */
  name: string;
  position: number;
  playing: boolean;
  /** The list as it was; its files are not there yet. */
  queue: Queue;
  /** auto: by itself; click: one click; choose: the file has to be chosen again. */
  how: 'auto' | 'click' | 'choose';
  /** The chosen file is another one; said before it is used. */
  difference?: string;
  busy: boolean;
}

export interface Note {
  tone: 'info' | 'good' | 'warn' | 'bad';
  title: string;
  advice: string;
  /** What the person may do about it, at a button. */
  action?: 'microphone';
}

export interface State {
  /** typed: the key comes from the form, which stays until the server has answered. */
  key: { phase: 'missing' | 'trying' | 'good'; typed?: boolean; problem?: string };
  link: Link;
  room: Room | undefined;
  name: NameState;
  kind: SourceKind | undefined;
  queue: Queue;
  file: FileState;
  device: DeviceState;
  devices: Devices;
  /** The uploader wants the stream to be on the air. */
  live: boolean;
  /** The next Welcome brings a new stream or a new server: what was connected before is of no use. */
  stale: boolean;
  /** Media has flowed since Go live. */
  everUp: boolean;
  /** A new session with another codec takes over from the one that was up. */
  recoding: boolean;
  path: PathStatus;
  problem: string;
  /** The uploader has stopped a stream that was live. */
  stopped: boolean;
  /** The uploader has stopped the stream, and the server has not said yet that it has ended. */
  owed: boolean;
  stream: StreamState;
  viewers: number;
  roster: readonly Peer[];
  /** What the server says that it does. */
  relaying: Told;
  access: { password: boolean; embed: boolean };
  /** How viewers are to get it. */
  topology: Topology;
  /** Empty: the name of what is shown. */
  title: string;
  settings: Settings;
  volume: number;
  muted: boolean;
  /** It was not the person who muted it, but the browser that wants a gesture first. */
  hushed: boolean;
  hidden: boolean;
  note: Note | undefined;
  resume: Resume | undefined;
  /** What the server was told last. */
  told: { state: StreamState; title: string } | undefined;
}

export const noFile: FileState = {
  phase: 'none',
  playing: false,
  seeking: false,
  over: false,
  position: 0,
  duration: 0,
  reached: 0,
  picture: false,
  sound: false,
};

export const noDevice: DeviceState = {
  phase: 'none',
  paused: false,
  sound: false,
  soundOn: true,
  picture: false,
  pictureOn: true,
};

/** No source: the list stays. */
export const nothingOn: Pick<State, 'kind' | 'file' | 'device'> = { kind: undefined, file: noFile, device: noDevice };

export const initial: State = {
  key: { phase: 'missing' },
  link: { phase: 'connecting' },
  room: undefined,
  name: { chosen: '' },
  kind: undefined,
  queue: emptyQueue,
  file: noFile,
  device: noDevice,
  devices: { camera: '', microphone: '' },
  live: false,
  stale: false,
  everUp: false,
  recoding: false,
  path: 'none',
  problem: '',
  stopped: false,
  owed: false,
  stream: 'idle',
  viewers: 0,
  roster: [],
  relaying: {},
  access: { password: false, embed: false },
  topology: 'sfu',
  title: '',
  settings: DEFAULTS,
  volume: 0.8,
  muted: false,
  hushed: false,
  hidden: false,
  note: undefined,
  resume: undefined,
  told: undefined,
};

/** What happens. */
export type Event =
  // The person
  | { kind: 'key'; key: string; remember: boolean }
  | { kind: 'forgetKey' }
  | { kind: 'added'; items: readonly Item[] }
  | { kind: 'removed'; id: string }
  | { kind: 'moved'; id: string; by: number }
  | { kind: 'picked'; id: string }
  | { kind: 'next' }
  | { kind: 'previous' }
  | { kind: 'loop'; on: boolean }
  | { kind: 'toggle' }
  | { kind: 'seekTo'; seconds: number }
  | { kind: 'chooseCamera'; devices?: Devices }
  | { kind: 'chooseScreen' }
  | { kind: 'deviceSound'; on: boolean }
  | { kind: 'devicePicture'; on: boolean }
  | { kind: 'name'; text: string }
  | { kind: 'goLive' }
  | { kind: 'stop' }
  | { kind: 'takeBack' }
  | { kind: 'title'; text: string }
  | { kind: 'settings'; settings: Settings }
  | { kind: 'topology'; topology: Topology }
  | { kind: 'listen'; volume: number; muted: boolean }
  | { kind: 'dismiss' }
  | { kind: 'continue' }
  | { kind: 'discard' }
  | { kind: 'command'; message: ClientMessage }
  // The page
  | { kind: 'begin'; key: string | undefined; kept: Kept; resume?: Remembered }
  /** The name that was asked for is open in another tab. */
  | { kind: 'nameInUse' }
  | { kind: 'hidden'; hidden: boolean }
  /** pending: files of the list that are still being opened; what is in neither is not there. */
  | { kind: 'restored'; ids: readonly string[]; pending?: readonly string[]; difference?: string }
  /** Pending files that could not be opened. */
  | { kind: 'missing'; ids: readonly string[] }
  /** Another file than the remembered one, knowingly. */
  | { kind: 'instead'; items: readonly Item[] }
  // Sources
  | { kind: 'loaded'; duration: number; picture: boolean; sound: boolean }
  | { kind: 'refused'; trouble: Trouble }
  | { kind: 'soundless'; trouble: Trouble }
  | { kind: 'playing' }
  | { kind: 'paused' }
  | { kind: 'seeking' }
  | { kind: 'seeked' }
  | { kind: 'position'; seconds: number }
  | { kind: 'duration'; seconds: number }
  | { kind: 'ended' }
  | { kind: 'mutedByBrowser' }
  | { kind: 'deviceOn'; source: 'camera' | 'screen'; device: DeviceFacts; devices: Devices }
  | { kind: 'deviceRefused'; trouble: Trouble | undefined }
  | { kind: 'deviceGone' }
  // The server
  | { kind: 'link'; link: Link }
  | { kind: 'restarted' }
  | { kind: 'message'; message: ServerMessage }
  | { kind: 'path'; status: PathStatus }
  | { kind: 'problem'; text: string };

/** What a camera or a screen has. */
export type DeviceFacts = Pick<DeviceState, 'sound' | 'picture' | 'silent'>;

/** What is kept however long ago it was (memory.ts). */
export interface Kept {
  /** The name that the person chose; '' when the server made it. */
  name: string;
  settings: Settings;
  topology: Topology;
  title: string;
  volume: number;
  muted: boolean;
  /** The server has not heard of the last stop. */
  owed: boolean;
}

/** What is kept for a reload (memory.ts). */
export interface Remembered {
  live: boolean;
  kind: SourceKind;
  queue: Queue;
  position: number;
  playing: boolean;
  devices: Devices;
  /** Camera or screen. */
  paused: boolean;
  soundOn: boolean;
  pictureOn: boolean;
  how: Resume['how'];
}

/** What is to be done, in this order. */
export type Effect =
  /** Greets the server with this key, anew if need be. remember: for more than this tab. */
  | { kind: 'connect'; key: string; remember: boolean }
  | { kind: 'identify'; change: { room?: { kind: 'stream'; name: string } } }
  /** Asks for that name, unless another tab has it. */
  | { kind: 'rename'; name: string }
  | { kind: 'keyWorks' }
  /** The server does not know it. */
  | { kind: 'keyWrong' }
  | { kind: 'keyForget' }
  | { kind: 'remember'; name: string }
  | { kind: 'tell'; message: ClientMessage }
  /** Opens the kept handles of the remembered files, after a click, that of the one that was on first. */
  | { kind: 'reopen' }
  | { kind: 'want'; want: boolean }
  /** New sessions with the latest token, settings and codec. */
  | { kind: 'renew' }
  | { kind: 'limits' }
  | StageEffect;

/** What is to be done with the source. */
export type StageEffect =
  | { kind: 'load'; id: string; at: number; play: boolean }
  | { kind: 'openDevice'; source: 'camera' | 'screen'; devices: Devices }
  | SimpleStageEffect;

export type SimpleStageEffect =
  | { kind: 'unload' }
  | { kind: 'play' }
  | { kind: 'pause' }
  | { kind: 'seek'; to: number }
  | { kind: 'listen'; volume: number; muted: boolean }
  | { kind: 'pauseDevice'; paused: boolean }
  | { kind: 'pictureDevice'; on: boolean }
  | { kind: 'soundDevice'; on: boolean };

export interface Next {
  state: State;
  effects: Effect[];
}

/** How a stream goes on the air: where another page has taken it over, the server is greeted anew first. */
export function onTheAir(state: State): Effect {
  return state.link.phase === 'replaced' ? { kind: 'identify', change: {} } : { kind: 'want', want: true };
}

/** A next state with effects. */
export function to(state: State, ...effects: Effect[]): Next {
  return { state, effects };
}
