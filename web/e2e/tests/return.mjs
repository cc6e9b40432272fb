// What goes wrong in a long evening: a reload, a restart, a lost tab, a hidden one. Viewers have the
// picture again without touching anything.

import assert from "node:assert/strict";
import { clips, fixture, FPS } from "../lib/fixtures.mjs";
import { gaps } from "../lib/gaps.mjs";
import { network } from "../lib/network.mjs";
import { moves, read, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { publishRaw } from "../lib/raw.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { sounds } from "../lib/sound.mjs";
import { id, Studio } from "../lib/studio.mjs";
import { connectionsMade, viewersAre, WORDS } from "../lib/watching.mjs";

/** @param {string} link one viewer in each browser */
async function viewersIn(link) {
  const pages = [];
  for (const name of BOTH) pages.push(await (await browser(name)).open(link, { label: "viewer" }));
  return pages;
}

for (const name of BOTH) {
  story(`${name}: the studio is reloaded, the file chosen again, and goes on at its position`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.choose("webm");
    const stream = await studio.goLive();
    const viewers = await viewersIn(server.watch(stream));
    for (const page of viewers) await shows(page, clips.webm);
    await studio.seek(12);
    await studio.page.waitFor("the file is past second 12", (s) => (/** @type {HTMLVideoElement | null} */ (document.querySelector(s))?.currentTime ?? 0) > 12, id("preview"));

    await studio.page.reload();
    for (const page of viewers) await page.says(WORDS, /back in a moment/i);
    await studio.page.says(id("continue-card"), /film\.webm/);
    await studio.page.setFiles(id("continue-input"), fixture("webm"));
    await studio.is("live");
    assert.equal(await studio.name(), stream, "the link has changed");
    for (const page of viewers) {
      const reading = await shows(page, clips.webm);
      assert.ok(reading.frame >= 11 * FPS, `${page.name} is at frame ${reading.frame}: the file began anew`);
      assert.equal(await connectionsMade(page), 1, `${page.name} has made a new connection`);
    }
  });

  story(`${name}: the server is restarted, once in good order and once by a crash`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.choose("webm");
    await studio.page.click(id("loop"));
    const stream = await studio.goLive();
    const viewers = await viewersIn(server.watch(stream));
    for (const page of viewers) await shows(page, clips.webm);
    for (const signal of /** @type {const} */ (["SIGTERM", "SIGKILL"])) {
      await server.stop(signal);
      await server.start();
      await studio.is("live");
      for (const page of viewers) {
        await page.waitFor("the page has made a new connection", () => /** @type {any} */ (globalThis).connectionsMade.at(-1).connectionState === "connected");
        await shows(page, clips.webm);
        await sounds(page, clips.webm);
        await viewersAre(page, 2);
      }
    }
    assert.equal(await studio.name(), stream, "the link has changed");
  });
}

story("chromium: two tabs keep their files apart, and one click goes on with the one that was on", async (t) => {
  const server = await serve(t);
  const context = await (await browser("chromium")).context({ label: "studio" });
  const studio = new Studio(await context.open(server.studio), server);
  await studio.pick("webm", "tall");
  const stream = await studio.goLive();
  await studio.page.click(id("mute"));
  await studio.seek(12);
  // Another tab fills a list of its own, and empties it.
  const other = new Studio(await context.open(server.studio), server);
  await other.pick("silent");
  await other.page.click(id("queue-remove"));
  await other.page.close();

  await studio.page.reload();
  await studio.page.says(id("continue-card"), /Continue with film\.webm/);
  await studio.drop("short");
  await studio.page.says(id("continue-card"), /another file.*short\.webm/i);
  await studio.page.click(id("continue"));
  await studio.is("live");
  assert.equal(await studio.name(), stream, "the link has changed");
  assert.deepEqual((await studio.list()).map(({ name, on, refused }) => [name, on, refused]), [["film.webm", true, false], ["tall.mp4", false, false]]);
  const viewer = await (await browser("firefox")).open(server.watch(stream), { label: "viewer" });
  assert.ok((await shows(viewer, clips.webm)).frame >= 11 * FPS, "the file began anew");
  assert.equal(await studio.page.evaluate((s) => /** @type {HTMLVideoElement} */ (document.querySelector(s)).muted, id("preview")), true, "it is heard again");
});

story("a stop that the server could not hear is said again when the studio is opened the next time", async (t) => {
  const server = await serve(t);
  const context = await (await browser("chromium")).context({ label: "studio" });
  const studio = new Studio(await context.open(server.studio), server);
  await studio.choose("webm");
  const stream = await studio.goLive();
  const viewer = await (await browser("firefox")).open(server.watch(stream), { label: "viewer" });
  await shows(viewer, clips.webm);
  await server.stop("SIGKILL");
  await studio.page.click(id("stop"));
  await studio.page.says("main", /server has not heard yet that you stopped/);
  await studio.page.tab.close({ runBeforeUnload: true });
  await until("the tab is closed", () => studio.page.tab.isClosed());
  await server.start();
  await viewer.says(WORDS, /back in a moment/i);
  await context.open(server.studio);
  await viewer.says(WORDS, /ended/i);
});

