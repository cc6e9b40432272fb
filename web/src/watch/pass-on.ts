// A viewer's part in passing the picture on: tells the server what this machine is and how its line does, and
// serves those whom the server sends here. Whether it may is the server's plan, and the person's word.

import { signal } from '@preact/signals';
import { AUDIO_BITRATE, DEFAULTS, limitsFor } from '../media/settings';
import type { Tracks } from '../media/source';
import type { ClientMessage, Deliver, EndWay, Serve, Way } from '../signal/msg.gen';
import type { Figures } from '../stats/rates';
import { Totals, Uplink } from '../stats/total';
import { seal, unseal } from '../topology/envelope';
import { compact, deviceOf, type Facts, hints, isMetered, Teller, whole } from '../topology/facts';
import type { Path } from '../topology/path';
import { Serving } from '../topology/serving';
import type { Told } from '../topology/side-clock';

export interface PassOnOptions {
  send(message: ClientMessage): void;
  /** What is shown here, and so can be passed on. */
  path(): Path | undefined;
  stun(): string | undefined;
  viewers(): number;
  /** To the server, ms. */
  roundTrip(): number | undefined;
  figures(): Figures | undefined;
  /** The clock that is drawn into the picture, as far as this page knows it. */
  clock(): Told;
}

const KEY = 'fanfare.pass-on';
const LOOK = 1_000; // ms

export class PassOn {
  /** The person does not want this device to pass anything on. */
  readonly refuses = signal(kept() === 'no');
  /** To how many it is passed on now. */
  readonly served = signal(0);
  /** From capture to this screen in ms, where the page measures it. */
  readonly delay = signal<number | undefined>(undefined);
  private readonly options: PassOnOptions;
  private readonly serving: Serving;
  private readonly teller = new Teller();
  private readonly totals = new Totals();
  private readonly uplink = new Uplink();
  private line: { uplink: number | undefined; atLeast: boolean } = { uplink: undefined, atLeast: false };
  private welcomed = false;
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly listening = new AbortController();

  constructor(options: PassOnOptions) {
    this.options = options;
    this.serving = new Serving({
      stun: options.stun,
      tracks: () => this.tracks(),
      limits: () => limitsFor(DEFAULTS, this.size(), 'file'),
      audioBitrate: AUDIO_BITRATE,
      codecs: () => [],
      clock: options.clock,
      send: (to, message) => options.send({ type: 'send', to, sealed: seal(message) }),
      failed: (way) => options.send({ type: 'way-state', way, state: 'failed' }),
      changed: () => {
        this.served.value = this.serving.size;
      },
    });
  }

  begin(): void {
    document.addEventListener('visibilitychange', () => this.tell(), { signal: this.listening.signal });
    this.timer = setInterval(() => void this.look(), LOOK);
  }

  /** The server has let this page in, perhaps anew. */
  welcome(): void {
    this.welcomed = true;
    this.teller.reset();
    this.tell();
  }

  /** Whether the message was for this side of the page. */
  hear(message: Way | EndWay | Deliver | Serve): boolean {
    switch (message.type) {
      case 'serve':
        if (this.refuses.value) this.options.send({ type: 'way-state', way: message.way, state: 'failed' });
        else this.serving.serve(message.way, message.to);
        return true;
      case 'way-end':
        return this.serving.end(message.way);
      case 'deliver': {
        const heard = unseal(message.sealed);
        return heard !== undefined && this.serving.hear(message.from, heard);
      }
      default:
        return false;
    }
  }

  refuse(refuses: boolean): void {
    this.refuses.value = refuses;
    keep(refuses);
    this.tell();
  }

  /** What is shown here comes by another path now. */
  refresh(): void {
    this.serving.refresh();
  }

  /** The stream is over, or this page may not watch any more. */
  stop(): void {
    this.serving.close();
  }

  close(): void {
    clearInterval(this.timer);
    this.listening.abort();
    this.stop();
  }

  private tracks(): Tracks {
    const stream = this.options.path()?.stream;
    return { video: stream?.getVideoTracks()[0] ?? null, audio: stream?.getAudioTracks()[0] ?? null };
  }

  /** Of the picture that comes. */
  private size(): { width: number; height: number } | undefined {
    const video = this.options.figures()?.tracks.find((t) => t.direction === 'in' && t.kind === 'video');
    return video?.width && video.height ? { width: video.width, height: video.height } : undefined;
  }

  private async look(): Promise<void> {
    const connections = this.serving.connections().map((c) => c.connection);
    const total = await this.totals.take(connections);
    this.line = this.uplink.observe(total, performance.now());
    this.tell();
  }

  private tell(): void {
    if (!this.welcomed) return;
    const message = this.teller.take(this.facts(), this.options.viewers(), performance.now());
    if (message) this.options.send(message);
  }

  private facts(): Facts {
    const known = hints();
    return compact({
      device: deviceOf(known),
      hidden: document.visibilityState === 'hidden',
      metered: isMetered(known),
      refuses: this.refuses.value,
      roundTrip: whole(this.options.roundTrip()),
      uplink: whole(this.line.uplink),
      atLeast: this.line.uplink !== undefined && this.line.atLeast,
      leg: whole(legOf(this.options.figures())),
      delay: whole(this.delay.value),
    });
  }
}

/** Half the round trip and what waits in the buffer, in ms: what the last step to this screen takes at least. */
function legOf(figures: Figures | undefined): number | undefined {
  const video = figures?.tracks.find((t) => t.direction === 'in' && t.kind === 'video');
  if (video?.buffer === undefined) return undefined;
  return ((figures?.roundTrip ?? 0) / 2 + video.buffer) * 1000;
}

function kept(): string | null {
  try {
    return window.localStorage.getItem(KEY);
  } catch {
    return null; // storage is barred here; the choice lasts as long as the page
  }
}

function keep(refuses: boolean): void {
  try {
    if (refuses) window.localStorage.setItem(KEY, 'no');
    else window.localStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}
