// Reading what a viewer really shows: the code in the picture, its patches, and the sound.
//
// Functions marked "in the page" run inside the browser and may use nothing from outside.

import { PATCHES } from "./fixtures.mjs";
import { until } from "./poll.mjs";

/** How many cells the code of a picture has. */
export const CELLS = 20;

/** @typedef {import("./browsers.mjs").Page} Page */
/** @typedef {import("./fixtures.mjs").Clip} Clip */

/**
 * What is on the screen now.
 * @typedef {object} Reading
 * @property {number} id       the clip's number in the picture
 * @property {number} frame    the frame's number in the picture
 * @property {number[][]} patches  mean red, green, blue of the four patches
 * @property {number} width
 * @property {number} height
 * @property {number} time     the element's currentTime
 * @property {number} at       when it was read, by Date.now()
 */

/** In the page: reads the cells and the patches of a <video>, or null when it has no picture. @param {string} selector */
function readInPage(selector) {
  const video = /** @type {HTMLVideoElement | null} */ (document.querySelector(selector));
  if (!video || !video.videoWidth || video.readyState < 2) return null;
  const { videoWidth: width, videoHeight: height, currentTime: time } = video;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(video, 0, 0, width, height);
  const at = Date.now();

  /** The mean colour of the middle of a cell. @param {number} x @param {number} y @param {number} w @param {number} h */
  const mean = (x, y, w, h) => {
    const { data } = context.getImageData(Math.round(x + w * 0.3), Math.round(y + h * 0.3), Math.max(1, Math.floor(w * 0.4)), Math.max(1, Math.floor(h * 0.4)));
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c];
    return sum.map((v) => Math.round((v * 4) / data.length));
  };

  /** @type {number[]} */
  const bits = Array.from({ length: 20 }, (_, i) => (mean((width * i) / 20, 0, width / 20, height / 9)[1] > 127 ? 1 : 0));
  const patches = [0, 1, 2, 3].map((i) => mean((width * i) / 4, (height * 8) / 9, width / 4, height / 9));
  return { bits, patches, width, height, time, at };
}

/** What the cells of a picture say (fixtures.mjs), 1 for a white one; null when that is no code. @param {number[]} bits */
export function codeOf(bits) {
  const number = (/** @type {number[]} */ some) => some.reduce((n, bit) => n * 2 + bit, 0);
  const ones = bits.slice(2, 18).reduce((n, bit) => n + bit, 0);
  if (bits.length !== CELLS || bits[0] !== 1 || bits[1] !== 0 || number(bits.slice(18)) !== ones % 4) return null;
  return { id: number(bits.slice(2, 6)), frame: number(bits.slice(6, 18)) };
}

/** Null when no code can be read. @param {Page} page @param {string} [selector] @returns {Promise<Reading | null>} */
export async function read(page, selector = "video") {
  const { bits, ...seen } = await page.evaluate(readInPage, selector) ?? { bits: [] };
  const code = codeOf(bits);
  return code && /** @type {Reading} */ ({ ...code, ...seen });
}

/** The patches are those of the source: the picture is right in its colours too. @param {Reading} reading */
export function rightColours(reading) {
  return reading.patches.every((patch, i) => patch.every((value, c) => Math.abs(value - PATCHES[i][c]) < 45));
}

/**
 * Waits until the page shows this clip, in its colours, and its picture goes on: two readings with
 * different frame numbers. Answers the later one.
 * @param {Page} page @param {Clip} clip @param {{ selector?: string, timeout?: number }} [options]
 */
export async function shows(page, clip, { selector = "video", timeout } = {}) {
  /** @type {number | undefined} */ let first;
  /** @type {Reading | null} */ let reading = null;
  try {
    await until(`${page.name} shows ${clip.file} moving`, async () => {
      reading = await read(page, selector);
      if (!reading || reading.id !== clip.id || !rightColours(reading)) return false;
      first ??= reading.frame;
      return reading.frame !== first;
    }, { timeout });
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}; last reading ${JSON.stringify(reading)}`);
  }
  return /** @type {Reading} */ (/** @type {unknown} */ (reading));
}

/** In the page: a coarse picture of what the element shows now. @param {string} selector */
function glanceInPage(selector) {
  const video = /** @type {HTMLVideoElement | null} */ (document.querySelector(selector));
  if (!video || video.readyState < 2) return null;
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(64, 36).getContext("2d"));
  context.drawImage(video, 0, 0, 64, 36);
  return [...context.getImageData(0, 0, 64, 36).data];
}

/** Waits until any picture moves, whatever it shows. @param {Page} page @param {string} [selector] */
export async function moves(page, selector = "video") {
  /** @type {number[] | null} */ let first = null;
  await until(`${page.name} shows a moving picture`, async () => {
    const glance = await page.evaluate(glanceInPage, selector);
    first ??= glance;
    return glance?.some((value, i) => value !== first?.[i]);
  });
}

/** The lightest and the darkest spot of a picture, 0..255, or null while there is none. @param {Page} page @param {string} [selector] */
export async function lightness(page, selector = "video") {
  const pixels = await page.evaluate(glanceInPage, selector);
  if (!pixels) return null;
  const greens = pixels.filter((_, i) => i % 4 === 1);
  return { most: Math.max(...greens), least: Math.min(...greens) };
}