story("the studio's tab is closed while live: viewers read that it will be back", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  const viewers = await viewersIn(server.watch(await studio.goLive()));
  for (const page of viewers) await shows(page, clips.webm);
  await studio.page.close();
  for (const page of viewers) await page.says(WORDS, /back in a moment/i);
});

story("a hidden studio tab goes on for 30 seconds, and says so", async (t) => {
  const server = await serve(t);
  const context = await (await browser("chromium")).context({ label: "studio" });
  const studio = new Studio(await context.open(server.studio), server);
  await studio.choose("long");
  const stream = await studio.goLive();
  const viewer = await (await browser("chromium")).open(server.watch(stream), { label: "viewer" });
  await shows(viewer, clips.long);
  await sounds(viewer, clips.long);

  const other = await context.open(`${server.url}/`);
  await other.front();
  await studio.page.waitFor("the studio is hidden", () => document.visibilityState === "hidden");
  const seen = await gaps(viewer, 30_000);
  assert.equal(await studio.page.evaluate(() => document.visibilityState), "hidden");
  t.diagnostic(`hidden for 30 s: longest silence ${seen.silence.toFixed(0)} ms, longest wait for a frame ${seen.wait.toFixed(0)} ms, ${seen.frames} frames`);
  assert.ok(seen.silence <= 200, `a silence of ${seen.silence} ms`);
  assert.ok(seen.wait <= 2000, `no frame for ${seen.wait} ms`);
  await studio.page.says(id("notice"), /hidden|background|behind|other tab/i);
  await studio.page.front();
  await shows(viewer, clips.long);
});

story("the camera comes back by itself when the studio is reloaded", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.page.click(id("choose-camera"));
  const stream = await studio.goLive();
  const viewer = await (await browser("firefox")).open(server.watch(stream), { label: "viewer" });
  await moves(viewer);
  await another(studio);
  await moves(viewer);
  await studio.page.reload();
  await studio.is("live");
  await viewer.waitFor("nothing covers the picture", (s) => document.querySelector(s) === null, WORDS);
  await moves(viewer);
  assert.equal(await read(viewer), null, "a camera, no clip");
});

/** Another camera, in a system that opens one at a time. @param {Studio} studio */
async function another({ page }) {
  await page.evaluate((preview, select) => {
    const devices = navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    const first = /** @type {MediaStream} */ (/** @type {HTMLVideoElement} */ (document.querySelector(preview)).srcObject);
    devices.getUserMedia = async (constraints) => {
      if (first.getVideoTracks().some((track) => track.readyState === "live")) throw new DOMException("in use", "NotReadableError");
      return open(constraints);
    };
    Object.assign(globalThis, { first });
    document.querySelector(select)?.dispatchEvent(new Event("change", { bubbles: true }));
  }, id("preview"), id("camera-device"));
  await page.waitFor("another camera is on", (s) => {
    const stream = /** @type {HTMLVideoElement | null} */ (document.querySelector(s))?.srcObject;
    return stream && stream !== /** @type {any} */ (globalThis).first;
  }, id("preview"));
}

story("another page takes the stream over: the older one says so, and takes it back on demand", async (t) => {
  const server = await serve(t);
  const context = await (await browser("chromium")).context({ label: "studio" });
  const studio = new Studio(await context.open(server.studio), server);
  await studio.choose("webm");
  const stream = await studio.goLive();
  const viewer = await (await browser("firefox")).open(server.watch(stream), { label: "viewer" });
  await shows(viewer, clips.webm);
  await publishRaw(await browser("firefox"), server, stream, "tall");
  await studio.is("replaced");
  await shows(viewer, clips.tall);
  await studio.page.click(id("take-back"));
  await studio.is("live");
  await shows(viewer, clips.webm);
  assert.equal(await connectionsMade(viewer), 1);
});

for (const name of BOTH) {
  story(`${name}: the uploader's network is away for ten seconds: the stream comes back under the same link`, async (t) => {
    const server = await serve(t);
    const home = await network(t, server);
    const page = await (await browser(name)).open(server.studio.replace(server.url, home.url), { label: "studio", via: home });
    const studio = new Studio(page, server);
    await studio.choose("webm");
    await page.click(id("loop"));
    const stream = await studio.goLive();
    const viewers = await viewersIn(server.watch(stream));
    for (const viewer of viewers) await shows(viewer, clips.webm);
    await away(home);
    await studio.is("live");
    assert.equal(await studio.name(), stream, "the link has changed");
    for (const viewer of viewers) await shows(viewer, clips.webm);
  });

  story(`${name}: a viewer's network is away for ten seconds: the picture comes back by itself`, async (t) => {
    const server = await serve(t);
    const home = await network(t, server);
    await publishRaw(await browser("chromium"), server, "raw", "webm");
    const viewer = await (await browser(name)).open(`${home.url}/w/raw`, { label: "viewer", via: home });
    await shows(viewer, clips.webm);
    await away(home);
    await shows(viewer, clips.webm);
    await sounds(viewer, clips.webm);
  });
}

/** Ten seconds without a network. @param {import("../lib/network.mjs").Network} home */
async function away(home) {
  home.cut();
  const start = performance.now();
  await until("ten seconds have gone by", () => performance.now() - start >= 10_000);
  home.restore();
}
