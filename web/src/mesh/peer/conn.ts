// One peer connection with its two data channels, which both sides know beforehand (docs/MESH.md
// section 6). It carries bytes and tells when it is ready and when it is gone; it knows no frames.

import type { Bytes } from '../bytes';
import { Inbox, type Port, type Take, type Way } from './way';

export interface ConnHandlers {
  /** An address of ours, and "" at their end. */
  found(candidate: string): void;
  /** Both channels are open. */
  ready(): void;
  /** The connection has failed or was closed; told once. */
  gone(): void;
}

/**
 * How many bytes may lie in a channel before whoever sends waits, and when it goes on. What is on its way does not count. With little
 * waiting the browser uses the same memory again and again: with 2 MiB a channel is slower by an eighth (docs/adr/0024).
 */
const HIGH = 256 * 1024;
const LOW = 128 * 1024;

/** A data channel that takes whole messages. */
export class Channel implements Port {
  private readonly dc: RTCDataChannel;
  private readonly inbox = new Inbox();
  private waiting: (() => void)[] = [];

  constructor(dc: RTCDataChannel) {
    this.dc = dc;
    dc.binaryType = 'arraybuffer';
    dc.bufferedAmountLowThreshold = LOW;
    dc.addEventListener('bufferedamountlow', () => this.wake());
    dc.addEventListener('close', () => this.wake());
    dc.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      // Text is not of this protocol: an empty frame, which is refused as one.
      this.inbox.put(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array());
    });
  }

  get open(): boolean {
    return this.dc.readyState === 'open';
  }

  get buffered(): number {
    return this.dc.bufferedAmount;
  }

  listen(take: Take): void {
    this.inbox.listen(take);
  }

  once(take: Take): void {
    this.inbox.once(take);
  }

  send(message: Bytes): boolean {
    if (!this.open) return false;
    try {
      this.dc.send(message);
      return true;
    } catch {
      return false; // its buffer is full, or it has closed in this moment
    }
  }

  room(): Promise<void> {
    if (!this.open || this.dc.bufferedAmount < HIGH) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export class Conn implements Way {
  readonly control: Channel;
  readonly lane: Channel;
  private readonly pc: RTCPeerConnection;
  private on: ConnHandlers;
  private opened = 0;
  private lost = false;
  private fail: (error: Error) => void = () => undefined;
  /** Fails with the end of the connection. */
  private readonly over = new Promise<never>((_, reject) => {
    this.fail = reject;
  });

  constructor(certificate: RTCCertificate, iceServers: RTCIceServer[], on: ConnHandlers) {
    this.on = on;
    this.over.catch(() => undefined); // whoever waits hears of it
    this.pc = new RTCPeerConnection({ certificates: [certificate], iceServers });
    this.control = new Channel(this.make('control', 0, true));
    this.lane = new Channel(this.make('lane', 1, false));
    this.pc.addEventListener('icecandidate', ({ candidate }) => {
      if (!this.lost) on.found(candidate?.candidate ?? '');
    });
    this.pc.addEventListener('connectionstatechange', () => {
      if (this.pc.connectionState === 'failed' || this.pc.connectionState === 'closed') this.gone();
    });
  }

  async offer(): Promise<string> {
    const offer = await this.alive(this.pc.createOffer());
    await this.alive(this.pc.setLocalDescription(offer));
    return offer.sdp ?? '';
  }

  async answer(sdp: string): Promise<string> {
    await this.alive(this.pc.setRemoteDescription({ type: 'offer', sdp }));
    const answer = await this.alive(this.pc.createAnswer());
    await this.alive(this.pc.setLocalDescription(answer));
    return answer.sdp ?? '';
  }

  accept(sdp: string): Promise<void> {
    return this.alive(this.pc.setRemoteDescription({ type: 'answer', sdp }));
  }

  /** An address of the other side. One that cannot be used is no harm. */
  async candidate(candidate: string): Promise<void> {
    if (candidate === '' || this.lost) return;
    const added = this.pc.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 });
    await this.alive(added).catch(() => undefined);
  }

  /** What the other side's browser takes. */
  get largest(): number {
    const size = this.pc.sctp?.maxMessageSize ?? 0;
    return size > 0 ? size : 65_536;
  }

  /** Checks of the path were not answered for some seconds. */
  get silent(): boolean {
    return this.pc.connectionState === 'disconnected';
  }

  /**
   * Whether the path leads through a TURN server; undefined while that is not known. By the names of getStats
   * themselves (stats/vocabulary.ts).
   */
  async relayed(): Promise<boolean | undefined> {
    const stats = await this.pc.getStats();
    for (const one of stats.values()) {
      if (one.type !== 'candidate-pair' || one.state !== 'succeeded' || !one.nominated) continue;
      const ends = [stats.get(one.localCandidateId), stats.get(one.remoteCandidateId)];
      return ends.some((end) => end?.candidateType === 'relay');
    }
    return undefined;
  }

  onGone(gone: () => void): void {
    this.on = { ...this.on, gone };
    if (this.lost) gone();
  }

  close(): void {
    this.lost = true;
    this.pc.close();
    this.fail(new Error('the connection was closed'));
  }

  /** Browsers never settle what is under way in a connection that was closed (WebRTC, section 4.4.1.2). */
  private alive<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.over]);
  }

  private make(label: string, id: number, ordered: boolean): RTCDataChannel {
    const dc = this.pc.createDataChannel(label, { negotiated: true, id, ordered });
    dc.addEventListener('open', () => {
      this.opened += 1;
      if (this.opened === 2 && !this.lost) this.on.ready();
    });
    dc.addEventListener('close', () => this.gone());
    return dc;
  }

  private gone(): void {
    if (this.lost) return;
    this.close();
    this.on.gone();
  }
}
