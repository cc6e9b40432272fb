// When a path has its first decoded picture. Counters of the connection are asked, not a media
// element: they count in hidden tabs too, and before the path is on the screen.

import { sample } from '../stats/sample';
import type { Snapshot } from '../stats/vocabulary';

const SOON = 100; // ms between two looks in the first seconds
const LATER = 1_000; // ms afterwards: a stream that is not live yet may be waited for all night
const SOON_LASTS = 10_000; // ms

/** Whether a snapshot shows a decoded picture, or, where there is no picture to come, sound. */
export function hasShown(snapshot: Snapshot, videoExpected: boolean): boolean {
  return snapshot.inbound.some((t) => (t.kind === 'video' ? t.framesDecoded > 0 : !videoExpected && t.packets > 0));
}

/** Calls back once when what a path's connection brings has been shown. The result ends the waiting. */
export function whenShown(connection: RTCPeerConnection, videoExpected: () => boolean, shown: () => void): () => void {
  const began = performance.now();
  let timer: ReturnType<typeof setTimeout>;
  let over = false;
  const look = async (): Promise<void> => {
    const done = hasShown(await sample(connection), videoExpected());
    if (over) return;
    if (done) shown();
    else wait();
  };
  const wait = (): void => {
    timer = setTimeout(() => void look(), performance.now() - began < SOON_LASTS ? SOON : LATER);
  };
  wait();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
