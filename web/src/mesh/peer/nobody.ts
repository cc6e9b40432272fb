// Lets go of memory at once. What came by a message of a data channel, or from another thread, lies in
// Chromium until it looks for garbage, which may be gigabytes later: it counts only what scripts can see of
// a buffer, and ArrayBuffer.transfer takes away no more than that. What is handed over to a worker that has
// ended is gone.

/** Who gets it; undefined before the first, null where no worker can be had. */
let nobody: Worker | null | undefined;

function ended(): Worker | null {
  try {
    const worker = new Worker(new URL('./sink-worker.ts', import.meta.url), { type: 'module' });
    worker.terminate();
    return worker;
  } catch {
    return null; // then it lies a little longer
  }
}

/** Nobody may use this memory from then on. */
export function letGo(memory: ArrayBuffer): void {
  // Chromium alone needs it, and tells itself by this.
  if (typeof Worker === 'undefined' || !('userAgentData' in navigator)) return;
  if (nobody === undefined) nobody = ended();
  nobody?.postMessage(undefined, [memory]);
}
