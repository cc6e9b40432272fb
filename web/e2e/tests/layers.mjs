// Each viewer's own quality: what the studio sends is seen at the relay, and viewers change by the
// menu and by their line, with one connection and a picture all the time.

import assert from "node:assert/strict";
import { clips } from "../lib/fixtures.mjs";
import { countFrames, framesSeen } from "../lib/frames.mjs";
import { network } from "../lib/network.mjs";
import { shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { sounds } from "../lib/sound.mjs";
import { id, Studio } from "../lib/studio.mjs";
import { connectionsMade, leg } from "../lib/watching.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */
/** @typedef {import("node:test").TestContext} Test */

/**
 * The longest wait for the next picture that a change may make, in ms. Hardly any is seen (the figures are
 * printed); this one leaves room for two cores that make three pictures of each and draw them for two browsers.
 */
const STILL = 3000;
/** The same while what the line no longer carries is lost, and the smaller key frame is still to come. ms */
const THIN = 10_000;

const MENU = id("quality");

/** In the page: the pictures that its newest connection sends, by rid. */
async function sentInPage() {
  const pc = /** @type {RTCPeerConnection} */ (/** @type {any} */ (globalThis).connectionsMade.at(-1));
  /** @type {any[]} */ const all = [...(await pc.getStats()).values()];
  return all.filter((s) => s.type === "outbound-rtp" && s.kind === "video")
    .map((s) => ({ rid: s.rid, active: s.active, bytes: s.bytesSent, rate: s.targetBitrate, keys: s.keyFramesEncoded, asked: s.pliCount, codec: all.find((c) => c.id === s.codecId)?.mimeType, height: s.frameHeight, frames: s.framesEncoded, limit: s.qualityLimitationReason, layers: s.scalabilityMode }));
}

/** What the studio sends is told with a failure: a quality that is not there is not always the viewer's fault. @param {Studio} studio @param {() => Promise<void>} body */
async function watching(studio, body) {
  try {
    await body();
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}; the studio sends ${JSON.stringify(await studio.page.evaluate(sentInPage))}`, { cause: error });
  }
}

/** @param {Page} page @param {number} height waits until the decoded picture is that high */
async function heightIs(page, height) {
  /** @type {number | undefined} */ let seen;
  try {
    await until(`${page.name} has ${height} lines`, async () => {
      seen = await page.evaluate(() => document.querySelector("video")?.videoHeight);
      return seen === height;
    });
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}; it has ${seen}: ${await page.text(MENU)}`);
  }
}

/** Chooses in the menu, as a person does: with the pointer on it, while the page asks again what there is. @param {Page} page @param {string} value */
async function choose(page, value) {
  await page.see(MENU);
  await page.tab.hover(MENU);
  await page.waitFor(`${value || "Auto"} can be chosen`, (s, v) => [...document.querySelectorAll(`${s} option`)].some((o) => /** @type {HTMLOptionElement} */ (o).value === v), MENU, value);
  await page.tab.select(MENU, value);
}

/**
 * Watches that pictures are shown all along while something is done, none of them black, by one connection.
 * They have been counted since before.
 * @param {Test} t @param {Page} page @param {string} what is done, in words @param {() => Promise<void>} body
 * @param {number} [most] the longest wait for a picture, in ms
 */
async function decodesThroughout(t, page, what, body, most = STILL) {
  await framesSeen(page, true);
  await body();
  const { frames } = await framesSeen(page);
  await until(`${page.name} decodes on`, async () => (await framesSeen(page)).frames > frames + 5);
  const { wait, black } = await framesSeen(page);
  t.diagnostic(`${page.name}, ${what}: longest wait for a picture ${wait} ms`);
  assert.ok(wait <= most, `${page.name}, ${what}: no picture for ${wait} ms`);
  assert.equal(black, 0, `${page.name}: black pictures`);
  assert.equal(await connectionsMade(page), 1, `${page.name} has made a new connection`);
}

/**
 * A studio that is live in three qualities, each of them on its way.
 * @param {import("../lib/browsers.mjs").Browser} one @param {import("../lib/server.mjs").Server} server @param {string} [codec] the browser's choice without one
 */
async function liveInThree(one, server, codec) {
  const studio = await Studio.open(one, server);
  await studio.choose("wide");
  if (codec) await sendsAs(studio, codec);
  await studio.page.click(id("go-live"));
  await studio.is("live");
  await until("three encodings are sent", async () => {
    const sent = await studio.page.evaluate(sentInPage);
    const wrong = sent.some((s) => codec && s.codec !== `video/${codec}`);
    if (sent.length === 3 && !wrong && sent.every((s) => s.frames > 10)) return true;
    throw new Error(JSON.stringify(sent));
  });
  return studio;
}

/** Chooses a format in the studio. @param {Studio} studio @param {string} codec */
async function sendsAs(studio, codec) {
  await studio.page.waitFor(`${codec} can be chosen`, (s, value) => {
    const select = /** @type {HTMLSelectElement | null} */ (document.querySelector(s));
    if (![...(select?.options ?? [])].some((o) => o.value === value)) return false;
    /** @type {HTMLSelectElement} */ (select).value = value;
    return select?.dispatchEvent(new Event("change", { bubbles: true }));
  }, id("codec"), codec);
}

