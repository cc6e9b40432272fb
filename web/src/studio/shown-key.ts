// The key that the server is shown, and where it is kept: on this device, or for this tab only.

import { signal } from '@preact/signals';
import { dropKey, dropWrong, isKept, type Keeps, keepKey, keptKey } from '../signal/key';

export class ShownKey {
  /** It is kept for longer than this tab. */
  readonly kept = signal(false);
  private readonly keeps: Keeps;
  private shown: { text: string; remember: boolean } | undefined;

  constructor(keeps: Keeps) {
    this.keeps = keeps;
  }

  /** The server is shown this one; it is kept once it works. */
  show(text: string, remember: boolean): void {
    this.shown = { text, remember };
  }

  /** Keeps the key on this device, or for this tab only. */
  remember(remember: boolean): void {
    const key = keptKey(this.keeps);
    if (key) {
      dropKey(this.keeps);
      keepKey(key, remember, this.keeps);
    }
    if (this.shown) this.shown.remember = remember;
    this.kept.value = remember;
  }

  works(): void {
    if (this.shown) keepKey(this.shown.text, this.shown.remember, this.keeps);
    this.kept.value = isKept(this.keeps);
  }

  wrong(): void {
    if (this.shown) dropWrong(this.shown.text, this.keeps);
    this.shown = undefined;
    this.kept.value = isKept(this.keeps);
  }

  forget(): void {
    this.shown = undefined;
    dropKey(this.keeps);
    this.kept.value = false;
  }
}
