// Reads RTCStatsReport (W3C webrtc-stats) into the vocabulary. Both browsers leave members out;
// nothing here is taken for granted.

import type { Address, Inbound, Kind, Outbound, Snapshot, Transport } from './vocabulary';

type Entry = Record<string, unknown> & { id: string; type: string };

/** Takes one snapshot of a connection. An already closed one gives an empty snapshot. */
export async function sample(connection: Pick<RTCPeerConnection, 'getStats'>): Promise<Snapshot> {
  const entries: Entry[] = [];
  const report = await connection.getStats();
  report.forEach((entry: unknown) => {
    entries.push(entry as Entry);
  });
  return read(entries);
}

/** The pure part: entries of one report → one snapshot. */
export function read(entries: readonly Entry[]): Snapshot {
  const byId = new Map(entries.map((e) => [e.id, e]));
  const snapshot: Snapshot = {
    at: entries.reduce((latest, e) => Math.max(latest, num(e, 'timestamp')), 0),
    inbound: [],
    outbound: [],
    transport: readTransport(entries, byId),
  };
  for (const e of entries) {
    if (e.type === 'inbound-rtp') snapshot.inbound.push(readInbound(e, byId));
    else if (e.type === 'outbound-rtp') snapshot.outbound.push(readOutbound(e, byId, entries));
  }
  return snapshot;
}

function readInbound(e: Entry, byId: Map<string, Entry>): Inbound {
  return {
    ...readTrack(e, byId, 'packetsReceived', 'bytesReceived', 'retransmittedPacketsReceived'),
    direction: 'in',
    lost: num(e, 'packetsLost'),
    discarded: num(e, 'packetsDiscarded'),
    jitter: num(e, 'jitter'),
    bufferDelay: num(e, 'jitterBufferDelay'),
    bufferEmitted: num(e, 'jitterBufferEmittedCount'),
    framesDecoded: num(e, 'framesDecoded'),
    framesDropped: num(e, 'framesDropped'),
    decodeTime: num(e, 'totalDecodeTime'),
    keyFrames: num(e, 'keyFramesDecoded'),
    freezes: num(e, 'freezeCount'),
    frozen: num(e, 'totalFreezesDuration'),
    samples: num(e, 'totalSamplesReceived'),
    concealed: num(e, 'concealedSamples'),
    ...some('level', maybe(e, 'audioLevel')),
  };
}

function readOutbound(e: Entry, byId: Map<string, Entry>, entries: readonly Entry[]): Outbound {
  const remote =
    byId.get(str(e, 'remoteId') ?? '') ?? entries.find((r) => r.type === 'remote-inbound-rtp' && r.localId === e.id);
  const limited = str(e, 'qualityLimitationReason');
  return {
    ...readTrack(e, byId, 'packetsSent', 'bytesSent', 'retransmittedPacketsSent'),
    direction: 'out',
    framesEncoded: num(e, 'framesEncoded'),
    keyFrames: num(e, 'keyFramesEncoded'),
    framesSent: num(e, 'framesSent'),
    encodeTime: num(e, 'totalEncodeTime'),
    remoteLost: remote ? num(remote, 'packetsLost') : 0,
    ...some('remoteFractionLost', remote && maybe(remote, 'fractionLost')),
    ...some('remoteJitter', remote && maybe(remote, 'jitter')),
    ...some('roundTrip', remote && maybe(remote, 'roundTripTime')),
    ...some('target', maybe(e, 'targetBitrate')),
    ...some('scalability', str(e, 'scalabilityMode')),
    ...some('encoder', str(e, 'encoderImplementation')),
    ...some('limitedBy', isLimit(limited) ? limited : undefined),
  };
}

function readTrack(e: Entry, byId: Map<string, Entry>, packets: string, bytes: string, again: string) {
  const mime = str(byId.get(str(e, 'codecId') ?? ''), 'mimeType');
  return {
    kind: (e.kind === 'audio' ? 'audio' : 'video') as Kind,
    id: e.id,
    packets: num(e, packets),
    bytes: num(e, bytes),
    nacks: num(e, 'nackCount'),
    plis: num(e, 'pliCount'),
    firs: num(e, 'firCount'),
    retransmittedPackets: num(e, again),
    ...some('rid', str(e, 'rid')),
    ...some('codec', mime?.split('/')[1]),
    ...some('width', maybe(e, 'frameWidth')),
    ...some('height', maybe(e, 'frameHeight')),
  };
}

function readTransport(entries: readonly Entry[], byId: Map<string, Entry>): Transport {
  const transport = entries.find((e) => e.type === 'transport');
  const pair = selectedPair(entries, byId.get(str(transport, 'selectedCandidatePairId') ?? ''));
  return {
    // Firefox counts at the pair alone.
    bytesIn: num(transport, 'bytesReceived') || num(pair, 'bytesReceived'),
    bytesOut: num(transport, 'bytesSent') || num(pair, 'bytesSent'),
    ...some('roundTrip', pair && maybe(pair, 'currentRoundTripTime')),
    ...some('available', pair && maybe(pair, 'availableOutgoingBitrate')),
    // Some say "SRTP_AEAD_AES_128_GCM", some leave the first word out.
    ...some('srtpCipher', str(transport, 'srtpCipher')?.replace(/^SRTP_/, '')),
    ...some('dtlsVersion', dtlsVersion(str(transport, 'tlsVersion'))),
    ...some('dtlsCipher', str(transport, 'dtlsCipher')),
    ...some('dtlsState', str(transport, 'dtlsState')),
    ...some('iceState', str(transport, 'iceState')),
    ...some('local', address(byId.get(str(pair, 'localCandidateId') ?? ''))),
    ...some('remote', address(byId.get(str(pair, 'remoteCandidateId') ?? ''))),
  };
}

/** The transport names its pair; Firefox marks it as "selected"; else it is the nominated one that carries most. */
function selectedPair(entries: readonly Entry[], named: Entry | undefined): Entry | undefined {
  if (named) return named;
  const pairs = entries.filter((e) => e.type === 'candidate-pair');
  const chosen = pairs.filter((e) => e.selected === true || (e.nominated === true && e.state === 'succeeded'));
  return chosen.sort(
    (a, b) => num(b, 'bytesReceived') + num(b, 'bytesSent') - num(a, 'bytesReceived') - num(a, 'bytesSent'),
  )[0];
}

function address(e: Entry | undefined): Address | undefined {
  if (!e) return undefined;
  return {
    address: str(e, 'address') ?? str(e, 'ip') ?? '',
    port: num(e, 'port'),
    protocol: str(e, 'protocol') ?? '',
    type: str(e, 'candidateType') ?? '',
  };
}

/** The statistics tell the version as four hexadecimal digits (RFC 6347: FEFD is DTLS 1.2; RFC 9147: FEFC is 1.3). */
export function dtlsVersion(hex: string | undefined): string | undefined {
  switch (hex?.toUpperCase()) {
    case 'FEFF':
      return '1.0';
    case 'FEFD':
      return '1.2';
    case 'FEFC':
      return '1.3';
    default:
      return hex || undefined;
  }
}

function isLimit(value: string | undefined): value is 'none' | 'cpu' | 'bandwidth' | 'other' {
  return value === 'none' || value === 'cpu' || value === 'bandwidth' || value === 'other';
}

function maybe(e: Entry, name: string): number | undefined {
  const value = e[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function num(e: Entry | undefined, name: string): number {
  return (e && maybe(e, name)) ?? 0;
}

function str(e: Entry | undefined, name: string): string | undefined {
  const value = e?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** An object with the member when there is a value, else without it. */
function some<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V });
}
