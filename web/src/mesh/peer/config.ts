// What a peer is told at its start, and what it tells.

import type { Link as Connection } from '../../signal/core';
import type { Bytes } from '../bytes';
import type { Link } from '../link';
import type { Manifest } from '../manifest';
import type { Reason } from '../messages';
import type { Revocations } from '../token';
import type { Root } from './content';
import type { Guest, Rule } from './door';
import type { Identity } from './identity';
import type { Sink } from './sink';

/** One of share and fetch is there. */
export interface Config {
  link: Link;
  identity: Identity;
  share?: Share;
  fetch?: Fetch;
  tell(event: Event): void;
}

/** Makes the uploader. */
export interface Share {
  keys: CryptoKeyPair;
  /** What the server knows the uploader by: a publish key, or a secret of its own. */
  owner: string;
  manifest: Manifest;
  /** The files of the manifest that are no folders or empty, by their place in it. */
  files: ReadonlyMap<number, Blob>;
  rule: Rule;
  /** ms since the epoch. */
  expires: number;
  /** What it knew before a reload. */
  before?: Before;
}

/** What an uploader has to know again after a reload. */
export interface Before {
  guests: readonly Guest[];
  revoked: Revocations;
  /** Of the pieces that went out: what is served from now on has to be the same. */
  roots: ReadonlyMap<number, Root>;
}

/** Makes a receiver. */
export interface Fetch {
  /** What the uploader is shown. */
  name: string;
  password: string;
}

/** A manifest that the uploader has signed. */
export interface Offered {
  manifest: Manifest;
  id: Bytes;
}

/** What a receiver takes of what is offered. */
export interface Accepted {
  sink: Sink;
  /** Places of files in the manifest. */
  wanted: ReadonlySet<number>;
  /** Pieces that the sink has from an earlier time. */
  whole: ReadonlyMap<number, Root>;
}

/** Why a transfer has ended without everything. */
export type End =
  | { kind: 'refused'; reason: Reason }
  /** The source has changed at the uploader. */
  | { kind: 'changed' }
  /** The manifest, though signed, is none that can be taken. */
  | { kind: 'manifest' }
  /** What came could not be stored, perhaps for want of room. */
  | { kind: 'storage'; full: boolean };

export type Event =
  | { kind: 'connection'; connection: Connection }
  /** The room is open. server: its address for others, empty where it has none. */
  | { kind: 'opened'; server: string }
  /** When the room ends, by the server's word (ms since the epoch). */
  | { kind: 'expires'; at: number }
  | { kind: 'code'; text: string; until: number }
  | { kind: 'codeEnded'; guessed: boolean }
  /** Somebody waits to be let in; Peer.decide answers. */
  | { kind: 'asked'; key: string; name: string }
  | { kind: 'admitted'; key: string; name: string }
  /** Somebody had been let in and has no place; as all are taken, that was taken back. */
  | { kind: 'putBack'; key: string }
  /** Others cannot be told of all that was taken back, and may go on serving those. */
  | { kind: 'untold' }
  /** A receiver has all that it wants; it may have left in the same moment. */
  | { kind: 'complete'; key: string }
  /** Something has changed of what Peer.known gives, but for roots. */
  | { kind: 'guests' }
  /** A root was signed here. */
  | { kind: 'signed'; piece: number; root: Root }
  /** The uploader's person has to decide about us. */
  | { kind: 'waits' }
  /** A password is asked for, or the one that was given is wrong. */
  | { kind: 'password'; wrong: boolean }
  /** Somebody shows a card that is not of the key in the link. */
  | { kind: 'stranger' }
  | { kind: 'offered'; offered: Offered }
  /** A piece is whole, and handed to the sink. */
  | { kind: 'stored'; piece: number; root: Root }
  | { kind: 'finished' }
  /** A peer was dropped for good, since it sent what was not shared. */
  | { kind: 'wrong' }
  /** A file cannot be read any more. */
  | { kind: 'unreadable'; changed: boolean }
  | { kind: 'ended'; end: End };

/** Why nothing comes. */
export type Stall =
  | 'no-server'
  | 'no-uploader'
  | 'no-answer'
  | 'not-linked'
  | 'no-list'
  | 'no-piece'
  | 'paused'
  | 'quiet'
  /** Those who could send are hidden, and slowed by their browsers. */
  | 'hidden'
  /** What has come waits for the disk, or for the browser's download. */
  | 'disk'
  | 'download';

export interface PeerStatus {
  /** Hexadecimal digits of its agreement key. */
  key: string;
  name: string;
  uploader: boolean;
  /** Pieces that it has, by its own word. */
  held: number;
  complete: boolean;
  /** Bytes a second, by its own word. */
  up: number;
  down: number;
  /** Why it gets nothing, by its own word. */
  state: 'running' | 'paused' | 'disk-full' | 'waiting' | 'hidden' | 'complete' | 'leaving';
  relayed: boolean | undefined;
  /** Bytes of leaves to it and from it. */
  sent: number;
  taken: number;
  /** Bytes of leaves a second from it, as measured here. */
  rate: number;
}

/** How it goes. Bytes are those of files, verified. */
export interface Status {
  online: boolean;
  peers: readonly PeerStatus[];
  pieces: number;
  /** What is wanted, and what of it is here. */
  total: number;
  held: number;
  sent: number;
  /** Bytes a second. */
  up: number;
  down: number;
  /** The others have every piece among them. */
  safe: boolean;
  stall: Stall | undefined;
  finished: boolean;
}
