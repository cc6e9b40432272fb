// The uploader's half of the way by plain HTTP: records the tracks that are on, and posts what the
// recorder hands out, piece by piece and in order. Other tracks are another recording, and so is what
// follows a piece that did not arrive: a player cannot do with a gap.

import type { Tracks } from '../media/source';
import { type Fetch, HttpProblem, problem } from './http';

export interface RecordOptions {
  /** URL or path of the stream's address for recordings, /record/{stream}; undefined: not yet known. */
  url(): string | undefined;
  token(): string | undefined;
  tracks(): Tracks;
  /** bit/s of the picture; undefined leaves it to the browser. */
  bitrate(): number | undefined;
  onState(state: RecordState): void;
  fetch?: Fetch;
}

/** What becomes of it; failed: words for people. final: it is not tried again by itself. */
export type RecordState = { kind: 'off' } | { kind: 'sending' } | { kind: 'failed'; text: string; final: boolean };

/** What is said of a failure. */
export function failedWords({ text, final }: { text: string; final: boolean }): string {
  return final ? text : `${text} It is tried again.`;
}

/** The server takes nothing of the kind (RFC 9110 section 15.6.2). */
const NOT_HERE = 501;

export const RECORD = {
  /** ms of one piece: the smaller, the sooner it is shown, and the more requests there are. */
  slice: 100,
  /** ms between two key frames: what a newcomer may have to wait for. */
  key: 2_000,
  /** bytes that the server takes at once, and that may wait before the line counts as too thin. */
  piece: 1 << 20,
  waiting: 4 << 20,
  /** ms before another recording begins after one has failed. */
  pause: 1_000,
} as const;

/** What is asked for, the best first: what every browser plays. */
const WITH_SOUND = ['video/webm;codecs=vp8,opus', 'video/mp4;codecs=avc1.42E01E,mp4a.40.2', 'video/mp4'];
const SILENT = ['video/webm;codecs=vp8', 'video/mp4;codecs=avc1.42E01E', 'video/mp4'];

/** The first type that the browser can record; undefined: none. */
export function typeFor(sound: boolean, can: (type: string) => boolean): string | undefined {
  return (sound ? WITH_SOUND : SILENT).find(can);
}

export class HttpSender {
  private readonly options: RecordOptions;
  private readonly fetch: Fetch;
  /** Bytes that the server has taken, of all recordings. */
  sent = 0;
  private wanted = false;
  private recording: Recording | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RecordOptions) {
    this.options = options;
    this.fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  want(want: boolean): void {
    if (want === this.wanted) return;
    this.wanted = want;
    if (want) this.begin();
    else this.stop();
  }

  /** The tracks may be others now. */
  refresh(): void {
    if (this.wanted && !sameTracks(this.recording?.tracks, tracksOf(this.options.tracks()))) this.begin();
  }

  close(): void {
    this.want(false);
  }

  private stop(): void {
    clearTimeout(this.again);
    this.recording?.end(true);
    this.recording = undefined;
    this.options.onState({ kind: 'off' });
  }

  private begin(): void {
    clearTimeout(this.again);
    this.recording?.end(false);
    this.recording = undefined;
    const url = this.options.url();
    const tracks = tracksOf(this.options.tracks());
    if (url === undefined || tracks.length === 0) {
      this.again = setTimeout(() => this.begin(), RECORD.pause);
      return;
    }
    const sound = tracks.some((t) => t.kind === 'audio');
    const type =
      typeof MediaRecorder === 'function' ? typeFor(sound, (t) => MediaRecorder.isTypeSupported(t)) : undefined;
    if (!type) {
      this.options.onState({ kind: 'failed', text: 'This browser cannot record what it sends.', final: true });
      return;
    }
    this.recording = new Recording(url, tracks, type, this.options, this.fetch, {
      sent: (bytes) => {
        this.sent += bytes;
      },
      failed: (text, final) => this.failed(text, final),
    });
    this.options.onState({ kind: 'sending' });
  }

  private failed(text: string, final: boolean): void {
    this.recording = undefined;
    if (!this.wanted) return;
    this.options.onState({ kind: 'failed', text, final });
    if (!final) this.again = setTimeout(() => this.begin(), RECORD.pause);
  }
}

