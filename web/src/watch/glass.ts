// What the viewer's own eyes get: how long the picture was on its way, how soon it came, and where it
// stopped. The shell that feeds stats/glass.ts.

import { signal } from '@preact/signals';
import { type Frame, FrameWatch } from '../media/frames';
import { wholeTime } from '../media/strip';
import { pageNow } from '../signal/client';
import type { ClockReading } from '../signal/clock';
import { type CaptureSource, capturedAt } from '../stats/capture';
import {
  type GlassFigures,
  GlassMeter,
  type GlassSample,
  type Shown,
  StallMeter,
  type Stalls,
  sampleOf,
} from '../stats/glass';
import { SampleLog } from '../stats/log';
import type { Snapshot } from '../stats/vocabulary';
import type { Path } from '../topology/path';
import type { SideClock, SideReading, Told } from '../topology/side-clock';

export interface GlassView extends GlassFigures {
  /** From the moment when there was something to see to the first picture, ms. */
  join: number | undefined;
  stalls: Stalls;
}

/** sample: what was read of a picture, if it was read. */
type Hear = (sample: GlassSample | undefined) => void;

const TELL_EVERY = 1_000; // ms
/** Between two pictures that are read while nobody looks, ms: the uploader is told the delay all the same. */
const SELDOM = 1_000;

export class GlassWatch {
  readonly view = signal<GlassView>({
    byStrip: undefined,
    byCapture: undefined,
    error: undefined,
    join: undefined,
    stalls: { count: 0, time: 0 },
  });
  readonly log = new SampleLog();
  private readonly meter = new GlassMeter();
  private readonly stalls = new StallMeter();
  private readonly clock: () => ClockReading | undefined;
  private readonly wants: () => void;
  private readonly tell: (delay: number | undefined) => void;
  private video: HTMLVideoElement | undefined;
  private frames: FrameWatch | undefined;
  /** Who wants every picture read. */
  private looking = false;
  private heard: Hear | undefined;
  private connection: RTCPeerConnection | undefined;
  private side: SideClock | undefined;
  /** By its name; '' before there is one. */
  way = '';
  /** When the page was opened, or, if that was later, when the stream began. */
  private since = 0;
  private join: number | undefined;
  private told = 0;
  private live = true;

  /** clock: how the server's lies to the page's; wants: that is about to matter; tell: the delay now, ms. */
  constructor(clock: () => ClockReading | undefined, wants: () => void, tell: (delay: number | undefined) => void) {
    this.clock = clock;
    this.wants = wants;
    this.tell = tell;
    // Nobody sees what a hidden page does not show, and browsers tell of no pictures there.
    document.addEventListener('visibilitychange', () => this.stalls.rest());
  }

  /** Somebody looks at the figures: then every picture is read. */
  look(looking: boolean): void {
    this.looking = looking;
    this.meter.reset();
    this.pace(looking);
  }

  /** This hears of every picture: then, too. */
  hear(heard: Hear | undefined): void {
    this.heard = heard;
    this.pace(heard !== undefined);
  }

  private pace(begins: boolean): void {
    if (this.frames) this.frames.every = this.every;
    if (begins) this.wants();
  }

  private get every(): number {
    return this.looking || this.heard ? 0 : SELDOM;
  }

  /** Another way from now on, by its name; path: undefined where it is none of WebRTC; video: what shows it. */
  use(way: string, path: Path | undefined, video: HTMLVideoElement): void {
    this.attach(video);
    this.way = way;
    this.connection = path?.connection;
    this.side?.close();
    this.side = path?.otherClock?.(pageNow);
    this.meter.reset();
  }

  private attach(video: HTMLVideoElement): void {
    if (video === this.video) return;
    this.video = video;
    video.onpause = () => this.stalls.rest();
    this.frames?.close();
    this.frames = new FrameWatch(video, this.every, (frame) => this.see(frame));
  }

  /** Whether the stream is live: then pictures are due, and a newcomer waits for the first. */
  expect(live: boolean): void {
    if (live === this.live) return;
    this.live = live;
    this.stalls.rest();
    if (this.join === undefined) this.since = performance.now();
  }

  /** The clock of the strip as far as this page knows it: from the other end of a direct way, else from the server. */
  stripClock(): Told {
    const side = this.side?.reading();
    const reading = side ?? this.clock();
    const half = reading && reading.roundTrip / 2;
    const beyond = side ? side.error : 0;
    const error = half === undefined || beyond === undefined ? undefined : half + beyond;
    return { time: pageNow() + (reading?.offset ?? 0), error };
  }

  snapshot(snapshot: Snapshot): void {
    this.log.snapshot({ time: pageNow(), what: this.way, snapshot });
  }

  close(): void {
    this.side?.close();
    this.frames?.close();
  }

  private see(frame: Frame): void {
    if (this.live) this.stalls.observe(frame.at);
    this.join ??= frame.at - this.since;
    const sample = frame.read ? this.read(frame) : undefined;
    this.heard?.(sample);
    if (frame.at - this.told < TELL_EVERY) return;
    this.told = frame.at;
    const figures = this.meter.figures();
    this.view.value = { ...figures, join: this.join, stalls: { ...this.stalls.stalls } };
    this.tell((figures.byStrip ?? figures.byCapture)?.median);
  }

  private read(frame: Frame): GlassSample {
    const side = this.side?.reading();
    const sample = sampleOf(this.shown(frame, side), side ?? this.clock());
    this.meter.observe(sample);
    this.log.picture({ ...sample, what: this.way });
    return sample;
  }

  /** side: how the strip's clock lies by the other end of a direct way; then the uploader's own error is none. */
  private shown({ at, rtpTimestamp, captured: reckoned, stamp }: Frame, side: SideReading | undefined): Shown {
    const shown: Shown = { at: performance.timeOrigin + at };
    const offset = (side ?? this.clock())?.offset ?? 0;
    if (stamp) {
      shown.strip = { time: wholeTime(stamp.time, shown.at + offset), error: side ? side.error : stamp.error };
    }
    // By the server's clock where the server tells; between two browsers as this one reckons.
    const captured = this.way === 'sfu' ? capturedAt(sourceOf(this.connection), rtpTimestamp) : undefined;
    if (captured !== undefined) shown.captured = captured;
    else if (reckoned !== undefined) shown.captured = performance.timeOrigin + reckoned + offset;
    return shown;
  }
}

/** What the browser says of the picture that it decoded last. */
function sourceOf(connection: RTCPeerConnection | undefined): CaptureSource | undefined {
  const receiver = connection?.getReceivers().find((r) => r.track.kind === 'video');
  return receiver?.getSynchronizationSources()[0];
}
