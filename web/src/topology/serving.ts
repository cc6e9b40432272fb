// The source's end of direct ways, at the uploader or at a viewer who passes on: one peer connection and one
// encoding for each viewer. Who gets a way is the server's word; this carries it out.

import type { Tracks } from '../media/source';
import type { Signal } from './envelope';
import { offerExtensions } from './extensions';
import { PeerLink } from './peer-link';
import { prefer } from './prefer';
import { withStartBitrate } from './sdp';
import { answerOn, type Told } from './side-clock';
import type { VideoLimits } from './whip';

export interface ServingOptions {
  stun(): string | undefined;
  /** What is to be sent now. */
  tracks(): Tracks;
  limits(): VideoLimits;
  audioBitrate: number;
  /** MIME types of pictures to put first; none leaves it to the browser. */
  codecs(): readonly string[];
  send(to: string, signal: Signal): void;
  /** The connection does not come up, or has ended; it is closed already. */
  failed(way: number): void;
  /** The clock of the strip in the picture, for viewers who ask; without it they are not answered. */
  clock?(): Told;
  /** The number of ways has changed. */
  changed?(): void;
}

/** Browsers begin low by themselves; more at once would shake thin lines when several begin together. bit/s */
const START_BITRATE = 600_000;

/** How long a way of before goes on, once the server is back, without being named anew: those who had it were sent to the server. ms */
export const UNNAMED = 10_000;

interface Out {
  to: string;
  /** The server has named it since it let this page in. */
  named: boolean;
  link: PeerLink;
  audio: RTCRtpTransceiver;
  video: RTCRtpTransceiver;
}

export class Serving {
  private readonly options: ServingOptions;
  private readonly ways = new Map<number, Out>();
  private looking: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ServingOptions) {
    this.options = options;
  }

  /** How many are served. */
  get size(): number {
    return this.ways.size;
  }

  /** Each with the viewer that it leads to, for figures. */
  connections(): { to: string; connection: RTCPeerConnection; side: RTCDataChannel }[] {
    return [...this.ways.values()].map(({ to, link }) => ({ to, connection: link.connection, side: link.side }));
  }

  /** The server has let this page in anew. What it does not name soon was ended while this page did not hear it. */
  welcome(): void {
    for (const out of this.ways.values()) out.named = false;
    clearTimeout(this.looking);
    this.looking = setTimeout(() => {
      for (const [way, out] of [...this.ways]) if (!out.named) this.end(way);
    }, UNNAMED);
  }

  /** Offers a connection to a viewer. One that is there goes on. */
  serve(way: number, to: string): void {
    const known = this.ways.get(way);
    if (known?.to === to) {
      known.named = true;
      return;
    }
    this.end(way);
    const link = new PeerLink({
      way,
      stun: this.options.stun(),
      send: (signal) => this.options.send(to, signal),
      lost: () => {
        this.end(way);
        this.options.failed(way);
      },
    });
    const init: RTCRtpTransceiverInit = { direction: 'sendonly', streams: [new MediaStream()] };
    const audio = link.connection.addTransceiver('audio', init);
    const video = link.connection.addTransceiver('video', init);
    for (const transceiver of [audio, video]) offerExtensions(transceiver);
    prefer(video, this.options.codecs());
    const { clock } = this.options;
    if (clock) answerOn(link.side, clock);
    const out = { to, named: true, link, audio, video };
    this.ways.set(way, out);
    void this.put(out).then(() => link.offer());
    this.options.changed?.();
  }

  /** What a viewer answers; false when it is not one of ours. */
  hear(from: string, signal: Signal): boolean {
    const out = this.ways.get(signal.way);
    if (!out || out.to !== from || 'offer' in signal) return false;
    const start = Math.min(this.options.limits().maxBitrate ?? START_BITRATE, START_BITRATE);
    // Limits hold for encodings, which some browsers have only after the answer.
    out.link.hear(
      signal,
      (sdp) => withStartBitrate(sdp, start),
      () => void this.put(out),
    );
    return true;
  }

  /** false when there is no such way. */
  end(way: number): boolean {
    const out = this.ways.get(way);
    if (!out) return false;
    this.ways.delete(way);
    out.link.close();
    this.options.changed?.();
    return true;
  }

  /** The tracks or the limits are others now. */
  refresh(): void {
    for (const out of this.ways.values()) void this.put(out);
  }

  close(): void {
    clearTimeout(this.looking);
    for (const way of [...this.ways.keys()]) this.end(way);
  }

  private async put({ audio, video }: Out): Promise<void> {
    const tracks = this.options.tracks();
    try {
      await audio.sender.replaceTrack(tracks.audio);
      await video.sender.replaceTrack(tracks.video);
      await limit(video.sender, this.options.limits());
      await limit(audio.sender, { maxBitrate: this.options.audioBitrate });
    } catch {
      // The connection was closed meanwhile, or another change overtook this one.
    }
  }
}

async function limit(sender: RTCRtpSender, limits: VideoLimits): Promise<void> {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings;
  if (!encoding) return;
  for (const key of ['maxBitrate', 'maxFramerate', 'scaleResolutionDownBy'] as const) {
    const value = limits[key];
    if (value === undefined) delete encoding[key];
    else encoding[key] = value;
  }
  if (limits.degradationPreference) parameters.degradationPreference = limits.degradationPreference;
  await sender.setParameters(parameters);
}
