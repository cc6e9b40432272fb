// The app's one vocabulary of statistics. Everything that shows, logs or tests a figure reads
// it from here; sample.ts is the only place that knows the names of getStats, but for one question of
// mesh/peer/conn.ts: the pages of files need nothing else of all this, and do not carry it.
// Counters only grow during one connection; a Snapshot is all of them at one moment.

export type Kind = 'audio' | 'video';

/** What both directions of a track have. Absent members are not told by this browser. */
interface Track {
  kind: Kind;
  /** The browser's identifier of the RTP stream, to pair two snapshots. */
  id: string;
  rid?: string;
  codec?: string; // "VP8", "opus"
  packets: number;
  bytes: number; // payload
  nacks: number;
  plis: number;
  firs: number;
  retransmittedPackets: number;
  width?: number;
  height?: number;
}

/** What arrives. */
export interface Inbound extends Track {
  direction: 'in';
  lost: number; // packets; may fall when late ones arrive
  discarded: number; // packets
  jitter: number; // s
  /** Sum of the seconds that samples or frames waited in the jitter buffer, and how many did. */
  bufferDelay: number;
  bufferEmitted: number;
  framesDecoded: number;
  framesDropped: number;
  decodeTime: number; // s, sum
  keyFrames: number;
  freezes: number;
  frozen: number; // s
  samples: number; // audio samples played
  concealed: number; // of which made up
  level?: number; // 0…1
}

/** What is sent. */
export interface Outbound extends Track {
  direction: 'out';
  framesEncoded: number;
  keyFrames: number;
  framesSent: number;
  /** As the other side tells it. */
  remoteLost: number;
  remoteFractionLost?: number; // 0…1 of the last report
  remoteJitter?: number; // s
  roundTrip?: number; // s
  target?: number; // bit/s, of the encoder
  scalability?: string;
  /** Why the picture is not better. */
  limitedBy?: 'none' | 'cpu' | 'bandwidth' | 'other';
  encodeTime: number; // s, sum
  /** The encoder's own name, where the browser tells it: "libvpx". */
  encoder?: string;
}

export interface Address {
  address: string;
  port: number;
  protocol: string; // "udp"
  type: string; // host, srflx, prflx, relay
}

/** The path under the tracks. */
export interface Transport {
  bytesIn: number;
  bytesOut: number;
  roundTrip?: number; // s, of the last connectivity check
  available?: number; // bit/s outgoing, as estimated by the browser
  srtpCipher?: string; // "AEAD_AES_128_GCM"
  dtlsVersion?: string; // "1.2"
  dtlsCipher?: string;
  dtlsState?: string;
  iceState?: string;
  local?: Address;
  remote?: Address;
}

export interface Snapshot {
  /** ms, by the clock of the statistics. */
  at: number;
  inbound: Inbound[];
  outbound: Outbound[];
  transport: Transport;
}

export const emptySnapshot: Snapshot = {
  at: 0,
  inbound: [],
  outbound: [],
  transport: { bytesIn: 0, bytesOut: 0 },
};
