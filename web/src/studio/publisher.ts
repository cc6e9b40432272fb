// The uploader's sessions: puts the source's tracks and limits on them. When they are made and
// dropped is decided by rejoin.ts and carried out by reconnect.ts.

import type { Tracks } from '../media/source';
import type { Failure } from '../topology/failure';
import type { LegState } from '../topology/leg';
import { Reconnect } from '../topology/reconnect';
import type { PathStatus } from '../topology/rejoin';
import type { VideoQuality } from '../topology/simulcast';
import { type VideoLimits, WhipSession } from '../topology/whip';

/** Where to publish, by the latest Welcome. */
export interface Target {
  url: string;
  token: string;
  stun: string | undefined;
}

export interface PublisherOptions {
  target(): Target | undefined;
  tracks(): Tracks;
  limits(): VideoLimits;
  /** The qualities of the picture, the smallest first. */
  qualities(): readonly VideoQuality[];
  /** Whether new sessions send the picture in several qualities. */
  several(): boolean;
  audioBitrate: number;
  /** MIME types, the best first. */
  codecs(): readonly string[];
  onStatus(status: PathStatus): void;
  /** The session that is in use, for the figures. */
  onConnection(connection: RTCPeerConnection | undefined): void;
  /** The server refused the token: greet it again, then renew. */
  onGreet(): void;
  onFailure(failure: Failure): void;
}

export class Publisher {
  private readonly options: PublisherOptions;
  private readonly reconnect: Reconnect<Upload>;
  private wanted = false;
  private putting: Promise<void> | undefined;
  private putAgain = false;

  constructor(options: PublisherOptions) {
    this.options = options;
    this.reconnect = new Reconnect<Upload>({
      make: (onState) => this.make(onState),
      whenShown: whenConnected,
      onUse: (session) => options.onConnection(session?.connection),
      onStatus: options.onStatus,
      onGreet: options.onGreet,
      onFailure: options.onFailure,
    });
  }

  want(want: boolean): void {
    this.wanted = want;
    this.reconnect.want(want);
  }

  /** A new session beside the one in use, or the first one. */
  renew(): void {
    if (this.wanted) this.reconnect.renew();
    else this.want(true);
  }

  /** The source's tracks, or the limits, are others now. */
  refresh(): void {
    this.putAgain = true;
    this.putting ??= this.putAll().finally(() => {
      this.putting = undefined;
    });
  }

  private make(onState: (state: LegState) => void): Upload {
    const target = this.options.target();
    if (!target) throw new Error('the server has not said where to publish');
    const { codecs, several, qualities } = this.options;
    return new Upload(
      { ...target, preferVideo: codecs(), qualities: several() ? qualities() : [], onState },
      (session) => this.put(session),
    );
  }

  /** One round at a time; what changes meanwhile makes another round. */
  private async putAll(): Promise<void> {
    while (this.putAgain) {
      this.putAgain = false;
      for (const session of this.reconnect.sessions()) await this.put(session).catch(() => undefined);
    }
  }

  private async put(session: WhipSession): Promise<void> {
    const { audio, video } = this.options.tracks();
    await session.replaceTrack('audio', audio);
    await session.replaceTrack('video', video);
    await session.limitVideo(this.options.limits(), this.options.qualities());
    await session.limitAudio(this.options.audioBitrate);
  }
}

/** A session that has its tracks before it makes its offer. */
class Upload extends WhipSession {
  private readonly put: (session: WhipSession) => Promise<void>;

  constructor(options: ConstructorParameters<typeof WhipSession>[0], put: (session: WhipSession) => Promise<void>) {
    super(options);
    this.put = put;
  }

  override async open(): Promise<void> {
    await this.put(this);
    await super.open();
  }
}

/** There is no picture to wait for on this side: what is connected is sent. */
function whenConnected({ connection }: WhipSession, shown: () => void): () => void {
  const over = new AbortController();
  connection.addEventListener(
    'connectionstatechange',
    () => {
      if (connection.connectionState === 'connected') shown();
    },
    { signal: over.signal },
  );
  return () => over.abort();
}
