// Keeps the screen from going dark (Screen Wake Lock API), where the browser can. The browser
// takes the lock away when the tab is hidden; it is asked for again when the tab is back.

export class Awake {
  private wanted = false;
  private lock: WakeLockSentinel | undefined;
  private asking = false;
  private readonly again = (): void => void this.ask();

  constructor() {
    document.addEventListener('visibilitychange', this.again);
  }

  want(wanted: boolean): void {
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    if (wanted) void this.ask();
    else void this.release();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.again);
    this.want(false);
  }

  private async ask(): Promise<void> {
    if (!this.wanted || this.asking || document.hidden || !('wakeLock' in navigator)) return;
    if (this.lock && !this.lock.released) return;
    this.asking = true;
    try {
      this.lock = await navigator.wakeLock.request('screen');
    } catch {
      // An empty battery or the system's settings forbid it.
    }
    this.asking = false;
    if (!this.wanted) await this.release();
  }

  private async release(): Promise<void> {
    const lock = this.lock;
    this.lock = undefined;
    await lock?.release().catch(() => undefined);
  }
}
