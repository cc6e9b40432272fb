// From the uploader's screen to the viewer's: the time in the picture, read from decoded frames, against
// the time of capture that travels with the packets.

import assert from "node:assert/strict";
import { clips, FPS } from "../lib/fixtures.mjs";
import { network } from "../lib/network.mjs";
import { moves, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { id, Studio } from "../lib/studio.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

const PANEL = id("glass-figures");

/** In the page: what the panel says, in ms; null while something is missing. @param {string} selector @param {string[]} names */
function figuresInPage(selector, names) {
  const panel = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  const all = Object.fromEntries(names.map((name) => [name, Number(panel?.dataset[name] ?? Number.NaN)]));
  return Object.values(all).every(Number.isFinite) ? { ...all, text: panel?.innerText ?? "" } : null;
}

/** How many pictures both methods are held against each other by: four seconds, after the moment when both are settled. */
const PICTURES = 4 * FPS;

/** In the page: the samples that it saves when it is asked to. @param {string} panel @returns {Promise<any>} */
async function savedInPage(panel) {
  const make = URL.createObjectURL;
  /** @type {Blob[]} */ const made = [];
  URL.createObjectURL = (file) => {
    if (file instanceof Blob) made.push(file);
    return make.call(URL, file);
  };
  /** @type {HTMLElement} */ ([...document.querySelectorAll(`${panel} button`)].find((b) => /save the samples/i.test(b.textContent ?? ""))).click();
  URL.createObjectURL = make;
  return JSON.parse(await /** @type {Blob} */ (made.find((file) => file.type === "application/json")).text());
}

/** In the page: how many pictures have been shown, and the time by the clock of the samples. */
const shownInPage = () => ({
  pictures: /** @type {HTMLVideoElement} */ (document.querySelector("video")).getVideoPlaybackQuality().totalVideoFrames,
  at: performance.timeOrigin + performance.now(),
});

/** By how much the methods differ, picture by picture, ms: the delay by the time in the picture minus that by the time of capture. Sorted. @param {Page} viewer */
async function differences(viewer) {
  const from = await viewer.evaluate(shownInPage);
  await until(`${PICTURES} pictures have been shown`, async () => (await viewer.evaluate(shownInPage)).pictures >= from.pictures + PICTURES);
  const { pictures } = await viewer.evaluate(savedInPage, PANEL);
  return pictures
    .filter((/** @type {any} */ p) => p.at >= from.at && p.byStrip !== undefined && p.byCapture !== undefined)
    .map((/** @type {any} */ p) => p.byStrip - p.byCapture)
    .sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
}

/** What plays plain HTTP, while it is what is seen. */
const OVER = "video[data-seen]";

/**
 * In the page: looks from now on, and at each change, at whatever is on top whether there is a picture.
 *
 * An element that seeks, as in a jump to the live end, goes on showing its last picture, but its readyState is 1, and
 * then a canvas gets nothing of it in Firefox. So what is on the screen is what the canvas got of the element last, and
 * nothing if that was never, or before the element was emptied.
 * @param {string} over
 */
async function countBlackInPage(over) {
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(32, 18).getContext("2d", { willReadFrequently: true }));
  const seen = { looked: 0, undrawn: 0, black: /** @type {object[]} */ ([]) };
  /** Whether what an element shows is a picture. @type {WeakMap<EventTarget, boolean>} */
  const shown = new WeakMap();
  /** @type {number | undefined} */ let changed;
  const top = () => /** @type {HTMLVideoElement} */ (document.querySelector(over) ?? document.querySelector("video"));
  const draw = () => {
    for (const video of document.querySelectorAll("video")) {
      context.clearRect(0, 0, 32, 18);
      context.drawImage(video, 0, 0, 32, 18);
      const { data } = context.getImageData(0, 0, 32, 18);
      if (video.readyState === 1 && data.every((value) => value === 0)) continue;
      shown.set(video, data.some((value, i) => i % 4 < 3 && value >= 32));
    }
    return shown.get(top()) === true;
  };
  const look = () => {
    const picture = draw();
    const { readyState, seeking, currentTime, videoWidth } = top();
    seen.looked++;
    if (readyState < 2) seen.undrawn++;
    if (picture) return;
    const sinceChange = changed === undefined ? undefined : Math.round(performance.now() - changed);
    seen.black.push({ which: top().matches(over) ? "over" : "below", readyState, seeking, currentTime, videoWidth, sinceChange });
  };
  document.addEventListener("emptied", (event) => void shown.delete(/** @type {EventTarget} */ (event.target)), { capture: true });
  // It may be seeking just now.
  while (!draw()) await new Promise((resolve) => setTimeout(resolve, 20));
  new MutationObserver(() => {
    changed = performance.now();
    look();
  }).observe(document.body, { subtree: true, attributeFilter: ["data-seen"] });
  setInterval(look, 20);
  Object.assign(globalThis, { blackSeen: seen });
}

/** In the page: what was seen until now. @returns {{ looked: number, undrawn: number, black: object[] }} */
const blackInPage = () => /** @type {any} */ (globalThis).blackSeen;

