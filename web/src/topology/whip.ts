// A WHIP session of the studio (RFC 9725): always one audio and one video m-line, sendonly,
// whether there is a track yet or not. Tracks come, go and change by replaceTrack, because
// WHIP has no renegotiation.

import { offerExtensions } from './extensions';
import { Leg, type LegState } from './leg';
import { prefer } from './prefer';
import type { Session } from './reconnect';
import { addVideo, type VideoQuality } from './simulcast';

export interface WhipOptions {
  /** URL or path of the WHIP endpoint, as told in Welcome.mediaUrl. */
  url: string;
  /** Welcome.mediaToken. */
  token: string | undefined;
  stun: string | undefined;
  /** The stream that both tracks belong to. */
  stream?: MediaStream;
  /** Codecs to put first, for example what the source asks for; mime types such as "video/VP9". */
  preferVideo?: readonly string[];
  /** The qualities of the picture, the smallest first (RFC 8853); none or one: it is sent in one. */
  qualities?: readonly VideoQuality[];
  onState(state: LegState): void;
}

/** What the uploader has chosen for the picture; undefined leaves it to the browser. */
export interface VideoLimits {
  maxBitrate?: number; // bit/s
  maxFramerate?: number;
  scaleResolutionDownBy?: number;
  degradationPreference?: RTCDegradationPreference;
}

/**
 * Enough for a good picture from the first second, and most lines of people who stream have it; where
 * they have not, the browser finds out within a second.
 */
const START_BITRATE = 1_500_000;

/** Chromium makes a key frame on request (W3C webrtc-extensions); others pay no attention. */
interface Asked extends RTCRtpSender {
  setParameters(
    parameters: RTCRtpSendParameters,
    options?: { encodingOptions: { keyFrame: boolean }[] },
  ): Promise<void>;
}

export class WhipSession implements Session {
  readonly connection: RTCPeerConnection;
  private readonly leg: Leg;
  private readonly audio: RTCRtpTransceiver;
  private readonly video: RTCRtpTransceiver;

  constructor(options: WhipOptions) {
    this.leg = new Leg({ ...options, startBitrate: START_BITRATE });
    this.connection = this.leg.connection;
    const init: RTCRtpTransceiverInit = {
      direction: 'sendonly',
      streams: [options.stream ?? new MediaStream()],
    };
    this.audio = this.connection.addTransceiver('audio', init);
    this.video = addVideo(this.connection, init, options.qualities ?? []);
    offerExtensions(this.audio);
    offerExtensions(this.video);
    prefer(this.video, options.preferVideo ?? []);
  }

  get state(): LegState {
    return this.leg.state;
  }

  /** Makes the session. Throws HttpProblem (401: the key is wrong, 409: someone else's stream). */
  open(): Promise<void> {
    return this.leg.open();
  }

  /** Puts another track on the wire, or none; the m-line stays. */
  async replaceTrack(kind: 'audio' | 'video', track: MediaStreamTrack | null): Promise<void> {
    await (kind === 'audio' ? this.audio : this.video).sender.replaceTrack(track);
  }

  /** Changes the limits of the picture while it is being sent. */
  async limitVideo(limits: VideoLimits, qualities: readonly VideoQuality[] = []): Promise<void> {
    const sender = this.video.sender;
    const parameters = sender.getParameters();
    if (parameters.encodings.length === 0) return;
    const { degradationPreference, ...rest } = limits;
    let faster = false;
    for (const encoding of parameters.encodings) {
      // A browser that sends one quality alone has no name for it: that is the best.
      const quality = qualities.find((q) => q.rid === encoding.rid);
      const own = quality ?? rest;
      if (quality) encoding.active = quality.active;
      faster ||=
        encoding.maxFramerate !== undefined && encoding.maxFramerate < (own.maxFramerate ?? Number.POSITIVE_INFINITY);
      for (const key of ['maxBitrate', 'maxFramerate', 'scaleResolutionDownBy'] as const) {
        const value = own[key];
        if (value === undefined) delete encoding[key];
        else encoding[key] = value;
      }
    }
    if (degradationPreference) parameters.degradationPreference = degradationPreference;
    // Who joins begins with the last key frame: one of a slower picture may be long past.
    const options = faster ? { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) } : undefined;
    await (sender as Asked).setParameters(parameters, options);
  }

  /** Most bits a second for the sound. */
  async limitAudio(maxBitrate: number): Promise<void> {
    const parameters = this.audio.sender.getParameters();
    const encoding = parameters.encodings[0];
    if (!encoding) return;
    encoding.maxBitrate = maxBitrate;
    await this.audio.sender.setParameters(parameters);
  }

  /**
   * Always throws: the server restarts no publisher. A newer session takes over at its POST and viewers
   * keep their connections, so there is nothing to gain.
   */
  restart(): Promise<void> {
    return Promise.reject(new Error('a publisher makes a new session'));
  }

  /** The server has forgotten the session: close() says nothing to it. */
  orphan(): void {
    this.leg.orphan();
  }

  close(): void {
    this.leg.close();
  }
}
