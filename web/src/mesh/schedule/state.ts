// What a scheduler knows. The files beside this one each own a part of it.

import { MeshError } from '../error';
import type { RejectReason } from '../wire';
import { type Chance, MAX_PEERS, Meter, type Peer, PeerSet, PeerState, type Request } from './peers';

/** How what is shared is cut, in bytes. The last piece and its last leaf may be shorter. */
export interface Shape {
  size: number;
  piece: number;
  leaf: number;
}

/** Fixed for a transfer. */
export interface Config extends Shape {
  /** Bytes of leaves that are asked for and have not come: at one peer, and at all of them. */
  pair: number;
  budget: number;
  /** How long a peer that was asked may send nothing before others are asked (ms). */
  stall: number;
  /** Makes the uploader: it has everything, and shows each piece to one peer before it shows anything to all. */
  uniqueFirst: boolean;
}

/** The limits of docs/MESH.md, section 8. */
export const defaultConfig = (shape: Shape): Config => ({
  ...shape,
  pair: 16 * 1024 * 1024,
  budget: 48 * 1024 * 1024,
  stall: 20_000,
  uniqueFirst: false,
});

/** A frame to be sent to a peer (docs/MESH.md, section 6). */
export type Action =
  | { kind: 'have'; peer: Peer; first: number; count: number }
  | { kind: 'want' | 'cancel'; peer: Peer; piece: number; first: number; count: number }
  | { kind: 'reject'; peer: Peer; piece: number; first: number; count: number; reason: RejectReason };

/** What another peer's frame breaks. Its channel is to be closed. */
export class ScheduleError extends MeshError {}

export const noSuchLeaf = (): ScheduleError => new ScheduleError('no such piece or leaf');
export const tooMuch = (): ScheduleError => new ScheduleError('more is asked for than one peer may');

export interface Leaf {
  here: boolean;
  /** Who was asked for it. */
  askers: PeerSet;
}

/** What is known of one piece. */
export class Piece {
  held = false;
  wanted = true;
  /** Who shows it to us. */
  readonly shown = new PeerSet();
  /** undefined unless it was begun and is not whole. */
  leaves: Leaf[] | undefined;
  /** Leaves that are not here, and those of them that nobody was asked for. */
  missing: number;
  unasked: number;
  /** Its place in the order; bucket is -1 unless it is open. */
  bucket = -1;
  at = 0;
  /** Its place among those begun. */
  begun = 0;
  /** To whom we sent it or are sending it, and who does not show it yet. */
  readonly sentTo = new PeerSet();

  // As the uploader.
  /** To whom we showed it. */
  readonly shownTo = new PeerSet();
  /** How many leaves of it went out, since it has this carrier, and in all. */
  sent = 0;
  gone = 0;
  /** Who was shown it last or has asked for it, until somebody else has it, or everybody was shown it and nobody asked. */
  carrier: Peer | undefined;
  /** It is to be shown to another. */
  again = false;

  constructor(leaves: number) {
    this.missing = leaves;
    this.unasked = leaves;
  }
}

/** A request that is being served. */
export interface Turn extends Request {
  peer: Peer;
}

/** A piece that was shown to one peer and has not gone out. */
export interface Shown {
  piece: number;
  peer: Peer;
  /** Since when the peer is waited for (ms; undefined: since now), and whether it has asked for the piece. */
  at: number | undefined;
  asked: boolean;
}

/** How many pieces the uploader shows that have not gone out, before it knows how much its line takes. */
const SHOW_FIRST = 3;

export class State {
  readonly config: Config;
  readonly chance: Chance;
  readonly peers: PeerState[] = Array.from({ length: MAX_PEERS }, () => new PeerState());
  readonly here = new PeerSet();
  /** Those of them who have said that they leave. */
  readonly going = new PeerSet();
  readonly pieces: readonly Piece[];
  /** What facts caused, until it is asked for. */
  out: Action[] = [];

  // As a receiver.
  /** Open pieces by class and number of copies. */
  readonly buckets: number[][] = [];
  /** Pieces with leaves. */
  readonly begun: number[] = [];
  held = 0;
  /** The piece that was picked last; before the first none that is followed by another. */
  picked: number;
  /** Wanted pieces that are not whole, and pieces that no other peer shows. */
  missing: number;
  lonely: number;
  /** Bytes asked for that have not come. */
  asked = 0;
  /** The window in front of a player, pieces first to end-1. */
  playing = { first: 0, end: 0 };

  // As a sender.
  turns: Turn[] = [];
  /** The number of the last turn. */
  turn = 0;
  /** Leaves that the caller is sending. */
  handed = 0;
  readonly sent = new Meter();

  /** As the uploader: which piece it shows to whom. */
  readonly showing = {
    /** Pieces from here on were shown to nobody. */
    next: 0,
    /** Pieces whose receiver has left or did not ask. */
    again: [] as number[],
    pending: [] as Shown[],
    /** How many of those there may be, at least. */
    ahead: SHOW_FIRST,
    /** When a leaf last went out for the first time, or everything had (ms). */
    out: undefined as number | undefined,
    /** When it was last looked at how what went out spreads (ms), and how many pieces the others lacked then, summed over them. */
    looked: undefined as number | undefined,
    lacked: 0,
    /** Everything is shown to everybody. */
    all: false,
  };

  constructor(config: Config, chance: Chance) {
    const { pair, budget, leaf } = config;
    this.config = { ...config, pair: Math.max(pair, leaf), budget: Math.max(budget, leaf) };
    this.chance = chance;
    const pieces = Math.ceil(config.size / config.piece);
    this.pieces = Array.from({ length: pieces }, (_, i) => new Piece(this.leavesOf(i)));
    this.missing = pieces;
    this.lonely = pieces;
    this.picked = pieces;
  }

  peer(p: Peer): PeerState {
    return this.peers[p] as PeerState;
  }

  piece(i: number): Piece {
    return this.pieces[i] as Piece;
  }

  leavesOf(piece: number): number {
    return Math.ceil(this.bytesOf(piece) / this.config.leaf);
  }

  leafBytes(piece: number, leaf: number): number {
    return Math.min(this.config.leaf, this.bytesOf(piece) - leaf * this.config.leaf);
  }

  bytesOf(piece: number): number {
    return Math.min(this.config.piece, this.config.size - piece * this.config.piece);
  }

  /** Throws ScheduleError unless there are such leaves. */
  mustHave(piece: number, first: number, count: number): void {
    if (!this.exists(piece, first, count)) throw noSuchLeaf();
  }

  exists(piece: number, first: number, count: number): boolean {
    return (
      piece >= 0 && piece < this.pieces.length && first >= 0 && count >= 1 && count <= this.leavesOf(piece) - first
    );
  }
}
