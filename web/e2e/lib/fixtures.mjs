// Clips for the tests, made by ffmpeg on first use and kept in fixtures/ (not in git).
//
// Every picture carries a code that a viewer can read back from decoded pixels: one row of
// 20 black or white cells across the top ninth of the picture:
//
//   cell   0 1   2..5      6..17          18..19
//          1 0   clip id   frame number   number of white cells in 2..17, modulo 4
//
// most significant bit first, so that "which file, which frame" is a matter of fact and not of
// likeness. Below it a moving test picture, and along the bottom four patches of known colour.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
export const folder = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** Frames a second of every clip that does not say otherwise. */
export const FPS = 25;

/** Frames from key frame to key frame in the clip "group": five seconds. */
export const GROUP = 5 * FPS;

/** Colours of the four patches along the bottom, as red, green, blue. */
export const PATCHES = [[200, 40, 40], [40, 160, 40], [40, 60, 200], [220, 200, 60]];

/**
 * @typedef {object} Clip
 * @property {number} id       0..15, drawn into each picture
 * @property {string} file     name in fixtures/
 * @property {number} seconds
 * @property {string} [size]   WIDTHxHEIGHT; none: sound only
 * @property {number} [fps]
 * @property {number} [tone]   Hz; none: no sound
 * @property {boolean} [beat]  the first tenth of each second is louder
 * @property {string[]} codec  ffmpeg's output options
 */

const vp8 = ["-c:v", "libvpx", "-b:v", "1M", "-g", "50", "-deadline", "realtime", "-cpu-used", "8"];
const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "1M", "-g", "50", "-pix_fmt", "yuv420p"];

/** @type {Record<string, Clip>} */
export const clips = {
  webm: { id: 1, file: "film.webm", seconds: 30, size: "480x270", tone: 440, codec: [...vp8, "-c:a", "libvorbis"] },
  mp4: { id: 2, file: "film.mp4", seconds: 30, size: "480x270", tone: 660, codec: [...h264, "-c:a", "aac", "-movflags", "+faststart"] },
  short: { id: 3, file: "short.webm", seconds: 5, size: "480x270", tone: 550, codec: [...vp8, "-c:a", "libopus"] },
  silent: { id: 4, file: "silent.webm", seconds: 6, size: "480x270", codec: [...vp8, "-an"] },
  tall: { id: 5, file: "tall.mp4", seconds: 30, size: "240x320", tone: 330, codec: [...h264, "-c:a", "aac"] },
  sound: { id: 6, file: "sound.ogg", seconds: 90, tone: 500, codec: ["-c:a", "libvorbis"] },
  hevc: { id: 7, file: "hevc.mp4", seconds: 2, size: "320x180", tone: 440, codec: ["-c:v", "libx265", "-x265-params", "log-level=error", "-preset", "ultrafast", "-tag:v", "hvc1", "-c:a", "aac"] },
  // As browsers record: written on the fly, it says neither how long it is nor where its pictures are.
  recorded: { id: 9, file: "recorded.webm", seconds: 30, size: "480x270", tone: 440, codec: [...vp8, "-c:a", "libopus", "-live", "1"] },
  // Key frames five seconds apart, and nowhere else, and a beat, by which sound can be laid beside the pictures.
  group: { id: 10, file: "group-beat.webm", seconds: 30, size: "480x270", tone: 440, beat: true, codec: ["-c:v", "libvpx", "-b:v", "1M", "-g", String(GROUP), "-keyint_min", String(GROUP), "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"] },
  long: { id: 8, file: "long.webm", seconds: 75, size: "320x180", tone: 440, codec: [...vp8, "-c:a", "libopus"] },
  // So small and slow that two cores carry it several times over.
  small: { id: 13, file: "small.webm", seconds: 60, size: "320x180", fps: 15, tone: 440, codec: [...vp8, "-c:a", "libopus"] },
  // Large enough for two qualities, which Chromium counts from the first.
  half: { id: 12, file: "half.webm", seconds: 30, size: "640x360", fps: 15, tone: 440, codec: [...vp8, "-c:a", "libopus"] },
  // Large enough for three qualities, and slow enough for a machine of two cores that makes them all.
  wide: { id: 11, file: "wide.webm", seconds: 120, size: "960x540", fps: 15, tone: 440, codec: [...vp8, "-c:a", "libopus"] },
};