/** In the page: seeks to where nothing is yet, for a while, and back. @param {string} selector */
async function seekInPage(selector) {
  const video = /** @type {HTMLVideoElement} */ (document.querySelector(selector));
  const end = () => video.buffered.end(video.buffered.length - 1);
  video.currentTime = end() + 60;
  await new Promise((resolve) => setTimeout(resolve, 200));
  video.currentTime = end() - 0.1;
}

/** @param {Page} page @param {...string} names @returns {Promise<any>} */
async function figures(page, ...names) {
  await page.waitFor(`${page.name} tells ${names}`, (s, all) => all.every((n) => (/** @type {HTMLElement | null} */ (document.querySelector(s)))?.dataset[n]), PANEL, names);
  return page.evaluate(figuresInPage, PANEL, names);
}

story("the delay by the time in the picture and by the time of capture agree, and another browser reads it too", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  await studio.page.click(id("loop"));
  await studio.page.click(`${id("figures-toggle")} summary`);
  await studio.page.click(id("measure"));
  const stream = await studio.goLive();
  const viewer = await (await browser("chromium")).open(server.watch(stream), { label: "viewer" });
  await moves(viewer);
  await viewer.press("i");
  // Clocks are compared by pings, which a busy machine makes late: the quickest of some is what counts. Settled is
  // what is known to half a picture; whether the methods agree is asked after that, and once.
  const settled = await until("the clocks are known to half a picture", async () => {
    const seen = await figures(viewer, "strip", "capture", "error");
    return seen && seen.error <= 500 / FPS && seen;
  });
  const apart = await differences(viewer);
  const [low, median, high] = [0.25, 0.5, 0.75].map((q) => apart[Math.floor(q * apart.length)]);
  const told = `by ${apart.length} pictures the time in the picture says ${median?.toFixed(1)} ms more than the time of capture (quartiles ${low?.toFixed(1)} and ${high?.toFixed(1)}; clocks wrong by ${settled.error.toFixed(1)} ms at most)`;
  t.diagnostic(told);
  assert.ok(apart.length >= PICTURES / 4, `both methods tell of ${apart.length} of ${PICTURES} pictures`);
  assert.ok(Math.abs(Number(median)) <= 1000 / FPS, told);
  assert.match(settled.text, /First picture after[\s\S]*Stalls/i);
  await viewer.close();

  const other = await (await browser("firefox")).open(server.watch(stream), { label: "other viewer" });
  await moves(other);
  await other.press("i");
  const { strip } = await figures(other, "strip", "error");
  assert.ok(strip > 0 && strip < 10_000, `Firefox tells ${strip} ms`);
});

story("where no live video comes through, the page plays the stream by plain HTTP, and goes back when it can", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  await studio.page.click(id("loop"));
  await studio.page.click(`${id("figures-toggle")} summary`);
  await studio.page.click(id("by-http"));
  const stream = await studio.goLive();
  const office = await network(t, server);
  office.cut();
  const viewers = await Promise.all(BOTH.map(async (name) => (await browser(name)).open(server.watch(stream), { label: "viewer", via: office })));
  // So does one in whose browser WebRTC is switched off, and its figures tell what it sees.
  const without = await (await browser("chromium")).open(server.watch(stream), { label: "without WebRTC", prepare: () => {
    Reflect.deleteProperty(globalThis, "RTCPeerConnection");
  } });
  await shows(without, clips.webm, { selector: OVER });
  await without.says(".note", /This browser has no WebRTC/);
  await without.press("i");
  await without.says(PANEL, /First picture after/);
  await without.close();
  for (const page of viewers) {
    await shows(page, clips.webm, { selector: OVER });
    await page.says(".note", /plain HTTP/i);
    if (page === viewers[0]) {
      await page.press("i");
      await page.says(id("way-figures"), /It comes\s*from the server, by plain HTTP/i);
      await page.press("i");
    }
    await page.evaluate(countBlackInPage, OVER);
    // Its picture stays while it seeks, as it does by itself on a busy machine.
    await page.evaluate(seekInPage, OVER);
    await shows(page, clips.webm, { selector: OVER });
  }
  assert.ok((await server.metric("fanfare_http_sent_bytes_total")) > 0);
  office.restore();
  for (const page of viewers) await page.waitFor("the picture comes live", (over) => document.querySelector(over) === null, OVER);
  for (const page of viewers) {
    await shows(page, clips.webm);
    const { looked, undrawn, black } = await page.evaluate(blackInPage);
    if (page.name.startsWith("firefox")) assert.ok(undrawn > 0, "no look at a seek");
    assert.ok(looked > 10, `${page.name} was looked at ${looked} times`);
    assert.equal(black.length, 0, `${page.name}: ${black.length} of ${looked} looks saw no picture: ${JSON.stringify(black.slice(0, 20))}`);
    // They do see it when there is none.
    await page.evaluate(() => { /** @type {HTMLVideoElement} */ (document.querySelector("video")).srcObject = null; });
    await page.waitFor("no picture is seen", () => /** @type {any} */ (globalThis).blackSeen.black.length > 0);
  }
});
