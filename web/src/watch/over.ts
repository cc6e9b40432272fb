// What is no path, but a source that an element plays itself, over the picture of paths: it is seen from its first
// picture on, and gone with the next one below.

import { atNextPicture } from './next-picture';
import type { Player } from './player';

export class Over {
  private readonly player: Player;
  private stopWaiting = (): void => undefined;
  /** It is to go: told once it is gone. */
  private going: (() => void) | undefined;

  constructor(player: Player) {
    this.player = player;
  }

  /** Lets this attach to the element; seen: its first picture is there. */
  show(attach: (video: HTMLVideoElement) => void, seen: () => void): void {
    const { player } = this;
    this.close();
    if (!player.seesSecond) player.second.muted = true;
    attach(player.second);
    if (!player.stopped) void player.start();
    this.stopWaiting = atNextPicture(player.second, () => {
      player.show(player.second);
      seen();
    });
  }

  /** The picture of paths again, from its next one on. gone: told then, or when something else comes over it. */
  leave(gone: () => void): void {
    const { player } = this;
    this.close();
    this.going = gone;
    this.stopWaiting = atNextPicture(player.video, () => {
      player.show(player.video);
      this.close();
      player.second.removeAttribute('src');
      player.second.load();
    });
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.stopWaiting();
    const { going } = this;
    this.going = undefined;
    going?.();
  }
}
