// What few viewers ever need, and the page fetches when one does: plain HTTP where nothing else comes through, and
// figures for whoever compares ways.

import type { Signal } from '@preact/signals';
import type { ClientMessage } from '../signal/msg.gen';
import type { Figures } from '../stats/rates';
import type { Path } from '../topology/path';
import { Fallback } from './fallback';
import type { GlassWatch } from './glass';
import { Over } from './over';
import type { Player } from './player';
import { Telling } from './telling';

export interface Wish {
  what: 'http' | 'telling';
  want: boolean;
}

export interface SeldomOptions {
  device: Player;
  glass: GlassWatch;
  /** Plain HTTP is what is on the screen. */
  byHttp: Signal<boolean>;
  /** Where to ask for it. */
  play(): { url: string; token: string | undefined };
  /** What is shown when it is not. */
  path(): Path | undefined;
  figures(): Figures | undefined;
  send(message: ClientMessage): void;
}

export class Seldom {
  private readonly over: Over;
  private readonly fallback: Fallback;
  private readonly telling: Telling;

  constructor(options: SeldomOptions) {
    const { device, glass, byHttp, path } = options;
    const over = new Over(device);
    this.over = over;
    this.telling = new Telling(options);
    this.fallback = new Fallback({
      playing: byHttp,
      server: options.play,
      over: (attach, seen) =>
        over.show(attach, () => {
          seen();
          glass.use('http', undefined, device.second);
        }),
      below: (gone) =>
        over.leave(() => {
          gone();
          glass.use(path()?.topology ?? '', path(), device.video);
        }),
      onSnapshot: (snapshot) => glass.snapshot(snapshot),
    });
  }

  want({ what, want }: Wish): void {
    if (what === 'http') this.fallback.want(want);
    else this.telling.want(want);
  }

  close(): void {
    this.fallback.want(false);
    this.telling.want(false);
    this.over.close();
  }
}
