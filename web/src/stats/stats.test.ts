import { describe, expect, it } from 'vitest';
import { derive } from './rates';
import { dtlsVersion, read } from './sample';
import type { Inbound, Snapshot } from './vocabulary';

const chromium = [
  {
    id: 'T01',
    type: 'transport',
    timestamp: 10_000,
    bytesReceived: 5000,
    bytesSent: 300,
    srtpCipher: 'SRTP_AEAD_AES_128_GCM',
    tlsVersion: 'FEFD',
    dtlsState: 'connected',
    selectedCandidatePairId: 'P2',
  },
  { id: 'P1', type: 'candidate-pair', timestamp: 10_000, nominated: false, state: 'in-progress' },
  {
    id: 'P2',
    type: 'candidate-pair',
    timestamp: 10_000,
    nominated: true,
    state: 'succeeded',
    currentRoundTripTime: 0.012,
    localCandidateId: 'L',
    remoteCandidateId: 'R',
  },
  { id: 'L', type: 'local-candidate', address: '192.0.2.20', port: 40000, protocol: 'udp', candidateType: 'prflx' },
  { id: 'R', type: 'remote-candidate', address: '192.0.2.7', port: 8080, protocol: 'udp', candidateType: 'host' },
  { id: 'C96', type: 'codec', mimeType: 'video/VP8' },
  {
    id: 'IV',
    type: 'inbound-rtp',
    timestamp: 10_000,
    kind: 'video',
    codecId: 'C96',
    packetsReceived: 100,
    bytesReceived: 90_000,
    packetsLost: 3,
    jitter: 0.004,
    framesDecoded: 60,
    framesDropped: 1,
    frameWidth: 640,
    frameHeight: 360,
    nackCount: 2,
    pliCount: 1,
    freezeCount: 1,
    retransmittedPacketsReceived: 2,
  },
];

describe('read', () => {
  it('finds tracks, codec, path and encryption', () => {
    const s = read(chromium);
    expect(s.at).toBe(10_000);
    expect(s.inbound).toHaveLength(1);
    expect(s.inbound[0]).toMatchObject({
      kind: 'video',
      codec: 'VP8',
      width: 640,
      framesDecoded: 60,
      nacks: 2,
      lost: 3,
    });
    expect(s.transport).toMatchObject({
      bytesIn: 5000,
      roundTrip: 0.012,
      srtpCipher: 'AEAD_AES_128_GCM',
      dtlsVersion: '1.2',
      local: { address: '192.0.2.20', port: 40000, protocol: 'udp', type: 'prflx' },
      remote: { address: '192.0.2.7', type: 'host' },
    });
  });

  it('counts at the pair where the transport counts nothing, as Firefox tells it', () => {
    const s = read([
      { id: 't', type: 'transport', timestamp: 1, selectedCandidatePairId: 'p' },
      { id: 'p', type: 'candidate-pair', bytesReceived: 900, bytesSent: 70 },
    ]);
    expect(s.transport).toMatchObject({ bytesIn: 900, bytesOut: 70 });
  });

  it('finds the pair without a transport, as some browsers tell it', () => {
    const s = read([
      {
        id: 'a',
        type: 'candidate-pair',
        nominated: true,
        state: 'succeeded',
        bytesReceived: 1,
        remoteCandidateId: 'x',
      },
      { id: 'b', type: 'candidate-pair', selected: true, bytesReceived: 900, remoteCandidateId: 'R' },
      { id: 'R', type: 'remote-candidate', ip: '192.0.2.7', port: 1 },
    ]);
    expect(s.transport).toMatchObject({ bytesIn: 900, remote: { address: '192.0.2.7', port: 1 } });
  });

  it('reads what is sent, with what the other side says of it', () => {
    const s = read([
      {
        id: 'O',
        type: 'outbound-rtp',
        kind: 'video',
        rid: 'h',
        packetsSent: 10,
        bytesSent: 1000,
        qualityLimitationReason: 'cpu',
      },
      { id: 'X', type: 'remote-inbound-rtp', localId: 'O', packetsLost: 4, fractionLost: 0.1, roundTripTime: 0.05 },
    ]);
    expect(s.outbound[0]).toMatchObject({
      rid: 'h',
      remoteLost: 4,
      remoteFractionLost: 0.1,
      roundTrip: 0.05,
      limitedBy: 'cpu',
    });
  });

  it('takes nothing for granted', () => {
    expect(read([])).toEqual({ at: 0, inbound: [], outbound: [], transport: { bytesIn: 0, bytesOut: 0 } });
    const s = read([
      { id: 'I', type: 'inbound-rtp', packetsReceived: 'many', jitter: Number.NaN, qualityLimitationReason: 7 },
    ]);
    expect(s.inbound[0]).toMatchObject({ packets: 0, jitter: 0 });
    expect(s.inbound[0]).not.toHaveProperty('codec');
  });

  it.each([
    ['FEFF', '1.0'],
    ['fefd', '1.2'],
    ['FEFC', '1.3'],
    ['0304', '0304'],
    [undefined, undefined],
  ])('DTLS %s', (hex, want) => {
    expect(dtlsVersion(hex)).toBe(want);
  });
});

function snapshot(at: number, over: Partial<Inbound> = {}, bytesIn = 0): Snapshot {
  const [track] = read(chromium).inbound;
  if (!track) throw new Error('no track');
  return { at, inbound: [{ ...track, ...over }], outbound: [], transport: { bytesIn, bytesOut: 0 } };
}

describe('derive', () => {
  it('makes rates of two snapshots', () => {
    const a = snapshot(1_000, { bytes: 0, packets: 0, lost: 0, framesDecoded: 0, bufferDelay: 1, bufferEmitted: 10 });
    const b = snapshot(
      3_000,
      { bytes: 250_000, packets: 190, lost: 10, framesDecoded: 60, bufferDelay: 3, bufferEmitted: 50 },
      500_000,
    );
    const f = derive(a, b);
    expect(f.bitrateIn).toBe(2_000_000);
    expect(f.tracks[0]).toMatchObject({ bitrate: 1_000_000, packetRate: 95, frameRate: 30, loss: 0.05, buffer: 0.05 });
  });

  it('has counts and no rates with one snapshot alone', () => {
    const f = derive(undefined, snapshot(1_000));
    expect(f.tracks[0]).toMatchObject({ bitrate: 0, frameRate: 0, frames: 60 });
  });

  it('does not go negative when counters run backwards', () => {
    const f = derive(
      snapshot(1_000, { bytes: 9e6, lost: 20 }, 9e6),
      snapshot(2_000, { bytes: 10, lost: 15, packets: 200 }, 10),
    );
    expect(f.bitrateIn).toBe(0);
    expect(f.tracks[0]).toMatchObject({ bitrate: 0, loss: 0 });
  });

  it('knows no loss where nothing was expected', () => {
    const same = snapshot(1_000);
    expect(derive(same, { ...same, at: 2_000 }).tracks[0]?.loss).toBeUndefined();
  });
});
