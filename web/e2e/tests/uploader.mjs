// What the uploader settles for viewers, what is theirs alone, and the shared screen.

import assert from "node:assert/strict";
import { clips } from "../lib/fixtures.mjs";
import { moves, shows } from "../lib/picture.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { sounds } from "../lib/sound.mjs";
import { id, Studio } from "../lib/studio.mjs";
import { connectionsMade, WORDS } from "../lib/watching.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

/** Chooses in a list of the card "Picture". @param {Studio} studio @param {string} name @param {string} value */
const settle = (studio, name, value) => studio.page.evaluate((s, v) => {
  const select = /** @type {HTMLSelectElement} */ (document.querySelector(s));
  /** @type {HTMLDetailsElement} */ (select.closest("details")).open = true;
  select.value = v;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}, id(name), value);

/** @param {Page} page @param {number} height */
const isHigh = (page, height) => page.waitFor(`the picture is ${height} high`, (h) => document.querySelector("video")?.videoHeight === h, height);

/** What the encoder is told of the best quality, the last one. @param {Studio} studio */
const limits = (studio) => studio.page.evaluate(() => {
  const pc = /** @type {RTCPeerConnection} */ (/** @type {any} */ (globalThis).connectionsMade.at(-1));
  const sender = pc.getSenders().find((one) => one.track?.kind === "video");
  return sender?.getParameters().encodings.at(-1) ?? {};
});

for (const name of BOTH) {
  story(`${name}: viewers get the size and the rates that the uploader chose, before and while live`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.page.click(id("choose-camera"));
    await studio.page.see(id("preview"));
    // A busy machine must not make the picture smaller than was asked for.
    await settle(studio, "keep", "detail");
    await settle(studio, "resolution", "360");
    await settle(studio, "frame-rate", "15");
    await settle(studio, "bitrate", "500");
    const viewer = await (await browser(name === "chromium" ? "firefox" : "chromium")).open(server.watch(await studio.goLive()), { label: "viewer" });
    await isHigh(viewer, 360);
    const asked = await limits(studio);
    assert.deepEqual([asked.maxBitrate, asked.maxFramerate], [500_000, 15]);

    await settle(studio, "resolution", "480");
    await settle(studio, "bitrate", "1000");
    await isHigh(viewer, 480);
    assert.equal((await limits(studio)).maxBitrate, 1_000_000);
    await moves(viewer);
    assert.equal(await connectionsMade(viewer), 1);
  });

  story(`${name}: the uploader's volume is theirs alone`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.choose("webm");
    await studio.page.click(id("loop"));
    const viewer = await (await browser("chromium")).open(server.watch(await studio.goLive()), { label: "viewer" });
    await sounds(viewer, clips.webm);
    await studio.page.click(id("mute"));
    await studio.page.waitFor("it is silent here", (s) => /** @type {HTMLVideoElement | null} */ (document.querySelector(s))?.muted, id("preview"));
    await sounds(viewer, clips.webm);
  });
}

story("a shared screen goes on after a reload with one click, and viewers read that it will be back", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.page.click(id("choose-screen"));
  const viewer = await (await browser("firefox")).open(server.watch(await studio.goLive()), { label: "viewer" });
  await moves(viewer);
  await studio.page.reload();
  await viewer.says(WORDS, /back in a moment/i);
  await studio.is("returning");
  await studio.page.says(id("continue"), /screen/i);
  await studio.page.click(id("continue"));
  await studio.is("live");
  await viewer.waitFor("nothing covers the picture", (s) => document.querySelector(s) === null, WORDS);
  await moves(viewer);
});

story("while live the screen is kept awake, and leaving is asked about", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  /** @type {string[]} */ const asked = [];
  studio.page.tab.on("dialog", (dialog) => asked.push(dialog.type()));
  await studio.page.evaluate(() => {
    const awake = { now: 0 };
    Object.assign(globalThis, { awake });
    navigator.wakeLock.request = async () => {
      awake.now++;
      return /** @type {any} */ ({ released: false, release: async () => void awake.now-- });
    };
  });
  const awake = () => studio.page.evaluate(() => /** @type {any} */ (globalThis).awake.now);
  await studio.choose("webm");
  await studio.page.see(id("go-live"));
  assert.equal(await awake(), 0);
  const viewer = await (await browser("firefox")).open(server.watch(await studio.goLive()), { label: "viewer" });
  await shows(viewer, clips.webm);
  assert.equal(await awake(), 1, "live: the screen stays on");
  await studio.page.click(id("pause"));
  await studio.is("paused");
  assert.equal(await awake(), 0, "paused: it may go dark");
  await studio.page.reload();
  assert.deepEqual(asked, ["beforeunload"], "who leaves while live is asked");
  await studio.page.click(id("continue-discard"));
  await studio.is("setup");
  await studio.page.reload();
  assert.deepEqual(asked, ["beforeunload"], "and nobody else");
});
