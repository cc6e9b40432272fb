// One direct peer connection between two pages, for one way. The source offers, the viewer answers; there is
// no renegotiation: one sound and one picture line, whose tracks come, go and change by replaceTrack. It
// carries out and decides nothing.

import type { Signal } from './envelope';
import { withStereo } from './sdp';
import { whenEnded } from './transport';

export interface LinkOptions {
  way: number;
  /** "stun:host:port" of the server's own media port. */
  stun: string | undefined;
  send(signal: Signal): void;
  /** Once: the connection does not come up, or has ended. Never after close(). */
  lost(): void;
}

/** Candidates come in bursts; those of one burst go into one envelope. ms */
const BURST = 20;

export class PeerLink {
  readonly connection: RTCPeerConnection;
  /** A small channel beside the media, of which some messages may be lost: for the clocks of both sides. */
  readonly side: RTCDataChannel;
  private readonly options: LinkOptions;
  private found: RTCIceCandidateInit[] = [];
  private flushing: ReturnType<typeof setTimeout> | undefined;
  /** Candidates that came before the description they belong to. */
  private early: RTCIceCandidateInit[] = [];
  /** One after the other: a description that is being taken must be there before what follows it. */
  private work: Promise<void> = Promise.resolve();
  private over = false;

  constructor(options: LinkOptions) {
    this.options = options;
    this.connection = new RTCPeerConnection({
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
      iceServers: options.stun ? [{ urls: options.stun }] : [],
    });
    this.side = this.connection.createDataChannel('side', {
      negotiated: true,
      id: 0,
      ordered: false,
      maxRetransmits: 0,
    });
    this.connection.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) this.gather(candidate.toJSON());
    });
    this.connection.addEventListener('connectionstatechange', () => {
      const { connectionState } = this.connection;
      if (connectionState === 'failed' || connectionState === 'closed') this.lose();
    });
  }

  /** The source's beginning; its transceivers are there already. */
  offer(): void {
    this.queue(async () => {
      const { sdp = '' } = await this.connection.createOffer();
      const offer = withStereo(sdp);
      await this.connection.setLocalDescription({ type: 'offer', sdp: offer });
      this.options.send({ way: this.options.way, offer });
    });
  }

  /** What the other side says. adapt changes its description as this browser is to hear it. */
  hear(signal: Signal, adapt: (sdp: string) => string = (sdp) => sdp, described: () => void = () => undefined): void {
    if ('candidates' in signal) this.queue(() => this.add(signal.candidates));
    else if ('offer' in signal) this.queue(() => this.answer(signal.offer));
    else
      this.queue(async () => {
        await this.describe({ type: 'answer', sdp: adapt(withStereo(signal.answer)) });
        described();
      });
  }

  close(): void {
    this.over = true;
    clearTimeout(this.flushing);
    this.connection.close();
  }

  private async answer(offer: string): Promise<void> {
    await this.describe({ type: 'offer', sdp: offer });
    const { sdp = '' } = await this.connection.createAnswer();
    const answer = withStereo(sdp);
    await this.connection.setLocalDescription({ type: 'answer', sdp: answer });
    this.options.send({ way: this.options.way, answer });
    whenEnded(this.connection, () => this.lose());
  }

  private async describe(description: RTCSessionDescriptionInit): Promise<void> {
    await this.connection.setRemoteDescription(description);
    if (description.type === 'answer') whenEnded(this.connection, () => this.lose());
    const early = this.early;
    this.early = [];
    await this.add(early);
  }

  private async add(candidates: readonly RTCIceCandidateInit[]): Promise<void> {
    if (!this.connection.remoteDescription) {
      this.early.push(...candidates);
      return;
    }
    // One that this browser cannot read is one way less, and no reason to give up the others.
    for (const candidate of candidates) await this.connection.addIceCandidate(candidate).catch(() => undefined);
  }

  private queue(step: () => Promise<void>): void {
    this.work = this.work.then(() => (this.over ? undefined : step())).catch(() => this.lose());
  }

  private gather(candidate: RTCIceCandidateInit): void {
    this.found.push(candidate);
    this.flushing ??= setTimeout(() => {
      this.flushing = undefined;
      const candidates = this.found;
      this.found = [];
      // After the description, which is in the queue before it.
      this.queue(async () => this.options.send({ way: this.options.way, candidates }));
    }, BURST);
  }

  private lose(): void {
    if (this.over) return;
    this.over = true;
    this.options.lost();
  }
}
