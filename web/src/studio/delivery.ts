// How viewers get the stream, at the uploader: tells the server what was chosen and what this line does,
// serves those viewers whom the server sends here, and keeps what the server says it comes to.

import { signal } from '@preact/signals';
import { AUDIO_BITRATE } from '../media/settings';
import type { Tracks } from '../media/source';
import type { ClientMessage, Plan, ServerMessage, Topology } from '../signal/msg.gen';
import { Recorded, type Total, Totals, Uplink } from '../stats/total';
import type { Snapshot } from '../stats/vocabulary';
import { seal, unseal } from '../topology/envelope';
import { compact, type Facts, Teller, whole } from '../topology/facts';
import { Serving } from '../topology/serving';
import type { Told } from '../topology/side-clock';
import type { VideoLimits } from '../topology/whip';

export interface DeliveryOptions {
  /** What the person chose. */
  topology(): Topology;
  send(message: ClientMessage): void;
  stun(): string | undefined;
  tracks(): Tracks;
  limits(): VideoLimits;
  codecs(): readonly string[];
  /** The connection to the server that is in use. */
  connection(): RTCPeerConnection | undefined;
  /** Bytes that went up by plain HTTP in all; undefined while nothing does. */
  recorded(): number | undefined;
  viewers(): number;
  /** To the server, ms. */
  roundTrip(): number | undefined;
  /** The clock that is drawn into the picture. */
  clock(): Told;
  /** What a direct connection to a viewer said. number: the viewer's, counted from 1 in the order of coming. */
  direct(number: number, snapshot: Snapshot): void;
  /** Whether the server's copy is needed in full has changed. */
  spared(): void;
}

const LOOK = 1_000; // ms
const NOTHING: Total = { bitrateOut: 0, encodes: 0, available: undefined, limited: false };

export class Delivery {
  /** What it comes to, as the server says. */
  readonly plan = signal<Omit<Plan, 'type'> | undefined>(undefined);
  /** Nobody needs the server's copy now: a small one keeps the way warm. */
  readonly spared = signal(false);
  /** What this page sends in all. */
  readonly total = signal<Total>(NOTHING);
  private readonly options: DeliveryOptions;
  private readonly serving: Serving;
  private readonly totals = new Totals();
  /** Viewers that had a direct way, by their endpoints. */
  private readonly numbers = new Map<string, number>();
  private readonly byHttp = new Recorded();
  private readonly uplink = new Uplink();
  private readonly teller = new Teller();
  private line: ReturnType<Uplink['observe']> = { uplink: undefined, atLeast: false };
  private welcomed = false;

  constructor(options: DeliveryOptions) {
    this.options = options;
    this.serving = new Serving({
      stun: options.stun,
      tracks: options.tracks,
      limits: options.limits,
      audioBitrate: AUDIO_BITRATE,
      codecs: options.codecs,
      send: (to, message) => options.send({ type: 'send', to, sealed: seal(message) }),
      clock: options.clock,
      failed: (way) => options.send({ type: 'way-state', way, state: 'failed' }),
    });
  }

  /** For as long as the page is open. */
  begin(): void {
    document.addEventListener('visibilitychange', () => this.tell());
    setInterval(() => void this.look(), LOOK);
  }

  hear(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.welcome();
        break;
      case 'moved': // whoever had the old link is to get nothing more
        this.stop();
        break;
      case 'plan':
        this.plan.value = message;
        break;
      case 'server-copy':
        this.spare(!message.wanted);
        break;
      case 'serve':
        this.serving.serve(message.way, message.to);
        break;
      case 'way-end':
        this.serving.end(message.way);
        break;
      case 'deliver': {
        const heard = unseal(message.sealed);
        if (heard) this.serving.hear(message.from, heard);
        break;
      }
      default:
        break;
    }
  }

  /** The source's tracks, or the limits, are others now. */
  refresh(): void {
    this.serving.refresh();
    this.tell();
  }

  /** Nobody is to get anything from this page any more. */
  stop(): void {
    this.serving.close();
    this.plan.value = undefined;
    this.spare(false);
  }

  private spare(spared: boolean): void {
    if (spared === this.spared.value) return;
    this.spared.value = spared;
    this.options.spared();
  }

  /** Direct ways went on while the server was away; it names those that are wanted. */
  private welcome(): void {
    this.welcomed = true;
    this.serving.welcome();
    this.teller.reset();
    this.spare(false);
    this.options.send({ type: 'set-topology', topology: this.options.topology() });
    this.tell();
  }

  private async look(): Promise<void> {
    const server = this.options.connection();
    const ways = this.serving.connections();
    const connections = ways.map((c) => c.connection);
    const live = await this.totals.take(server ? [server, ...connections] : connections);
    this.sampled(ways);
    const now = performance.now();
    const { bitrateOut, encodes } = this.byHttp.observe(this.options.recorded(), now);
    this.total.value = { ...live, bitrateOut: live.bitrateOut + bitrateOut, encodes: live.encodes + encodes };
    this.line = this.uplink.observe(live, now);
    this.tell();
  }

  /** Tells what the direct connections said. */
  private sampled(ways: ReturnType<Serving['connections']>): void {
    for (const { to, connection } of ways) {
      const snapshot = this.totals.last.get(connection);
      const number = this.numbers.get(to) ?? this.numbers.size + 1;
      this.numbers.set(to, number);
      if (snapshot) this.options.direct(number, snapshot);
    }
  }

  private tell(): void {
    if (!this.welcomed) return;
    const message = this.teller.take(this.facts(), this.options.viewers(), performance.now());
    if (message) this.options.send(message);
  }

  private facts(): Facts {
    return compact({
      hidden: document.visibilityState === 'hidden',
      roundTrip: whole(this.options.roundTrip()),
      uplink: whole(this.line.uplink),
      atLeast: this.line.uplink !== undefined && this.line.atLeast,
      bitrate: whole((this.options.limits().maxBitrate ?? 0) + AUDIO_BITRATE),
    });
  }
}
