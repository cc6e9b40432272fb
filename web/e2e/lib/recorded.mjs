// Whether sound and picture are in step, where the browser does not tell: both are recorded as the page's tracks
// have them, and each is laid beside what it is of. The clip has a beat (fixtures.mjs).

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { FPS } from "./fixtures.mjs";
import { CELLS, codeOf } from "./picture.mjs";
import { scratch } from "./sharing.mjs";

/** @typedef {import("./browsers.mjs").Page} Page */

const run = promisify(execFile);
const RATE = 48000;
/** Samples of a look at how loud it is: 5 ms. */
const LOOK = RATE / 200;
/** How long is recorded, s. */
const LENGTH = 4;

/** In the page: records what its video plays for so many ms, as base64. @param {number} ms */
async function recordInPage(ms) {
  const stream = /** @type {MediaStream} */ (/** @type {HTMLVideoElement} */ (document.querySelector("video")).srcObject);
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm;codecs=vp8,opus" });
  /** @type {Blob[]} */ const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((done) => { recorder.onstop = done; });
  recorder.start();
  setTimeout(() => recorder.stop(), ms);
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}

/**
 * How far the picture is behind the sound, in ms, of what is played in the next seconds.
 * @param {import("node:test").TestContext} t @param {Page} page
 */
export async function recordedStep(t, page) {
  const file = path.join(await scratch(t), "recorded.webm");
  await writeFile(file, Buffer.from(await page.evaluate(recordInPage, 1000 * LENGTH), "base64"));
  const [pictures, beats] = await Promise.all([pictureOffsets(file), beatOffsets(file)]);
  if (pictures.length < FPS || beats.length < 2) throw new Error(`${pictures.length} pictures and ${beats.length} beats were recorded`);
  // A beat tells the second's beginning and not which second it is.
  const apart = (middle(pictures) - middle(beats) + 10.5) % 1 - 0.5;
  return Math.round(1000 * apart);
}

/** When pictures are shown in a recording, less when they are in the clip: seconds, without whole ones. @param {string} file */
async function pictureOffsets(file) {
  const { stdout: told } = await run("ffprobe", ["-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0", file]);
  const times = told.split("\n").map(Number.parseFloat).filter((time) => !Number.isNaN(time));
  const { stdout: rows } = await run("ffmpeg", ["-v", "error", "-i", file, "-map", "0:v:0", "-fps_mode", "passthrough", "-vf", `crop=iw:ih/9:0:0,scale=${CELLS}:1:flags=area`, "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"], { encoding: "buffer", maxBuffer: 1 << 26 });
  if (rows.length !== times.length * CELLS) throw new Error(`${times.length} times for ${rows.length / CELLS} pictures`);
  return times.flatMap((time, i) => {
    const code = codeOf([...rows.subarray(i * CELLS, (i + 1) * CELLS)].map((cell) => (cell > 127 ? 1 : 0)));
    return code ? [(time - (code.frame % FPS) / FPS + 100) % 1] : [];
  });
}

/** When beats begin in a recording: seconds, without whole ones. @param {string} file */
async function beatOffsets(file) {
  const { stdout } = await run("ffmpeg", ["-v", "error", "-copyts", "-i", file, "-map", "0:a:0", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", String(RATE), "-f", "f32le", "pipe:1"], { encoding: "buffer", maxBuffer: 1 << 26 });
  const samples = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + 4 * Math.floor(stdout.length / 4)));
  const loud = Array.from({ length: Math.floor(samples.length / LOOK) }, (_, i) => Math.hypot(...samples.subarray(i * LOOK, (i + 1) * LOOK)));
  const least = Math.max(...loud) / 2;
  return loud.flatMap((now, i) => (i > 20 && now >= least && loud.slice(i - 20, i).every((before) => before < least) ? [(i * LOOK) / RATE % 1] : []));
}

/** The middle of places on a circle of one second. @param {number[]} places */
function middle(places) {
  const from = places[0];
  const near = places.map((place) => ((place - from + 1.5) % 1) - 0.5).sort((x, y) => x - y);
  return from + near[near.length >> 1];
}
