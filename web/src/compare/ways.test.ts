import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tracks } from '../media/source';
import { type FakeConnection, stubConnections } from '../topology/connection.fixture';
import type { Way } from './plan';
import type { Room } from './room';
import type { Viewer } from './viewer';
import { type Open, openWay } from './ways';

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

/** All that was begun is done, but for what waits for its time. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await turn();
}

/** A recorder that hands out one piece at once. */
class Recorder extends EventTarget {
  static isTypeSupported = (): boolean => true;
  /** The tracks of each that was made. */
  static made: object[][] = [];
  readonly mimeType = 'video/webm';
  state = 'recording';
  constructor(stream: Stream) {
    super();
    Recorder.made.push(stream.tracks);
  }
  start(): void {
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob(['piece']) }));
  }
  stop(): void {
    this.state = 'inactive';
  }
}

class Stream {
  readonly tracks: object[];
  constructor(tracks: object[] = []) {
    this.tracks = tracks;
  }
  getVideoTracks = (): object[] => [];
  getAudioTracks = (): object[] => [];
}

/** What plays: it says that it is open as soon as somebody listens. */
class Source extends EventTarget {
  static isTypeSupported = (): boolean => true;
  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    super.addEventListener(...args);
    queueMicrotask(() => this.dispatchEvent(new Event('sourceopen')));
  }
  addSourceBuffer = (): EventTarget => Object.assign(new EventTarget(), { updating: false, buffered: [] });
}

type Befell = Parameters<Parameters<typeof openWay>[1]['befell']>;

const viewer = (number: number): Viewer =>
  ({
    number,
    video: Object.assign(new EventTarget(), { removeAttribute: () => undefined }),
    play: () => undefined,
    show: () => undefined,
  }) as unknown as Viewer;

const room = {
  welcome: { room: { name: 'film' }, mediaUrl: '/whip/film', mediaToken: 'token' },
} as unknown as Room;

const track = (kind: string): MediaStreamTrack => ({ kind, readyState: 'live' }) as MediaStreamTrack;

/** The way, before a server that answers so; what it asked for, and what befell it. */
function open(
  way: Way,
  viewers: number,
  answer: (url: string) => Response | Promise<Response>,
  tracks: () => Tracks = () => ({ video: track('video'), audio: null }),
): { open: Open; asked: string[]; befell: Befell[] } {
  const asked: string[] = [];
  const befell: Befell[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url.replace(/^(\/record\/film\/).*/, '$1'));
    // As browsers do: by it addresses are read.
    return Object.defineProperty(await answer(url), 'url', { value: `http://host${url}` });
  });
  const opened = openWay(way, {
    room,
    source: {
      tracks,
      size: () => ({ width: 320, height: 180 }),
      close: () => undefined,
    },
    viewers: Array.from({ length: viewers }, (_, i) => viewer(i)),
    befell: (...what) => befell.push(what),
  });
  return { open: opened, asked, befell };
}

const refusal = (status: number, detail: string): Response =>
  new Response(JSON.stringify({ detail }), { status, headers: { 'Content-Type': 'application/problem+json' } });

const forever = (): Promise<Response> => new Promise(() => undefined);

let made: FakeConnection[];

