// Makes a browser look for garbage while much passes through a worker. What stands round each leaf on its way
// (events, handles, promises) is small, and browsers let it lie until there is much of it. Not for the page's
// thread, where leaves are verified: much lives there at any moment, and for all that outlives a look Chromium
// gives a thread more memory for what is new, and keeps it.

/** After so many bytes of leaves the browser is to look, and so many that are asked for make it do so. */
const LOOK_AFTER = 16 * 1024 * 1024;
const MUCH = 64 * 1024 * 1024;

export class Garbage {
  private passed = 0;

  /** So many bytes have gone through this thread. */
  add(bytes: number): void {
    this.passed += bytes;
    if (this.passed < LOOK_AFTER) return;
    this.passed = 0;
    look();
  }
}

/** Memory that is asked for and never touched takes none, but counts. */
function look(): void {
  try {
    void new ArrayBuffer(MUCH);
  } catch {
    // A device with little memory looks often enough.
  }
}
