// When a path has its first decoded picture. Counters of the connection are asked, not a media
// element: they count in hidden tabs too, and before the path is on the screen.

import { sample } from '../stats/sample';
import type { Snapshot } from '../stats/vocabulary';
import { FLOW, Flow } from './flow';

const SOON = 100; // ms between two looks in the first seconds
const LATER = 1_000; // ms afterwards: a stream that is not live yet may be waited for all night
const SOON_LASTS = 10_000; // ms

/** How many pictures have been decoded, of all tracks. */
export const framesDecoded = (snapshot: Snapshot): number =>
  snapshot.inbound.reduce((sum, t) => sum + t.framesDecoded, 0);

/** Whether a snapshot shows a decoded picture, or, where there is no picture to come, sound. */
export function hasShown(snapshot: Snapshot, videoExpected: boolean): boolean {
  return snapshot.inbound.some((t) => (t.kind === 'video' ? t.framesDecoded > 0 : !videoExpected && t.packets > 0));
}

/** What is to be done when a path has shown its first picture, and when pictures flow, each once. */
export interface WhenShown {
  shown(): void;
  flows?(): void;
}

/** Looks at a path's connection until it has shown a picture and, where that is asked for, pictures flow. The result ends the waiting. */
export function whenShown(connection: RTCPeerConnection, videoExpected: () => boolean, call: WhenShown): () => void {
  const began = performance.now();
  const flow = new Flow();
  let timer: ReturnType<typeof setTimeout>;
  let over = false;
  let shown = false;
  const look = async (): Promise<void> => {
    const snapshot = await sample(connection);
    if (over) return;
    if (!shown && hasShown(snapshot, videoExpected())) {
      shown = true;
      call.shown();
    }
    if (!shown) wait(performance.now() - began < SOON_LASTS ? SOON : LATER);
    else if (call.flows && !over) {
      if (!videoExpected() || flow.observe(framesDecoded(snapshot), performance.now())) call.flows();
      else wait(FLOW.look);
    }
  };
  const wait = (ms: number): void => {
    timer = setTimeout(() => void look(), ms);
  };
  wait(SOON);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