beforeEach(() => {
  vi.useFakeTimers();
  Recorder.made = [];
  made = stubConnections();
  vi.stubGlobal('MediaStream', Stream);
  vi.stubGlobal('window', { location: { hostname: 'host' } });
  vi.stubGlobal('MediaRecorder', Recorder);
  vi.stubGlobal('MediaSource', Source);
  vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:film');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const NO_HTTP = 'This server does not take plain HTTP.';
const MINUTE = 60_000;

describe('the way by plain HTTP', () => {
  it('is given up at once where the server takes none, and asks for nothing any more', async () => {
    const { open: way, asked, befell } = open('http', 2, () => refusal(501, NO_HTTP));
    await settled();
    expect(befell).toEqual([['never', NO_HTTP]]);
    const before = asked.length;
    way.refresh();
    await vi.advanceTimersByTimeAsync(MINUTE);
    await settled();
    expect(asked).toHaveLength(before);
    expect(befell).toHaveLength(1);
  });

  it('is given up where the browser cannot record, or cannot play', async () => {
    vi.stubGlobal('MediaRecorder', undefined);
    expect(open('http', 1, forever).befell).toEqual([['never', 'This browser cannot record what it sends.']]);
    vi.stubGlobal('MediaRecorder', Recorder);
    vi.stubGlobal('MediaSource', { isTypeSupported: () => false });
    const { befell } = open('http', 1, () => new Response('{"type":"video/x"}', { status: 201 }));
    await settled();
    expect(befell).toEqual([['never', 'This browser does not play what is recorded for it.']]);
  });

  it('waits for a recording that has not begun, and that is no trouble', async () => {
    const {
      open: way,
      asked,
      befell,
    } = open('http', 1, (url) =>
      url.startsWith('/play') ? refusal(404, 'Not yet.') : new Response(null, { status: 204 }),
    );
    const plays = (): number => asked.filter((url) => url === '/play/film').length;
    await settled();
    expect(plays()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    await settled();
    expect(plays()).toBeGreaterThan(1);
    expect(befell).toEqual([]);
    way.close();
  });

  it('tells of a recording that ends and begins anew, at the viewer who had it', async () => {
    const {
      open: way,
      asked,
      befell,
    } = open('http', 1, (url) => {
      if (url === '/play/film') {
        return new Response('{"type":"video/webm"}', { status: 201, headers: { Location: 'http://host/play/film/x' } });
      }
      return url.startsWith('/record') ? new Response(null, { status: 204 }) : new Response('all of it');
    });
    await settled();
    expect(befell).toEqual([['broke', 'The recording broke off, and was begun anew.', 0]]);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(1_000);
    await settled();
    expect(asked.length).toBeGreaterThan(before);
    way.close();
    await vi.advanceTimersByTimeAsync(MINUTE);
  });

  it('goes on in one recording where the sound of a file that goes round is another each time', async () => {
    const video = track('video');
    let audio: MediaStreamTrack | null = track('audio');
    const answer = (url: string): Response | Promise<Response> =>
      url.startsWith('/record') ? new Response(null, { status: 204 }) : forever();
    const { open: way, befell } = open('http', 1, answer, () => ({ video, audio }));
    for (const next of [null, track('audio')]) {
      audio = next;
      way.refresh();
    }
    await settled();
    expect(Recorder.made).toEqual([[video]]);
    expect(befell).toEqual([]);
    way.close();
  });

  it('tells of an upload that breaks off and is tried again', async () => {
    const { open: way, befell } = open('http', 0, () => refusal(503, 'There is no room.'));
    await settled();
    expect(befell).toEqual([['broke', 'There is no room.']]);
    way.close();
  });
});

const change = (connection: FakeConnection | undefined, ice: string, state: string): void => {
  if (!connection) throw new Error('there is no such connection');
  Object.assign(connection, { iceConnectionState: ice, connectionState: state });
  for (const name of ['iceconnectionstatechange', 'connectionstatechange']) connection.dispatchEvent(new Event(name));
};

/** It breaks off and comes back. */
const shake = (connection: FakeConnection | undefined): void => {
  change(connection, 'connected', 'connected');
  change(connection, 'disconnected', 'disconnected');
  change(connection, 'connected', 'connected');
};

describe('the way by the server', () => {
  it('tells when the upload or a viewer’s connection breaks off, and when it is lost', async () => {
    const { open: way, befell } = open('sfu', 2, forever);
    const [upload, , second] = made;
    shake(upload);
    shake(second);
    change(upload, 'failed', 'failed');
    expect(befell).toEqual([
      ['broke', 'The connection to the server broke off.', undefined],
      ['broke', 'The connection to the server broke off.', 1],
      ['over', 'The connection to the server was lost.', undefined],
    ]);
    way.close();
  });

  it('is over when it does not come up, in words for people', async () => {
    const { befell } = open('sfu', 1, () => refusal(503, 'The server is busy.'));
    await settled();
    expect(befell).toEqual([['over', 'The server is busy.']]);
  });

  it('is over for the one viewer whose connection does not come up', async () => {
    let viewers = 0;
    const { befell } = open('sfu', 2, (url) =>
      url.startsWith('/whep') && viewers++ === 0
        ? refusal(503, 'There is no room.')
        : new Response('v=0', { status: 201, headers: { Location: '/session' } }),
    );
    await settled();
    expect(befell).toEqual([['over', 'There is no room.', 0]]);
  });
});

describe.each(['star', 'tree'] as const)('a direct way (%s)', (name) => {
  it('tells when a viewer’s connection breaks off, and when it has ended', async () => {
    const { open: way, befell } = open(name, 2, forever);
    await settled();
    // Of each viewer its own end comes first, then the other one.
    const second = made[2];
    shake(second);
    change(second, 'failed', 'failed');
    expect(befell).toEqual([
      ['broke', 'A direct connection broke off.', 1],
      ['over', 'A direct connection did not come up, or has ended.', 1],
    ]);
    way.close();
  });
});
