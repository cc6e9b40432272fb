import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failedWords, HttpSender, RECORD, type RecordState, typeFor } from './record';

/** One turn of the event loop, whatever stands in for the clock. */
function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((done) => {
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(0);
  });
}

/** What the sender began is done, but for what waits for its time: blobs are read in several turns. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

describe('what is recorded', () => {
  it('is what every browser plays, where the browser can make that', () => {
    expect(typeFor(true, () => true)).toBe('video/webm;codecs=vp8,opus');
    expect(typeFor(false, () => true)).toBe('video/webm;codecs=vp8');
    expect(typeFor(true, (t) => t.startsWith('video/mp4'))).toBe('video/mp4;codecs=avc1.42E01E,mp4a.40.2');
    expect(typeFor(true, (t) => t === 'video/mp4')).toBe('video/mp4');
    expect(typeFor(true, () => false)).toBeUndefined();
  });
});

/** A recorder that hands out one piece at once. */
class Recorder extends EventTarget {
  static records = true;
  static isTypeSupported = (): boolean => Recorder.records;
  readonly mimeType = 'video/webm';
  state = 'recording';
  start(): void {
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob(['piece']) }));
  }
  stop(): void {
    this.state = 'inactive';
  }
}

/** A sender before a server that answers so, what it posted, and what became of it. */
function sender(status: number): { sender: HttpSender; posted: string[]; states: RecordState[] } {
  const posted: string[] = [];
  const states: RecordState[] = [];
  const made = new HttpSender({
    url: () => '/record/film',
    token: () => undefined,
    tracks: () => ({ video: { kind: 'video', readyState: 'live' } as MediaStreamTrack, audio: null }),
    bitrate: () => undefined,
    onState: (state) => states.push(state),
    fetch: async (url) => {
      posted.push(url);
      return new Response(null, { status });
    },
  });
  return { sender: made, posted, states };
}

describe('what does not arrive', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('MediaRecorder', Recorder);
    vi.stubGlobal('MediaStream', class {});
    Recorder.records = true;
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is tried again, after a while', async () => {
    const { sender: s, posted, states } = sender(503);
    s.want(true);
    await settled();
    vi.advanceTimersByTime(RECORD.pause - 1);
    await settled();
    expect(posted).toHaveLength(1);
    const failed = states.at(-1);
    expect(failed).toMatchObject({ kind: 'failed', final: false });
    expect(failed?.kind === 'failed' && failedWords(failed)).toMatch(/tried again/);
    vi.advanceTimersByTime(1);
    await settled();
    expect(posted).toHaveLength(2);
    s.close();
  });

  it('is not, where the server takes no plain HTTP', async () => {
    const { sender: s, posted, states } = sender(501);
    s.want(true);
    await settled();
    vi.advanceTimersByTime(10 * RECORD.pause);
    await settled();
    expect(posted).toHaveLength(1);
    const failed = states.at(-1);
    expect(failed).toMatchObject({ kind: 'failed', final: true });
    expect(failed?.kind === 'failed' && failedWords(failed)).not.toMatch(/tried again/);
    s.close();
  });

  it('nor where the browser cannot record', () => {
    Recorder.records = false;
    const { sender: s, posted, states } = sender(204);
    s.want(true);
    vi.advanceTimersByTime(10 * RECORD.pause);
    expect(posted).toEqual([]);
    expect(states).toEqual([{ kind: 'failed', text: 'This browser cannot record what it sends.', final: true }]);
    s.close();
  });

  it('and what arrives is counted', async () => {
    const { sender: s } = sender(204);
    s.want(true);
    await settled();
    expect(s.sent).toBe(5);
    s.close();
  });
});
