// The watch page in the hands of its viewers: sound, keys, a network that lets no media through, a
// codec that is missing, frames in other pages, and leaving.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { clips, fixture } from "../lib/fixtures.mjs";
import { network } from "../lib/network.mjs";
import { Owner } from "../lib/owner.mjs";
import { moves, read, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { publishRaw } from "../lib/raw.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { build, KEY, serve } from "../lib/server.mjs";
import { sounds } from "../lib/sound.mjs";
import { connectionsMade, WORDS } from "../lib/watching.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

/** @param {Page} page waits until nothing is said over the picture */
const uncovered = (page) => page.waitFor("nothing covers the picture", (s) => document.querySelector(s) === null, WORDS);

/** In the page: what the player does. */
const playerInPage = () => {
  const video = /** @type {HTMLVideoElement} */ (document.querySelector("video"));
  return { muted: video.muted, volume: video.volume, paused: video.paused, full: document.fullscreenElement !== null };
};

/** @param {Page} page @param {Partial<ReturnType<typeof playerInPage>>} want */
const playerIs = (page, want) => until(`${page.name} has ${JSON.stringify(want)}`, async () => {
  const is = await page.evaluate(playerInPage);
  return Object.entries(want).every(([name, value]) => is[/** @type {keyof typeof is} */ (name)] === value);
});

for (const name of /** @type {const} */ (["chromiumAsked", "firefoxAsked"])) {
  story(`${name}: a browser that wants a gesture shows the picture at once, and a button for the sound`, async (t) => {
    const server = await serve(t);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const page = await (await browser(name)).open(server.watch("raw"), { label: "viewer" });
    // To ask the page anything counts as a gesture: not before the browser has made up its mind.
    await until("media are connected", async () => (await server.metric("fanfare_viewers_connected")) === 1);
    await playerIs(page, { muted: true, paused: false });
    await shows(page, clips.webm);
    await page.says(".sound-prompt button", /sound/i);
    await page.click(".sound-prompt button");
    await playerIs(page, { muted: false, paused: false });
    await page.waitFor("the button is gone", () => document.querySelector(".sound-prompt") === null);
    await sounds(page, clips.webm);
    assert.equal(await connectionsMade(page), 1);
  });
}

for (const name of BOTH) {
  story(`${name}: the keyboard pauses, goes on, mutes, fills the screen and opens the panels`, async (t) => {
    const server = await serve(t);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const page = await (await browser(name)).open(server.watch("raw"), { label: "viewer" });
    await shows(page, clips.webm);

    await page.press(" ");
    await playerIs(page, { paused: true });
    await page.see(".big-play");
    await page.press(" ");
    await playerIs(page, { paused: false });
    await shows(page, clips.webm);
    await page.press(" ");
    await page.click(".big-play");
    await playerIs(page, { paused: false });
    await shows(page, clips.webm);

    await page.press("m");
    await playerIs(page, { muted: true });
    await page.press("m");
    await playerIs(page, { muted: false, volume: 1 });
    await page.press("ArrowDown");
    await page.waitFor("it is quieter", () => (document.querySelector("video")?.volume ?? 1) < 1);

    await page.press("f");
    await playerIs(page, { full: true });
    await page.press("f");
    await playerIs(page, { full: false });

    await page.press("i");
    await page.says("aside", /VP8[\s\S]*AES/i);
    await page.press("Escape");
    await page.waitFor("the figures are closed", () => document.querySelector("aside") === null);
    await page.press("?");
    await page.says("aside", /full screen/i);
    await page.press("?");
    await page.waitFor("the keys are closed", () => document.querySelector("aside") === null);
    assert.equal(await connectionsMade(page), 1);
  });

  story(`${name}: a network that blocks UDP is told in words, and the picture comes when it is opened`, async (t) => {
    const server = await serve(t);
    const office = await network(t, server);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    // Pages go straight to the server: what this network stops is media alone.
    office.cut();
    const page = await (await browser(name)).open(server.watch("raw"), { label: "viewer", via: office });
    await page.says(WORDS, /network/i);
    await page.says(".cover-card", /UDP[\s\S]*(another network|mobile data)/);
    office.restore();
    await shows(page, clips.webm);
    await uncovered(page);
  });

  story(`${name}: a short break of the media alone is mended by an ICE restart on the same session`, async (t) => {
    const server = await serve(t);
    const home = await network(t, server);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const page = await (await browser(name)).open(server.watch("raw"), { label: "viewer", via: home });
    await shows(page, clips.webm);
    await page.evaluate(listenForRestart);
    home.cut();
    await page.waitFor("the server took a PATCH", () => /** @type {any} */ (globalThis).restarts > 0);
    home.restore();
    await shows(page, clips.webm);
    await sounds(page, clips.webm);
    await uncovered(page);
    await until("one session is left", async () => (await server.metric("fanfare_sessions")) === 2);
    // Firefox notices a lost network after ten seconds; the page, which tries another path beside, after six.
    if (name === "chromium") assert.equal(await connectionsMade(page), 1, "it was a new connection, not a restart");
  });

  story(`${name}: who leaves or reloads is gone at once, and asks for one session a time`, async (t) => {
    const server = await serve(t);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const page = await (await browser(name)).open(server.watch("raw"), { label: "viewer" });
    await shows(page, clips.webm);
    const offers = await server.metric("fanfare_offers_total");
    await page.reload();
    await shows(page, clips.webm);
    assert.equal(await server.metric("fanfare_offers_total"), offers + 1, "offers for one reload");
    // The publisher's session is the one that stays. A silent viewer is kept for half a minute.
    await page.goto(`${server.url}/`);
    await until("the session has ended", async () => (await server.metric("fanfare_sessions")) === 1, { timeout: 5_000 });
  });

  story(`${name}: other sites show the stream in a frame only when its owner allows it`, async (t) => {
    const server = await serve(t);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const owner = await Owner.of(await browser("chromium"), server, "raw");
    const site = await otherSite(t, server.watch("raw"));
    const page = await (await browser(name)).open(site, { label: "reader of another site" });
    assert.equal(await inFrame(page, () => document.querySelector("video") !== null).catch(() => false), false, "it is shown unasked");
    assert.equal(await server.metric("fanfare_websockets"), 1, "the refused page has run");

    await owner.say({ type: "set-access", embed: true });
    await until("the owner's wish is known", async () => (await owner.hears("access")).embed);
    await page.reload();
    await shows(framed(page), clips.webm);
    await sounds(framed(page), clips.webm);
    assert.equal(await inFrame(page, () => document.querySelector("header.top")), null, "a frame has room for the picture alone");
  });
}

/** In the page: counts the ICE restarts that the server has taken. */
function listenForRestart() {
  const world = /** @type {any} */ (globalThis);
  const ask = globalThis.fetch;
  world.restarts = 0;
  globalThis.fetch = async (input, init) => {
    const answer = await ask(input, init);
    if (init?.method === "PATCH" && answer.status === 200) world.restarts++;
    return answer;
  };
}

/** A page of another origin that holds a frame. @param {import("node:test").TestContext} t @param {string} address */
async function otherSite(t, address) {
  const html = `<!doctype html><title>Another site</title><iframe src="${address}" allow="autoplay; fullscreen" width="640" height="360"></iframe>`;
  const site = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(html)).listen(0, "127.0.0.1");
  await once(site, "listening");
  t.after(() => site.close());
  return `http://localhost:${/** @type {import("node:net").AddressInfo} */ (site.address()).port}/`;
}

