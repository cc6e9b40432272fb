// What an uploader switches on to measure and to compare: the time in the picture, and the stream by plain
// HTTP beside the usual way, which also serves those whose network lets no live video through.

import { signal } from '@preact/signals';
import type { Tracks } from '../media/source';
import type { Stamp } from '../media/strip';
import { pageNow, type SignalClient } from '../signal/client';
import { stamps } from '../signal/stamp';
import { SampleLog } from '../stats/log';
import type { Snapshot } from '../stats/vocabulary';
import { HttpSender, type RecordState } from '../topology/record';
import type { Told } from '../topology/side-clock';
import type { Room } from './state';

/** The server's, and as many direct ones as the page is likely to have. */
const CONNECTIONS = 8;

export interface MeasuringOptions {
  client(): SignalClient | undefined;
  room(): Room | undefined;
  /** The stream is to be on the air. */
  live(): boolean;
  tracks(): Tracks;
  /** bit/s */
  bitrate(): number | undefined;
  /** Puts the time into the picture from now on; undefined: no longer. */
  stamp(stamp: (() => Stamp) | undefined): void;
}

export class Measuring {
  readonly time = signal(false);
  readonly http = signal(false);
  readonly httpState = signal<RecordState>({ kind: 'off' });
  /** What the connection to the server said, and direct ones to viewers. */
  readonly log = new SampleLog(CONNECTIONS);
  private readonly options: MeasuringOptions;
  private readonly sender: HttpSender;

  constructor(options: MeasuringOptions) {
    this.options = options;
    const room = options.room;
    this.sender = new HttpSender({
      url: () => {
        const name = room()?.name;
        return name === undefined ? undefined : `/record/${encodeURIComponent(name)}`;
      },
      token: () => room()?.mediaToken,
      tracks: options.tracks,
      bitrate: options.bitrate,
      onState: (state) => {
        this.httpState.value = state;
      },
    });
  }

  /** The clock that is drawn, for those who ask: it is right by definition. */
  clock(): Told {
    return { time: pageNow() + (this.options.client()?.clock()?.offset ?? 0), error: 0 };
  }

  /** Bytes that went up by plain HTTP in all; undefined while nothing does. */
  recorded(): number | undefined {
    return this.httpState.value.kind === 'sending' ? this.sender.sent : undefined;
  }

  showTime(on: boolean): void {
    this.time.value = on;
    this.options.client()?.measureClock();
    this.options.stamp(on ? stamps(pageNow, () => this.options.client()?.clock()) : undefined);
  }

  /** viewer: whom a direct connection leads to, counted from 1; undefined: of the one to the server. */
  snapshot(snapshot: Snapshot, viewer?: number): void {
    const what = viewer === undefined ? 'upload' : `upload to viewer ${viewer}`;
    this.log.snapshot({ time: pageNow(), what, snapshot });
  }

  sendByHttp(on: boolean): void {
    this.http.value = on;
    this.refresh();
  }

  /** The stream has begun or ended, or its tracks are others. */
  refresh(): void {
    this.sender.want(this.http.value && this.options.live());
    this.sender.refresh();
  }
}
