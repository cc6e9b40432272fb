// A viewer who comes in the middle of a long group of pictures: the picture at once, without asking
// the publisher for anything, and soon in step with those who were there.

import assert from "node:assert/strict";
import { clips, FPS, GROUP } from "../lib/fixtures.mjs";
import { read, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { publishClip } from "../lib/program.mjs";
import { outOfStep, times, watchRaw } from "../lib/raw.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { sounds } from "../lib/sound.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

const FRAME = 1000 / FPS;
const LENGTH = clips.group.seconds * FPS;

for (const name of BOTH) {
  story(`${name}: who joins in the middle of a group has the picture at once and is soon in step`, async (t) => {
    const server = await serve(t);
    await publishClip(t, server, "late", "group");
    const there = await watchRaw(await browser("chromium"), server, "late");
    await shows(there, clips.group);
    const newcomer = await browser(name);
    const figures = () => Promise.all([server.metric("fanfare_pli_sent_total"), server.metric("fanfare_keyframes_total")]);
    /** @type {number[]} */ let before = [];
    const late = await watchRaw(newcomer, server, "late", { when: async () => {
      await middleOfGroup(there);
      before = await figures();
    } });
    await until("the late viewer has a frame", async () => (await times(late)).frame, { every: 20 });
    const { connected = 0, frame = 0 } = await times(late);
    assert.deepEqual(await figures(), before, "requests to the publisher, key frames: one was asked for, or the next came before the picture");
    assert.ok(before[1] > 0, "the publisher has sent a key frame");

    const began = Date.now();
    await until("three seconds have passed", () => Date.now() - began >= 3000);
    const apart = await behind(there, late);
    t.diagnostic(`ICE connected to first frame ${Math.round(frame - connected)} ms; 3 s later ${Math.round(apart)} ms behind the other viewer; picture behind sound: ${await outOfStep(late)} ms`);
    // It may well be ahead: the older viewer's buffer has grown with what the machine has been through.
    assert.ok(apart <= 150 + FRAME, `the late viewer is ${apart} ms behind`);
    await sounds(late, clips.group);
  });
}

/** Waits for a moment that is one or two seconds behind a key frame, so that the next is three away. @param {Page} page */
function middleOfGroup(page) {
  return until("the middle of a group", async () => {
    const at = ((await read(page))?.frame ?? 0) % GROUP;
    return at > FPS && at < 1.6 * FPS;
  }, { every: 20 });
}

/** How far one viewer's picture is behind another's, in ms: the middle of several looks. @param {Page} one @param {Page} other */
async function behind(one, other) {
  /** @type {number[]} */ const looks = [];
  while (looks.length < 9) {
    const [a, b] = await Promise.all([read(one), read(other)]);
    if (!a || !b) continue;
    const frames = ((a.frame - b.frame + 1.5 * LENGTH) % LENGTH) - LENGTH / 2;
    looks.push(frames * FRAME - (a.at - b.at));
  }
  return looks.sort((x, y) => x - y)[4];
}