/**
 * @template {unknown[]} A @template R
 * @param {Page} page @param {(...args: A) => R} fn @param {A} args
 * @returns {Promise<Awaited<R>>}
 */
async function inFrame(page, fn, ...args) {
  const frame = page.tab.frames().find((one) => one.parentFrame());
  if (!frame) throw new Error("no frame");
  return /** @type {any} */ (frame).evaluate(fn, ...args);
}

/** The frame, as if it were the page. @param {Page} page @returns {Page} */
const framed = (page) => Object.create(page, {
  name: { value: `${page.name}, in a frame` },
  evaluate: { value: (/** @type {any} */ fn, /** @type {any[]} */ ...args) => inFrame(page, fn, ...args) },
});

story("a picture that the browser has no decoder for is told in words, and others see it", async (t) => {
  const server = await serve(t);
  const program = spawn(await build(), ["publish", fixture("mp4"), "--loop", "--to", server.watch("film")], { env: { ...process.env, FANFARE_KEY: KEY }, stdio: "ignore" });
  t.after(async () => {
    if (program.exitCode !== null) return;
    program.kill();
    await once(program, "exit");
  });
  await until("the film is live", async () => (await server.metric("fanfare_publishers_connected")) === 1);
  for (const name of BOTH) {
    const page = await (await browser(name)).open(server.watch("film"), { label: "viewer" });
    const able = await page.evaluate(() => RTCRtpReceiver.getCapabilities("video")?.codecs.some((codec) => codec.mimeType === "video/H264"));
    if (able) await shows(page, clips.mp4);
    else await page.says(".cover-card", /cannot play[\s\S]*H\.264[\s\S]*(Chrome|Edge|another format)/);
  }
});

story("a stream that has ended starts again under the same link, for those who wait and those who reload", async (t) => {
  const server = await serve(t);
  const publisher = await publishRaw(await browser("chromium"), server, "raw", "webm");
  const viewers = await Promise.all(BOTH.map(async (name) => (await browser(name)).open(server.watch("raw"), { label: "viewer" })));
  for (const page of viewers) await shows(page, clips.webm);
  const owner = await Owner.of(await browser("chromium"), server, "raw");
  await owner.say({ type: "stop" });
  for (const page of viewers) await page.says(WORDS, /ended/);
  await viewers[0].reload();
  await viewers[0].says(WORDS, /ended|not live yet/i);
  await publisher.close();
  await publishRaw(await browser("firefox"), server, "raw", "tall");
  for (const page of viewers) await shows(page, clips.tall);
});

story("a server that comes back is asked nothing about sessions it never had", async (t) => {
  const server = await serve(t, "--demo");
  const viewers = await Promise.all(BOTH.map(async (name) => (await browser(name)).open(server.watch("demo"), { label: "viewer" })));
  for (const page of viewers) await moves(page);
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGKILL"])) {
    await server.stop(signal);
    await server.start();
    for (const page of viewers) {
      await until(`${page.name} has a new connection`, async () => (await connectionsMade(page)) > 1);
      await uncovered(page);
      await moves(page);
      assert.equal(await read(page), null, "the demo, no clip");
    }
  }
  for (const page of viewers) assert.deepEqual(page.log.filter((line) => /\b40[0-9]\b/.test(line)), [], page.name);
});
