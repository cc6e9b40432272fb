// By which way viewers get the picture: by the server, straight from the studio, from other viewers. It is
// changed while a film plays, and nobody's picture stops for it.

import assert from "node:assert/strict";
import { clips } from "../lib/fixtures.mjs";
import { countFrames, framesSeen } from "../lib/frames.mjs";
import { rightColours, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { id, Studio } from "../lib/studio.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */
/** @typedef {import("node:test").TestContext} TestContext */

/** The longest wait for a picture while the way changes, and when the one who passed it on has gone: 2 s and a key frame. ms */
const CHANGE = 1_000;
const RESCUE = 2_000 + 1_000;

const WAY = id("way-figures");

/** Where the studio says that viewers get it from, sorted: "direct", "relayed 1", "sfu". @param {Studio} studio */
const places = async (studio) => (await studio.page.evaluate((s) => [...document.querySelectorAll(s)].map((one) => {
  const { via, relays } = /** @type {HTMLElement} */ (one).dataset;
  return via === "relayed" ? `${via} ${relays}` : via;
}), id("delivery-viewer"))).sort();

/** The same, as the viewers' own pages say. @param {Page[]} viewers */
const ways = async (viewers) => (await Promise.all(viewers.map((page) => page.evaluate((s) => {
  const { way, relays } = /** @type {HTMLElement} */ (document.querySelector(s))?.dataset ?? {};
  return way === "relayed" ? `${way} ${relays}` : way;
}, WAY)))).sort();

/** Chooses a way, and waits until the studio and the viewers say that they have it. @param {Studio} studio @param {Page[]} viewers @param {string} topology @param {string[]} want */
async function change(studio, viewers, topology, want) {
  await studio.page.click(id(`topology-${topology}`));
  await have(studio, viewers, want);
}

/** @param {Studio} studio @param {Page[]} viewers @param {string[]} want */
async function have(studio, viewers, want) {
  /** @type {unknown} */ let seen;
  try {
    await until(`viewers have it ${want.join(", ")}`, async () => {
      const [told, own] = [await places(studio), await ways(viewers)];
      seen = { told, own };
      return String(told) === String(want) && String(own) === String(want);
    });
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}; ${JSON.stringify(seen)}; ${await studio.page.text(id("delivery-why"))}`);
  }
}

/** Waits until the studio and the viewers say the same, and nobody has it by the server. How it is planned anew depends on the uplink, which a busy machine takes for narrow. @param {Studio} studio @param {Page[]} viewers */
async function haveATree(studio, viewers) {
  await until("viewers have it from each other", async () => {
    const [told, own] = [await places(studio), await ways(viewers)];
    return own.length === viewers.length && String(told) === String(own) && own.some((way) => way?.startsWith("relayed")) && !own.includes("sfu");
  });
}

/** Every picture counter has risen, no wait was longer than that, and no picture was black. Waits are told before they are judged. @param {TestContext} t @param {string} when @param {Page[]} viewers @param {Map<Page, number>} before @param {number} most */
async function keptTheirPicture(t, when, viewers, before, most) {
  for (const page of viewers) {
    await until(`${page.name} goes on`, async () => (await framesSeen(page)).frames > (before.get(page) ?? 0) + 5);
    const seen = await framesSeen(page, true);
    before.set(page, seen.frames);
    t.diagnostic(`figure: longest wait between two pictures, ${when}, ${page.name}, ms = ${seen.wait}`);
    assert.ok(seen.wait <= most, `${page.name} waited ${seen.wait} ms for a picture`);
    assert.equal(seen.black, 0, `${page.name}: ${seen.black} of ${seen.frames} pictures were black`);
    const reading = await shows(page, clips.small);
    assert.ok(rightColours(reading));
  }
}

/** In the page: notes from now on each way that it says it has, the present one first. @param {string} selector */
function noteWaysInPage(selector) {
  /** @type {string[]} */ const noted = [];
  Object.assign(globalThis, { waysNoted: noted });
  const look = () => {
    const { way, relays } = /** @type {HTMLElement | null} */ (document.querySelector(selector))?.dataset ?? {};
    const now = way === "relayed" ? `${way} ${relays}` : way;
    if (now !== undefined && now !== noted.at(-1)) noted.push(now);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-way", "data-relays"] });
  look();
}

/** @param {Page} page @returns {Promise<string[]>} */
const waysNoted = (page) => page.evaluate(() => /** @type {any} */ (globalThis).waysNoted);

/** How many connections of the page are not closed. @param {Page} page */
const connectionsOpen = (page) =>
  page.evaluate(() => /** @type {RTCPeerConnection[]} */ (/** @type {any} */ (globalThis).connectionsMade).filter((pc) => pc.connectionState !== "closed").length);

/** The page of a viewer who passes the picture on. @param {Page[]} viewers */
async function whoPassesOn(viewers) {
  for (const page of viewers) if (/Passed on to/.test((await page.text(WAY)) ?? "")) return page;
  throw new Error("nobody passes it on");
}

story("sfu, star, tree and back while a film plays: nobody's picture stops, and one who passes it on may leave", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("small");
  await studio.page.click(id("loop"));
  await studio.goLive();
  await studio.page.evaluate((s) => { /** @type {HTMLDetailsElement} */ (document.querySelector(s)).open = true; }, id("delivery"));
  const link = await studio.link();
  /** @type {Page[]} */ let viewers = [];
  for (const name of /** @type {const} */ (["chromium", "chromium", "chromium", "firefox"])) {
    const page = await (await browser(name)).open(link, { label: `viewer ${viewers.length + 1}`, viewport: { width: 640, height: 480 } });
    viewers.push(page);
    await shows(page, clips.small);
    await page.press("i");
    await countFrames(page);
  }
  await have(studio, viewers, ["sfu", "sfu", "sfu", "sfu"]);
  const before = new Map();
  await keptTheirPicture(t, "at the beginning", viewers, before, Number.POSITIVE_INFINITY);

  await change(studio, viewers, "star", ["direct", "direct", "direct", "direct"]);
  await keptTheirPicture(t, "server to star", viewers, before, CHANGE);
  await studio.page.says(id("delivery"), /show addresses/);
  for (const page of viewers) assert.equal(await connectionsOpen(page), 1, `${page.name} has a connection to spare`);

  await change(studio, viewers, "tree", ["direct", "direct", "relayed 1", "relayed 1"]);
  await studio.page.says(id("delivery-depth"), /2 steps/);
  await keptTheirPicture(t, "star to tree", viewers, before, CHANGE);

  const relay = await whoPassesOn(viewers);
  viewers = viewers.filter((page) => page !== relay);
  for (const page of viewers) await page.evaluate(noteWaysInPage, WAY);
  await relay.close();
  await haveATree(studio, viewers);
  for (const page of viewers) t.diagnostic(`${page.name}, when one who passed it on had left: ${(await waysNoted(page)).join(", then ")}`);
  await keptTheirPicture(t, "one who passed it on left", viewers, before, RESCUE);

  await change(studio, viewers, "sfu", ["sfu", "sfu", "sfu"]);
  await keptTheirPicture(t, "tree to server", viewers, before, CHANGE);
  for (const page of [studio.page, ...viewers]) assert.equal(await connectionsOpen(page), 1, `${page.name} has a connection to spare`);

  // Nobody is asked who has said no.
  for (const page of viewers) await page.click(id("refuse-pass-on"));
  await change(studio, viewers, "tree", ["direct", "direct", "sfu"]);
});