/** A file that says it is a video and is none. */
const broken = "broken.mp4";

/** @param {keyof typeof clips | "broken"} name */
export const fixture = (name) => path.join(folder, name === "broken" ? broken : clips[name].file);

/** Makes the clips that are not there yet, one on each processor, the longest work first. */
export async function makeFixtures() {
  await mkdir(folder, { recursive: true });
  const left = Object.values(clips).sort((a, b) => pixels(b) - pixels(a)).values();
  await Promise.all(Array.from({ length: os.availableParallelism() }, async () => {
    for (const clip of left) await make(clip);
  }));
  await writeFile(path.join(folder, broken), Buffer.from("This is no video. ".repeat(4000)));
}

/** All that are drawn. @param {Clip} clip */
function pixels({ size = "0x0", fps = FPS, seconds }) {
  const [width = 0, height = 0] = size.split("x").map(Number);
  return width * height * fps * seconds;
}

/** Makes a clip, unless it is there. A half-made one is never left behind. @param {Clip} clip */
async function make(clip) {
  const target = path.join(folder, clip.file);
  if (existsSync(target)) return;
  const part = path.join(folder, `part-${process.pid}-${clip.file}`);
  try {
    await run("ffmpeg", ["-hide_banner", "-nostdin", "-loglevel", "error", "-y", ...inputs(clip), ...clip.codec, "-shortest", part]);
    await rename(part, target);
  } finally {
    await rm(part, { force: true });
  }
}

/** @param {Clip} clip ffmpeg's inputs and filter for one clip @returns {string[]} */
function inputs(clip) {
  const args = [];
  if (clip.size) {
    args.push("-f", "lavfi", "-i", `testsrc2=size=${clip.size}:rate=${clip.fps ?? FPS}:duration=${clip.seconds},${code(clip.id)},${patches()}`);
  }
  if (clip.tone) {
    const loud = clip.beat ? "(0.1+0.5*lt(mod(t\\,1)\\,0.1))" : "0.5";
    args.push("-f", "lavfi", "-i", `aevalsrc=exprs=${loud}*sin(2*PI*${clip.tone}*t):sample_rate=48000:duration=${clip.seconds},aformat=channel_layouts=stereo`);
  }
  return args;
}

/** @param {number} id the row of cells, as drawbox filters whose "enable" is the bit */
function code(id) {
  const number = Array.from({ length: 12 }, (_, i) => `gte(mod(n,${2 ** (12 - i)}),${2 ** (11 - i)})`);
  const idBits = Array.from({ length: 4 }, (_, i) => (id >> (3 - i)) & 1);
  const whites = [...number, ...idBits].join("+");
  const bits = ["1", "0", ...idBits.map(String), ...number, `gte(mod(${whites},4),2)`, `mod(mod(${whites},4),2)`];
  const cells = bits.flatMap((bit, i) => (bit === "0" ? [] : [
    `drawbox=x=iw*${i}/20:y=0:w=iw/20:h=ih/9:color=white:t=fill:enable='${bit}'`,
  ]));
  return ["drawbox=x=0:y=0:w=iw:h=ih/9:color=black:t=fill", ...cells].join(",");
}

/** Four blocks of known colour over the bottom ninth. */
function patches() {
  return PATCHES.map(([r, g, b], i) => {
    const hex = [r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("");
    return `drawbox=x=iw*${i}/4:y=ih*8/9:w=iw/4:h=ih/9:color=0x${hex}:t=fill`;
  }).join(",");
}
