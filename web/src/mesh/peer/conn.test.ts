import { afterEach, describe, expect, it, vi } from 'vitest';
import { Conn } from './conn';

/** A connection of which nothing is ever settled, as of one that was closed. */
class Silent extends EventTarget {
  connectionState = 'new';
  readonly never = (): Promise<never> => new Promise(() => undefined);
  readonly createOffer = this.never;
  readonly setRemoteDescription = this.never;
  readonly addIceCandidate = this.never;
  readonly channels: EventTarget[] = [];

  createDataChannel(): EventTarget {
    const channel = Object.assign(new EventTarget(), { readyState: 'connecting', bufferedAmount: 0 });
    this.channels.push(channel);
    return channel;
  }

  close(): void {
    this.connectionState = 'closed';
  }
}

function silent() {
  const made: Silent[] = [];
  vi.stubGlobal(
    'RTCPeerConnection',
    class extends Silent {
      constructor() {
        super();
        made.push(this);
      }
    },
  );
  const gone = vi.fn();
  const ready = vi.fn();
  const conn = new Conn({} as RTCCertificate, [], { found: () => undefined, ready, gone });
  return { conn, gone, ready, pc: made[0] as Silent };
}

describe('a connection', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('tells whoever waits for it that it was closed, since browsers do not', async () => {
    const { conn } = silent();
    const waiting = [conn.offer(), conn.answer('v=0'), conn.accept('v=0')].map((work) =>
      expect(work).rejects.toThrow(),
    );
    const candidate = conn.candidate('candidate:1');
    conn.close();
    await Promise.all(waiting);
    await candidate;
  });

  it('is ready when both channels are, and gone once', () => {
    const { gone, ready, pc } = silent();
    pc.channels[0]?.dispatchEvent(new Event('open'));
    expect(ready).not.toHaveBeenCalled();
    pc.channels[1]?.dispatchEvent(new Event('open'));
    expect(ready).toHaveBeenCalledOnce();
    for (const channel of pc.channels) channel.dispatchEvent(new Event('close'));
    expect(gone).toHaveBeenCalledOnce();
  });

  it('tells a newcomer of an end that has come', () => {
    const { conn } = silent();
    conn.close();
    const late = vi.fn();
    conn.onGone(late);
    expect(late).toHaveBeenCalledOnce();
  });

  it('is relayed where either end is that of a TURN server, once there is a path', async () => {
    const { conn, pc } = silent();
    const told = (...stats: { id: string; type: string; [member: string]: unknown }[]) => {
      Object.assign(pc, { getStats: async () => new Map(stats.map((one) => [one.id, one])) });
      return conn.relayed();
    };
    const pair = { id: 'p', type: 'candidate-pair', state: 'succeeded', localCandidateId: 'l', remoteCandidateId: 'r' };
    const local = { id: 'l', type: 'local-candidate', candidateType: 'host' };
    const remote = { id: 'r', type: 'remote-candidate', candidateType: 'relay' };
    expect(await told(pair, local, remote)).toBeUndefined();
    expect(await told({ ...pair, nominated: true }, local, remote)).toBe(true);
    expect(await told({ ...pair, nominated: true }, local, { ...remote, candidateType: 'srflx' })).toBe(false);
  });

  it('hands on every message once, whoever listens when', () => {
    const { conn, pc } = silent();
    const control = pc.channels[0] as EventTarget;
    const say = (byte: number): void => {
      control.dispatchEvent(Object.assign(new Event('message'), { data: Uint8Array.of(byte).buffer }));
    };
    const heard: number[] = [];
    say(1);
    say(2);
    conn.control.once(([byte]) => heard.push(byte as number));
    say(3);
    conn.control.listen(([byte]) => heard.push(byte as number));
    say(4);
    expect(heard).toEqual([1, 2, 3, 4]);
  });
});