function tracksOf({ video, audio }: Tracks): MediaStreamTrack[] {
  return [video, audio].filter((t) => t !== null && t.readyState === 'live') as MediaStreamTrack[];
}

function sameTracks(a: readonly MediaStreamTrack[] | undefined, b: readonly MediaStreamTrack[]): boolean {
  return a !== undefined && a.length === b.length && a.every((t, i) => t === b[i]);
}

interface Telling {
  sent(bytes: number): void;
  failed(text: string, final: boolean): void;
}

/** One recording of certain tracks, from its first piece to the one that fails. */
class Recording {
  readonly tracks: readonly MediaStreamTrack[];
  private readonly url: string;
  private readonly recorder: MediaRecorder;
  private readonly options: RecordOptions;
  private readonly fetch: Fetch;
  private readonly tell: Telling;
  private waiting: Blob[] = [];
  private pieces = 0;
  private sending = false;
  private over = false;

  constructor(
    url: string,
    tracks: readonly MediaStreamTrack[],
    type: string,
    options: RecordOptions,
    fetcher: Fetch,
    tell: Telling,
  ) {
    this.tracks = tracks;
    this.url = `${url}/${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
    this.options = options;
    this.fetch = fetcher;
    this.tell = tell;
    const bits = options.bitrate();
    const settings: MediaRecorderOptions & { videoKeyFrameIntervalDuration: number } = {
      mimeType: type,
      // Chromium knows it; other browsers make key frames at a pace of their own.
      videoKeyFrameIntervalDuration: RECORD.key,
      ...(bits === undefined ? {} : { videoBitsPerSecond: bits }),
    };
    this.recorder = new MediaRecorder(new MediaStream([...tracks]), settings);
    this.recorder.addEventListener('dataavailable', ({ data }) => this.add(data));
    this.recorder.addEventListener('error', () => this.fail('The browser has stopped recording.'));
    this.recorder.start(RECORD.slice);
  }

  /** tell: the server is to forget it at once, as no other follows. */
  end(tell: boolean): void {
    if (this.over) return;
    this.over = true;
    if (this.recorder.state !== 'inactive') this.recorder.stop();
    if (!tell) return;
    const init = { method: 'DELETE', headers: this.headers(), keepalive: true };
    this.fetch(this.url, init).catch(() => undefined); // it forgets what nothing is added to
  }

  private add(data: Blob): void {
    if (this.over || data.size === 0) return;
    this.waiting.push(data);
    if (this.waiting.reduce((n, b) => n + b.size, 0) > RECORD.waiting) {
      this.fail('The line is too thin for this.');
      return;
    }
    if (!this.sending) void this.send();
  }

  private async send(): Promise<void> {
    this.sending = true;
    while (this.waiting.length > 0 && !this.over) {
      const all = new Blob(this.waiting);
      const piece = all.slice(0, RECORD.piece);
      this.waiting = all.size > piece.size ? [all.slice(piece.size)] : [];
      try {
        await this.post(piece);
      } catch (cause) {
        if (cause instanceof HttpProblem) this.fail(cause.message, cause.status === NOT_HERE);
        else this.fail('The browser could not send it.');
      }
    }
    this.sending = false;
  }

  private async post(piece: Blob): Promise<void> {
    let response: Response;
    try {
      response = await this.fetch(`${this.url}/${this.pieces}`, {
        method: 'POST',
        headers: { ...this.headers(), 'Content-Type': this.recorder.mimeType },
        body: await piece.arrayBuffer(),
        cache: 'no-store',
        credentials: 'omit',
      });
    } catch {
      throw new HttpProblem(0, 'The server cannot be reached.');
    }
    if (!response.ok) throw await problem(response);
    this.pieces += 1;
    this.tell.sent(piece.size);
  }

  private headers(): Record<string, string> {
    const token = this.options.token();
    return token ? { Authorization: `Bearer ${token}` } : {};
  }

  private fail(text: string, final = false): void {
    if (this.over) return;
    this.end(false);
    this.tell.failed(text, final);
  }
}
