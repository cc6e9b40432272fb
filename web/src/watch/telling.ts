// Tells whoever compares ways what this page sees, once a second, while the server says that it is wanted.

import type { ClientMessage, Route } from '../signal/msg.gen';
import type { Figures } from '../stats/rates';
import { SeenMeter } from '../stats/seen';
import { deviceOf, hints } from '../topology/facts';
import type { GlassWatch } from './glass';

export interface TellingOptions {
  glass: GlassWatch;
  figures(): Figures | undefined;
  send(message: ClientMessage): void;
}

const EVERY = 1_000; // ms

export class Telling {
  private readonly options: TellingOptions;
  private meter = new SeenMeter();
  private way = '';
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: TellingOptions) {
    this.options = options;
  }

  want(wanted: boolean): void {
    const { glass } = this.options;
    clearInterval(this.timer);
    if (!wanted) {
      glass.hear(undefined);
      return;
    }
    this.meter = new SeenMeter();
    this.timer = setInterval(() => this.tell(), EVERY);
    glass.hear((sample) => {
      if (glass.way !== this.way) this.meter.forget(); // of another way
      this.way = glass.way;
      this.meter.observe(sample);
    });
  }

  private tell(): void {
    const { glass, figures, send } = this.options;
    const device = deviceOf(hints());
    const video = figures()?.tracks.find((t) => t.direction === 'in' && t.kind === 'video');
    const { stalls, join } = glass.view.value;
    const seen = this.meter.take(routeOf(glass.way), { stalls, join, dropped: video?.dropped ?? 0 });
    send({ type: 'figures', ...(device ? { device } : {}), ...seen });
  }
}

/** Before there is a way it is that by the server. */
function routeOf(way: string): Route {
  return way === 'star' || way === 'tree' || way === 'http' ? way : 'sfu';
}
