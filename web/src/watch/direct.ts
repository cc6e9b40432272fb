// What direct ways alone need, fetched with the first of them: most streams have none.

import { AUDIO_BITRATE, DEFAULTS, limitsFor } from '../media/settings';
import { type Line, Totals, Uplink } from '../stats/total';
import { PeerPath, type PeerPathOptions } from '../topology/peer-path';
import { Serving, type ServingOptions } from '../topology/serving';

export { seal, unseal } from '../topology/envelope';

export const peerPath = (options: PeerPathOptions): PeerPath => new PeerPath(options);

/** A viewer has no settings of its own: what comes is passed on as it is. size: of the picture that comes. */
export interface PassingOptions extends Omit<ServingOptions, 'limits' | 'audioBitrate' | 'codecs'> {
  size(): { width: number; height: number } | undefined;
}

/** Passes on what comes, and learns what the line carries by it. */
export class Passing extends Serving {
  private readonly totals = new Totals();
  private readonly uplink = new Uplink();

  constructor(options: PassingOptions) {
    super({
      ...options,
      limits: () => limitsFor(DEFAULTS, options.size(), 'file'),
      audioBitrate: AUDIO_BITRATE,
      codecs: () => [],
    });
  }

  async line(): Promise<Line> {
    const total = await this.totals.take(this.connections().map((c) => c.connection));
    return this.uplink.observe(total, performance.now());
  }
}

export const passing = (options: PassingOptions): Passing => new Passing(options);
