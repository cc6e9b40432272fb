// Listening: is there sound, and which tone.

import { until } from "./poll.mjs";

/** @typedef {import("./browsers.mjs").Page} Page */

/**
 * In the page: records half a second of the element's audio track, decodes it and answers its level
 * (RMS, 0..1) and its tone in Hz, counted from zero crossings; null when there is no track. A live
 * AudioContext would be shorter, but Firefox starts none on a machine without a sound card.
 * @param {string} selector
 */
async function listenInPage(selector) {
  const video = /** @type {HTMLVideoElement | null} */ (document.querySelector(selector));
  const track = /** @type {MediaStream | null} */ (video?.srcObject ?? null)?.getAudioTracks()[0];
  if (!track || track.readyState !== "live") return null;
  const recorder = new MediaRecorder(new MediaStream([track]));
  /** @type {Blob[]} */ const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((done) => { recorder.onstop = done; });
  recorder.start();
  setTimeout(() => recorder.state !== "inactive" && recorder.stop(), 500);
  await stopped;
  const bytes = await new Blob(parts).arrayBuffer();
  if (bytes.byteLength === 0) return null;
  const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes).catch(() => null);
  if (!sound) return null;
  const samples = sound.getChannelData(0).slice(sound.length / 4);
  let [energy, crossings] = [0, 0];
  for (let i = 1; i < samples.length; i++) {
    energy += samples[i] ** 2;
    if (samples[i - 1] < 0 && samples[i] >= 0) crossings++;
  }
  return { rms: Math.sqrt(energy / samples.length), tone: (crossings * 48000) / samples.length };
}

/** @param {Page} page @param {string} [selector] */
export const listen = (page, selector = "video") => page.evaluate(listenInPage, selector);

/**
 * Waits until the clip's tone is heard, well above silence.
 * @param {Page} page @param {import("./fixtures.mjs").Clip} clip @param {string} [selector]
 */
export async function sounds(page, clip, selector = "video") {
  /** @type {{ rms: number, tone: number } | null} */ let heard = null;
  try {
    return await until(`${page.name} plays the tone of ${clip.file}`, async () => {
      heard = await listen(page, selector);
      return heard !== null && heard.rms > 0.02 && Math.abs(heard.tone - /** @type {number} */ (clip.tone)) < 30;
    });
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}; last heard ${JSON.stringify(heard)}`);
  }
}