/** A viewer goes through all qualities by the menu, decoding all the time. @param {Test} t @param {Page} page */
async function changesByTheMenu(t, page) {
  await shows(page, clips.wide);
  await heightIs(page, 540);
  await countFrames(page);
  for (const height of [180, 360, 540]) {
    await decodesThroughout(t, page, `${height}p chosen`, async () => {
      await choose(page, String(height));
      await heightIs(page, height);
      await shows(page, clips.wide);
    });
  }
}

for (const name of BOTH) {
  story(`${name}: a film of 360 lines is sent in two qualities, and viewers get the better one`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.choose("half");
    const viewer = await (await browser("chromium")).open(server.watch(await studio.goLive()), { label: "viewer" });
    await heightIs(viewer, 360);
    await shows(viewer, clips.half);
  });
}

for (const name of BOTH) {
  story(`${name}: three qualities reach the relay, and viewers in both browsers change by the menu`, async (t) => {
    const server = await serve(t);
    const studio = await liveInThree(await browser(name), server);
    const rids = (await studio.page.evaluate(sentInPage)).map((s) => s.rid).sort();
    assert.deepEqual(rids, ["f", "h", "q"]);
    await studio.page.says(id("qualities"), /360p or 180p/);
    for (const viewing of BOTH) {
      const page = await (await browser(viewing)).open(await studio.link(), { label: "viewer" });
      await watching(studio, () => changesByTheMenu(t, page));
      await choose(page, "180");
      await heightIs(page, 180);
      await page.press("i");
      await page.says(id("quality-figures"), /320 × 180.*You chose it/);
      await choose(page, "");
      await heightIs(page, 540);
      await page.close();
    }
  });
}

// Rids of VP9 and AV1 are encodings of their own only with a scalability mode (W3C webrtc-svc). Firefox
// publishes VP8 in several qualities.
for (const codec of ["VP9", "H264", "AV1"]) {
  story(`${codec} in three qualities reaches the relay, and viewers in both browsers change by the menu`, async (t) => {
    const server = await serve(t);
    const studio = await liveInThree(await browser("chromium"), server, codec);
    const sent = await studio.page.evaluate(sentInPage);
    assert.deepEqual(sent.map((s) => s.rid).sort(), ["f", "h", "q"]);
    assert.deepEqual(sent.map((s) => s.height).sort((a, b) => a - b), [180, 360, 540]);
    assert.ok(sent.every((s) => s.layers === "L1T3"), JSON.stringify(sent));
    let seen = 0;
    for (const viewing of BOTH) {
      const page = await (await browser(viewing)).open(await studio.link(), { label: "viewer" });
      if (await plays(page, codec)) {
        await changesByTheMenu(t, page);
        seen++;
      }
      await page.close();
    }
    assert.ok(seen > 0, "no browser here plays it");
  });
}

/** @param {Page} page @param {string} codec */
const plays = (page, codec) => page.evaluate((mime) => RTCRtpReceiver.getCapabilities("video")?.codecs.some((c) => c.mimeType === mime), `video/${codec}`);

for (const name of BOTH) {
  story(`${name}: a viewer whose line gets thin falls to the small picture, and comes back`, async (t) => {
    const server = await serve(t);
    const studio = await liveInThree(await browser("chromium"), server);
    const via = await network(t, server);
    const page = await (await browser(name)).open(`${via.url}/w/${await studio.name()}`, { label: "viewer", via });
    await shows(page, clips.wide);
    await heightIs(page, 540);
    await countFrames(page);
    await decodesThroughout(t, page, "the line gets thin", async () => {
      via.limit(400);
      await heightIs(page, 180);
      await shows(page, clips.wide);
    }, THIN);
    await decodesThroughout(t, page, "the line gets wide again", async () => {
      via.limit();
      await heightIs(page, 540);
      await shows(page, clips.wide);
    });
  });
}

for (const name of BOTH) {
  story(`${name}: a page that nobody looks at gets sound and the smallest picture, and the large one when it is shown again`, async (t) => {
    const server = await serve(t);
    const studio = await liveInThree(await browser("chromium"), server);
    const page = await (await browser(name)).open(await studio.link(), { label: "viewer" });
    await shows(page, clips.wide);
    await heightIs(page, 540);
    await page.hide();
    // Nothing is shown in a hidden page; what comes is decoded.
    await until(`${page.name} gets 180 lines`, async () => (await leg(page))?.height === 180);
    const frames = (await leg(page))?.frames ?? 0;
    await until(`${page.name} decodes on`, async () => ((await leg(page))?.frames ?? 0) > frames + 5);
    await sounds(page, clips.wide);
    assert.equal((await leg(page))?.height, 180);
    assert.equal(await page.evaluate(() => document.visibilityState), "hidden");
    await page.front();
    await page.waitFor("it is shown", () => document.visibilityState === "visible");
    await heightIs(page, 540);
    await shows(page, clips.wide);
    assert.equal(await connectionsMade(page), 1);
  });
}

story("a window that gets small gets a small picture", async (t) => {
  const server = await serve(t);
  const studio = await liveInThree(await browser("chromium"), server);
  const page = await (await browser("firefox")).open(await studio.link(), { label: "viewer" });
  await heightIs(page, 540);
  await page.tab.setViewport({ width: 320, height: 640 });
  await heightIs(page, 180);
  await page.tab.setViewport({ width: 1280, height: 800 });
  await heightIs(page, 540);
  assert.equal(await connectionsMade(page), 1);
});
