// A viewer's part in passing the picture on: tells the server what this machine is and how its line does, and
// serves those whom the server sends here. Whether it may is the server's plan, and the person's word.

import { signal } from '@preact/signals';
import type { Tracks } from '../media/source';
import type { ClientMessage } from '../signal/msg.gen';
import type { Figures } from '../stats/rates';
import type { Line } from '../stats/total';
import type { Heard, Signal } from '../topology/envelope';
import { compact, deviceOf, type Facts, hints, isMetered, Teller, whole } from '../topology/facts';
import type { Path } from '../topology/path';
import type { Told } from '../topology/side-clock';
import type { Passing, PassingOptions } from './direct';

export interface PassOnOptions {
  send(message: ClientMessage): void;
  /** To the other end of a direct way. */
  signal(to: string, signal: Signal): void;
  /** Makes what serves others. */
  passing(options: PassingOptions): Passing;
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
  /** There once something has been passed on. */
  private passing: Passing | undefined;
  private readonly teller = new Teller();
  private line: Line = { uplink: undefined, atLeast: false };
  private welcomed = false;
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly listening = new AbortController();

  constructor(options: PassOnOptions) {
    this.options = options;
  }

  begin(): void {
    document.addEventListener('visibilitychange', () => this.tell(), { signal: this.listening.signal });
    this.timer = setInterval(() => void this.look(), LOOK);
  }

  /** The server has let this page in, perhaps anew. */
  welcome(): void {
    this.welcomed = true;
    this.passing?.welcome();
    this.teller.reset();
    this.tell();
  }

  /** Whether the message was for this side of the page. */
  hear(message: Heard): boolean {
    switch (message.type) {
      case 'serve':
        if (this.refuses.value) this.options.send({ type: 'way-state', way: message.way, state: 'failed' });
        else this.server().serve(message.way, message.to);
        return true;
      case 'way-end':
        return this.passing?.end(message.way) ?? false;
      case 'signal':
        return this.passing?.hear(message.from, message.signal) ?? false;
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
    this.passing?.refresh();
  }

  /** The stream is over, or this page may not watch any more. */
  stop(): void {
    this.passing?.close();
  }

  close(): void {
    clearInterval(this.timer);
    this.listening.abort();
    this.stop();
  }

  private server(): Passing {
    const { options } = this;
    this.passing ??= options.passing({
      stun: options.stun,
      tracks: () => this.tracks(),
      size: () => this.size(),
      clock: options.clock,
      send: options.signal,
      failed: (way) => options.send({ type: 'way-state', way, state: 'failed' }),
      changed: () => {
        this.served.value = this.passing?.size ?? 0;
      },
    });
    return this.passing;
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
    if (this.passing) this.line = await this.passing.line();
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
