// Further devices that get the picture straight from this page, or from each other: the server says to whom
// this page is to send, as it does to an uploader's studio.

import { AUDIO_BITRATE, codecOrder, DEFAULTS, limitsFor } from '../media/settings';
import { pageNow } from '../signal/client';
import type { ServerMessage, Topology } from '../signal/msg.gen';
import { seal, unseal } from '../topology/envelope';
import { stunUrl } from '../topology/sdp';
import { Serving } from '../topology/serving';
import type { Room } from './room';
import type { Sending } from './source';

export class Further {
  private readonly room: Room;
  private readonly serving: Serving;

  constructor(room: Room, source: Sending) {
    this.room = room;
    this.serving = new Serving({
      stun: () => stunUrl(room.welcome.stun, window.location.hostname),
      tracks: () => source.tracks(),
      limits: () => limitsFor(DEFAULTS, source.size(), 'file'),
      audioBitrate: AUDIO_BITRATE,
      codecs: () => codecOrder(DEFAULTS.codec),
      send: (to, signal) => room.send({ type: 'send', to, sealed: seal(signal) }),
      failed: (way) => room.send({ type: 'way-state', way, state: 'failed' }),
      // This page draws the time into the picture, so its word on it is right by definition.
      clock: () => ({ time: pageNow() + room.clock.offset, error: 0 }),
    });
  }

  /** From now on; the devices keep their picture until the new way shows one. */
  watchBy(topology: Topology): void {
    this.room.send({ type: 'set-topology', topology });
  }

  hear(message: ServerMessage): void {
    switch (message.type) {
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

  refresh(): void {
    this.serving.refresh();
  }

  close(): void {
    this.serving.close();
  }
}
