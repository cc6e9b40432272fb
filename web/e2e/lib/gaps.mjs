// Listening without a break: the longest silence and the longest wait for a picture.

import { until } from "./poll.mjs";

/** @typedef {import("./browsers.mjs").Page} Page */

/**
 * In the page (Chromium): watches every 10 ms of decoded sound, and every frame that is shown.
 * Samples are counted, not timed, so a busy page loses no silence and invents none.
 */
function watchInPage() {
  const video = /** @type {HTMLVideoElement} */ (document.querySelector("video"));
  const [track] = /** @type {MediaStream} */ (video.srcObject).getAudioTracks();
  const seen = { silence: 0, wait: 0, sound: 0, frames: 0 };
  Object.assign(globalThis, { gapsSeen: seen });

  const { MediaStreamTrackProcessor } = /** @type {any} */ (globalThis);
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  let quiet = 0;
  const hear = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const ms = (value.numberOfFrames * 1000) / value.sampleRate;
      value.close();
      const level = Math.sqrt(samples.reduce((sum, v) => sum + v * v, 0) / samples.length);
      seen.sound += ms;
      quiet = level < 0.01 ? quiet + ms : 0;
      seen.silence = Math.max(seen.silence, quiet);
    }
  };
  void hear();

  let last = performance.now();
  const look = (/** @type {number} */ now) => {
    seen.frames++;
    seen.wait = Math.max(seen.wait, now - last);
    last = now;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}

/**
 * Watches from now until that many ms of sound have been played out, and answers the longest silence
 * and the longest wait between two shown frames, in ms.
 * @param {Page} page @param {number} ms
 */
export async function gaps(page, ms) {
  await page.evaluate(watchInPage);
  const look = () => page.evaluate(() => /** @type {{ silence: number, wait: number, sound: number, frames: number }} */ (/** @type {any} */ (globalThis).gapsSeen));
  await until(`${page.name} has heard ${ms / 1000} s`, async () => (await look()).sound >= ms, { timeout: ms + 60_000, every: 500 });
  return look();
}
