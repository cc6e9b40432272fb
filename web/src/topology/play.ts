// The way by plain HTTP: what the uploader's page records comes as one file that grows, and is played by
// Media Source Extensions. It is the reference from outside that the other ways are compared with, and the
// way for those whose network lets no WebRTC through.

import type { Snapshot } from '../stats/vocabulary';
import { joinCluster } from './cluster';
import { LiveEdge } from './edge';
import { type Fetch, HttpProblem, problem } from './http';

export interface PlayOptions {
  /** URL or path of the stream's address for playing: /play/{stream}. */
  url: string;
  token: string | undefined;
  /** Once: nothing more comes. */
  onEnd(): void;
  fetch?: Fetch;
}

/** iPhones have another class of the same kind. */
interface Sources {
  MediaSource?: typeof MediaSource;
  ManagedMediaSource?: typeof MediaSource;
}

function mediaSource(): typeof MediaSource | undefined {
  const { MediaSource: usual, ManagedMediaSource: managed } = globalThis as unknown as Sources;
  return usual ?? managed;
}

/** How often the place of the player is looked at. ms */
const LOOK = 100;

export class HttpPlayer {
  private readonly options: PlayOptions;
  private readonly edge = new LiveEdge();
  private readonly leaving = new AbortController();
  private readonly fetch: Fetch;
  private address = '';
  private type = '';
  private video: HTMLVideoElement | undefined;
  private objectUrl = '';
  private queue: Uint8Array<ArrayBuffer>[] = [];
  private buffer: SourceBuffer | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  private bytes = 0;
  private over = false;

  constructor(options: PlayOptions) {
    this.options = options;
    this.fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /**
   * Asks for an address to play from. Throws HttpProblem (404: nobody records this stream), or an Error named
   * NotSupportedError where this browser cannot play what is recorded.
   */
  async open(): Promise<void> {
    const { token, url } = this.options;
    const response = await this.request(url, {
      method: 'POST',
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
    const about: unknown = await response.json().catch(() => undefined);
    this.type = String((about as { type?: unknown } | undefined)?.type ?? '');
    this.address = new URL(response.headers.get('Location') ?? '', response.url || url).href;
    if (mediaSource()?.isTypeSupported(this.type) !== true) {
      throw Object.assign(new Error(`this browser does not play ${this.type}`), { name: 'NotSupportedError' });
    }
  }

  /** Plays in this element from now on. After open(). */
  attach(video: HTMLVideoElement): void {
    const Source = mediaSource();
    if (!Source || this.over) return;
    const source = new Source();
    this.video = video;
    video.disableRemotePlayback = true; // iPhones ask for that
    this.objectUrl = URL.createObjectURL(source);
    video.srcObject = null;
    video.src = this.objectUrl;
    video.addEventListener('waiting', () => this.edge.dry(performance.now() / 1000), { signal: this.leaving.signal });
    source.addEventListener('sourceopen', () => this.begin(source), { once: true, signal: this.leaving.signal });
    this.looking = setInterval(() => this.look(), LOOK);
  }

  /** The figures of it, in the one vocabulary. */
  snapshot(): Snapshot {
    const quality = this.video?.getVideoPlaybackQuality();
    const decoded = quality?.totalVideoFrames ?? 0;
    return {
      at: performance.timeOrigin + performance.now(),
      inbound: [
        {
          direction: 'in',
          kind: 'video',
          id: 'http',
          packets: 0,
          bytes: this.bytes,
          nacks: 0,
          plis: 0,
          firs: 0,
          retransmittedPackets: 0,
          width: this.video?.videoWidth ?? 0,
          height: this.video?.videoHeight ?? 0,
          lost: 0,
          discarded: 0,
          jitter: 0,
          bufferDelay: 0,
          bufferEmitted: 0,
          framesDecoded: decoded,
          framesDropped: quality?.droppedVideoFrames ?? 0,
          decodeTime: 0,
          keyFrames: 0,
          freezes: 0,
          frozen: 0,
          samples: 0,
          concealed: 0,
        },
      ],
      outbound: [],
      transport: { bytesIn: this.bytes, bytesOut: 0 },
    };
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.looking);
    this.leaving.abort();
    if (this.video?.src === this.objectUrl) this.video.removeAttribute('src');
    if (this.objectUrl) URL.revokeObjectURL(this.objectUrl);
  }

  private begin(source: MediaSource): void {
    const buffer = source.addSourceBuffer(this.type);
    this.buffer = buffer;
    buffer.addEventListener('updateend', () => this.append(), { signal: this.leaving.signal });
    buffer.addEventListener('error', () => this.end(), { signal: this.leaving.signal });
    this.read().then(
      () => this.end(),
      () => this.end(),
    );
  }

  /** Takes what comes until it ends. */
  private async read(): Promise<void> {
    const response = await this.request(this.address, { method: 'GET', signal: this.leaving.signal });
    const reader = response.body?.getReader();
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
      if (done) return;
      this.bytes += value.length;
      this.queue.push(value as Uint8Array<ArrayBuffer>);
      this.append();
    }
  }

  private append(): void {
    const { buffer } = this;
    const next = this.queue[0];
    if (!buffer || buffer.updating || !next || this.over) return;
    try {
      const { buffered } = buffer;
      if (buffered.length > 0) joinCluster(next, buffered.end(buffered.length - 1));
      buffer.appendBuffer(next);
      this.queue.shift();
    } catch (cause) {
      // Full: look() makes room, and what waits is added then. Anything else is the end.
      if (!(cause instanceof DOMException) || cause.name !== 'QuotaExceededError') this.end();
    }
  }

  /** Keeps the player near the end of what has come. */
  private look(): void {
    const { video, buffer } = this;
    if (!video || !buffer || this.over || buffer.buffered.length === 0) return;
    const last = buffer.buffered.length - 1;
    const advice = this.edge.advise(
      { position: video.currentTime, start: buffer.buffered.start(last), end: buffer.buffered.end(last) },
      performance.now() / 1000,
    );
    if (advice.jump !== undefined) video.currentTime = advice.jump;
    if (video.playbackRate !== advice.rate) video.playbackRate = advice.rate;
    if (advice.forget !== undefined && !buffer.updating) buffer.remove(0, advice.forget);
    else this.append();
  }

  private end(): void {
    if (this.over) return;
    this.close();
    this.options.onEnd();
  }

  private async request(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetch(url, { ...init, cache: 'no-store', credentials: 'omit' });
    } catch {
      throw new HttpProblem(0, 'The server cannot be reached.');
    }
    if (!response.ok) throw await problem(response);
    return response;
  }
}
