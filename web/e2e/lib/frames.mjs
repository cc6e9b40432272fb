// Counting the pictures that a viewer is shown, without a break over all changes of the way.

/** @typedef {import("./browsers.mjs").Page} Page */

/**
 * Each picture that the browser tells of is looked at, so that a black one between two others is seen: to draw it
 * small and read it costs well under a millisecond.
 * @typedef {object} Frames
 * @property {number} frames  shown since the beginning
 * @property {number} wait    the longest wait between two of them since the last reset, in ms, the present one included
 * @property {number} black   how many of them were black
 */

/** In the page: counts from now on. */
function countInPage() {
  const video = /** @type {HTMLVideoElement} */ (document.querySelector("video"));
  const canvas = new OffscreenCanvas(32, 18);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  const seen = { frames: 0, wait: 0, black: 0, last: performance.now() };
  Object.assign(globalThis, { framesSeen: seen });
  const look = () => {
    context.drawImage(video, 0, 0, 32, 18);
    const { data } = context.getImageData(0, 0, 32, 18);
    if (data.every((value, i) => i % 4 === 3 || value < 32)) seen.black++;
  };
  const next = () => {
    const now = performance.now();
    seen.frames++;
    seen.wait = Math.max(seen.wait, now - seen.last);
    seen.last = now;
    look();
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}

/** @param {Page} page */
export const countFrames = (page) => page.evaluate(countInPage);

/** What has been seen since the last reset. @param {Page} page @param {boolean} [reset] the longest wait begins anew @returns {Promise<Frames>} */
export const framesSeen = (page, reset = false) => page.evaluate((anew) => {
  const seen = /** @type {any} */ (globalThis).framesSeen;
  const { frames, black } = seen;
  const wait = Math.round(Math.max(seen.wait, performance.now() - seen.last));
  if (anew) seen.wait = 0;
  return { frames, black, wait };
}, reset);
