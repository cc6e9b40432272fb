// When an element shows its next picture: the moment in which another one may go from the screen.

/** The part of a video element that is asked; browsers before 2024 tell of no single pictures. */
export interface Shows extends EventTarget {
  readonly videoWidth: number;
  requestVideoFrameCallback?(callback: () => void): number;
  cancelVideoFrameCallback?(handle: number): void;
}

/** Steps of an element's time, about four a second, after which a picture must have come unnoticed. */
const UNNOTICED = 5;

/**
 * Calls back once, at the next picture. Where the browser tells of none (an older one, a hidden page, sound
 * alone), when the element's time goes on. The result ends the waiting.
 */
export function atNextPicture(
  video: Shows,
  then: () => void,
  hidden: () => boolean = () => document.hidden,
): () => void {
  const waiting = new AbortController();
  const handle = video.requestVideoFrameCallback?.(() => done());
  const end = (): void => {
    waiting.abort();
    if (handle !== undefined) video.cancelVideoFrameCallback?.(handle);
  };
  const done = (): void => {
    if (waiting.signal.aborted) return;
    end();
    then();
  };
  let steps = 0;
  const goesOn = (): void => {
    steps += 1;
    if (handle === undefined || hidden() || video.videoWidth === 0 || steps >= UNNOTICED) done();
  };
  video.addEventListener('timeupdate', goesOn, { signal: waiting.signal });
  return end;
}
