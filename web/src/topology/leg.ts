// One peer connection to the server by WHIP or WHEP: what both ends of the stream have in
// common. It says what happened; rejoin.ts decides what follows from it.

import { AnswerRefused } from './failure';
import { HttpProblem, type Resource, ResourceClient } from './http';
import type { Picture, Wish } from './picture';
import { answerAfterRestart, restartFragment, withRoundTrip, withStartBitrate, withStereo } from './sdp';
import { whenEnded } from './transport';

/** How a leg is doing, in the order of its life. */
export type LegState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

export interface LegOptions {
  /** URL of the WHIP or WHEP endpoint. */
  url: string;
  token: string | undefined;
  /** "stun:host:port" of the server's own media port. */
  stun: string | undefined;
  /** Bits a second to begin the picture with, for a leg that sends; undefined leaves it to the browser. */
  startBitrate?: number;
  /** It receives, and asks for the round trip, which the browser needs to tell when pictures were captured. */
  receives?: boolean;
  onState(state: LegState): void;
}

export class Leg {
  readonly connection: RTCPeerConnection;
  private readonly http: ResourceClient;
  private readonly options: LegOptions;
  private resource: Resource | undefined;
  private last: LegState = 'new';

  constructor(options: LegOptions) {
    this.options = options;
    this.http = new ResourceClient(options.url, options.token);
    this.connection = new RTCPeerConnection({
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
      iceServers: options.stun ? [{ urls: options.stun }] : [],
    });
    this.connection.addEventListener('connectionstatechange', () => this.told());
    this.connection.addEventListener('iceconnectionstatechange', () => this.told());
  }

  get state(): LegState {
    return this.last;
  }

  /**
   * Sends the offer and takes the answer. The transceivers must be there already. No candidate
   * is waited for: the server learns the browser's address from its connectivity checks.
   * Throws HttpProblem, AnswerRefused, or the browser's own error where it makes no offer.
   */
  async open(): Promise<void> {
    const offer = await this.connection.createOffer();
    const sdp = this.local(offer.sdp ?? '');
    await this.connection.setLocalDescription({ type: 'offer', sdp });
    const resource = await this.http.post(sdp);
    this.resource = resource;
    if (this.last === 'closed') return this.forget();
    try {
      await this.connection.setRemoteDescription({ type: 'answer', sdp: this.remote(resource.answer) });
    } catch (cause) {
      throw new AnswerRefused(cause instanceof Error ? cause.message : '', { cause });
    }
    this.watchTransport();
  }

  /** The browser's offer as it is to be made. */
  private local(offer: string): string {
    const sdp = withStereo(offer);
    return this.options.receives ? withRoundTrip(sdp) : sdp;
  }

  /** The server's answer as the browser is to hear it. */
  private remote(answer: string): string {
    const sdp = withStereo(answer);
    return this.options.startBitrate === undefined ? sdp : withStartBitrate(sdp, this.options.startBitrate);
  }

  /** ICE restart on the same session (RFC 9725 section 4.3.2). Throws HttpProblem. */
  async restart(): Promise<void> {
    const resource = this.resource;
    if (!resource) throw new HttpProblem(0, 'There is no session to restart.');
    const offer = await this.connection.createOffer({ iceRestart: true });
    const sdp = this.local(offer.sdp ?? '');
    await this.connection.setLocalDescription({ type: 'offer', sdp });
    try {
      const { fragment, etag } = await this.http.restart(resource, restartFragment(sdp));
      const answer = answerAfterRestart(resource.answer, fragment);
      this.resource = { location: resource.location, etag, answer };
      await this.connection.setRemoteDescription({ type: 'answer', sdp: this.remote(answer) });
    } catch (cause) {
      if (cause instanceof HttpProblem && (cause.status === 404 || cause.status === 410)) this.orphan();
      // Back to the old credentials: the old path may yet come back by itself.
      if (this.connection.signalingState === 'have-local-offer') {
        await this.connection.setLocalDescription({ type: 'rollback' });
      }
      throw cause;
    }
  }

  /** What a viewer gets of the picture, and first, if given, what it wants. Throws HttpProblem. */
  picture(wish: Wish | undefined): Promise<Picture> {
    if (!this.resource) return Promise.reject(new HttpProblem(0, 'There is no session to ask about.'));
    return this.http.picture(this.resource, wish);
  }

  /** The server has forgotten the session: nothing is said about it any more. */
  orphan(): void {
    this.resource = undefined;
  }

  /** Ends the session on both sides. Safe to call at any time, more than once, and while the page is being left. */
  close(): void {
    if (this.last === 'closed') return;
    this.last = 'closed';
    this.connection.close();
    this.forget();
  }

  private forget(): void {
    if (this.resource) void this.http.remove(this.resource);
    this.orphan();
  }

  private watchTransport(): void {
    whenEnded(this.connection, (how) => {
      if (how === 'closed') this.orphan();
      this.tell('failed');
    });
  }

  private told(): void {
    const ice = this.connection.iceConnectionState;
    // iceConnectionState tells of a lost network; connectionState adds DTLS. The worse one counts.
    if (ice === 'failed' || ice === 'disconnected') this.tell(ice);
    else this.tell(this.connection.connectionState);
  }

  private tell(state: LegState): void {
    if (state === this.last || this.last === 'closed') return;
    this.last = state;
    this.options.onState(state);
  }
}
