// What happened between two snapshots, as rates and shares. Pure.

import type { Inbound, Kind, Outbound, Snapshot, Transport } from './vocabulary';

/** Figures of one track over the interval. */
export interface TrackRates {
  kind: Kind;
  direction: 'in' | 'out';
  codec?: string;
  rid?: string;
  width?: number;
  height?: number;
  bitrate: number; // bit/s of payload
  packetRate: number; // 1/s
  /** Frames decoded or encoded a second; 0 for sound. */
  frameRate: number;
  /** Share of the packets lost on the way, 0…1; undefined when nothing was expected. */
  loss: number | undefined;
  jitter: number | undefined; // s
  /** Mean time in the jitter buffer over the interval, s (inbound only). */
  buffer: number | undefined;
  /** Whole counts since the start. */
  packets: number;
  lost: number;
  nacks: number;
  plis: number;
  retransmitted: number;
  frames: number;
  dropped: number;
  freezes: number;
  /** Share of the sound that was made up because packets were late or lost, 0…1. */
  concealed: number | undefined;
  limitedBy?: Outbound['limitedBy'];
}

export interface Figures {
  tracks: TrackRates[];
  transport: Transport;
  bitrateIn: number; // bit/s, everything
  bitrateOut: number;
  /** s */
  roundTrip: number | undefined;
}

/**
 * Figures from two snapshots of one connection. Without an earlier one, or when counters ran
 * backwards (another connection), the rates are 0 and the counts are those of the later one.
 */
export function derive(earlier: Snapshot | undefined, later: Snapshot): Figures {
  const seconds = earlier ? (later.at - earlier.at) / 1000 : 0;
  const rate = (a: number | undefined, b: number): number =>
    a === undefined || seconds <= 0 || b < a ? 0 : (b - a) / seconds;
  const tracks = [
    ...later.inbound.map((t) => inbound(find(earlier?.inbound, t), t, rate)),
    ...later.outbound.map((t) => outbound(find(earlier?.outbound, t), t, rate)),
  ];
  return {
    tracks,
    transport: later.transport,
    bitrateIn: 8 * rate(earlier?.transport.bytesIn, later.transport.bytesIn),
    bitrateOut: 8 * rate(earlier?.transport.bytesOut, later.transport.bytesOut),
    roundTrip: later.transport.roundTrip ?? later.outbound.find((t) => t.roundTrip !== undefined)?.roundTrip,
  };
}

type Rate = (a: number | undefined, b: number) => number;

function find<T extends { id: string }>(list: readonly T[] | undefined, track: T): T | undefined {
  return list?.find((t) => t.id === track.id);
}

function common(before: Inbound | Outbound | undefined, t: Inbound | Outbound, rate: Rate) {
  return {
    kind: t.kind,
    direction: t.direction,
    ...(t.codec === undefined ? {} : { codec: t.codec }),
    ...(t.rid === undefined ? {} : { rid: t.rid }),
    ...(t.width === undefined ? {} : { width: t.width }),
    ...(t.height === undefined ? {} : { height: t.height }),
    bitrate: 8 * rate(before?.bytes, t.bytes),
    packetRate: rate(before?.packets, t.packets),
    packets: t.packets,
    nacks: t.nacks,
    plis: t.plis,
    retransmitted: t.retransmittedPackets,
  };
}

function inbound(before: Inbound | undefined, t: Inbound, rate: Rate): TrackRates {
  const emitted = t.bufferEmitted - (before?.bufferEmitted ?? 0);
  return {
    ...common(before, t, rate),
    frameRate: rate(before?.framesDecoded, t.framesDecoded),
    loss: share(t.lost - (before?.lost ?? 0), t.packets - (before?.packets ?? 0)),
    lost: t.lost,
    jitter: t.jitter,
    buffer: emitted > 0 ? (t.bufferDelay - (before?.bufferDelay ?? 0)) / emitted : undefined,
    frames: t.framesDecoded,
    dropped: t.framesDropped,
    freezes: t.freezes,
    concealed: part(t.concealed - (before?.concealed ?? 0), t.samples - (before?.samples ?? 0)),
  };
}

function outbound(before: Outbound | undefined, t: Outbound, rate: Rate): TrackRates {
  return {
    ...common(before, t, rate),
    frameRate: rate(before?.framesEncoded, t.framesEncoded),
    loss: t.remoteFractionLost,
    lost: t.remoteLost,
    jitter: t.remoteJitter,
    buffer: undefined,
    frames: t.framesEncoded,
    dropped: 0,
    freezes: 0,
    concealed: undefined,
    ...(t.limitedBy === undefined ? {} : { limitedBy: t.limitedBy }),
  };
}

/** Lost of all that should have come. Late packets can make the count fall: that is no loss. */
function share(lost: number, got: number): number | undefined {
  const missing = Math.max(0, lost);
  return missing + got > 0 ? missing / (missing + got) : undefined;
}

function part(some: number, all: number): number | undefined {
  return all > 0 ? Math.min(1, Math.max(0, some) / all) : undefined;
}
