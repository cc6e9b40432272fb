// The main job: a file in the uploader's browser, seen and heard by viewers in both browsers.

import assert from "node:assert/strict";
import { clips, FPS } from "../lib/fixtures.mjs";
import { lightness, read, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { listen, sounds } from "../lib/sound.mjs";
import { id, PREVIEW, Studio, threeViewers } from "../lib/studio.mjs";
import { connectionsMade, leg, viewersAre, WORDS } from "../lib/watching.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

/** @param {string} name */
const otherThan = (name) => browser(name === "chromium" ? "firefox" : "chromium");

for (const name of BOTH) {
  for (const clip of /** @type {const} */ (["webm", "mp4"])) {
    story(`${name} publishes ${clips[clip].file}, three viewers in both browsers see and hear it`, async (t) => {
      const server = await serve(t);
      const studio = await Studio.open(await browser(name), server);
      await studio.choose(clip);
      await studio.goLive();
      const viewers = await threeViewers(await otherThan(name), await browser(name), await studio.link());
      await Promise.all(viewers.map(async (page) => {
        await shows(page, clips[clip]);
        await sounds(page, clips[clip]);
        const now = await leg(page);
        assert.match(now?.ciphers.join() ?? "", /^(SRTP_)?AEAD_AES_(128|256)_GCM$/);
        assert.ok(now && now.frames > 0 && now.energy > 0, "decoded frames and sound are counted");
        await followsSource(studio, page);
      }));
      await viewersAre(viewers[0], 3);
      await studio.page.waitFor("the studio counts three", (s) => document.querySelector(s)?.getAttribute("data-count") === "3", id("viewers"));
    });
  }
}

/** A viewer's picture is one that the source has shown before, and not long ago. @param {Studio} studio @param {Page} page */
async function followsSource(studio, page) {
  await until(`${page.name} follows the source`, async () => {
    const before = await read(studio.page, PREVIEW);
    const seen = await read(page);
    const after = await read(studio.page, PREVIEW);
    // The clip may have begun anew in between.
    if (!before || !seen || !after || after.frame < before.frame) return false;
    return seen.id === after.id && seen.frame <= after.frame && seen.frame > before.frame - 10 * FPS;
  });
}

for (const name of BOTH) {
  story(`${name}: viewers follow pause, play and a jump in the file`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.choose("mp4");
    await studio.goLive();
    const viewers = [await (await browser("chromium")).open(await studio.link(), { label: "viewer" }), await (await browser("firefox")).open(await studio.link(), { label: "viewer" })];
    for (const page of viewers) await shows(page, clips.mp4);

    await studio.page.click(id("pause"));
    await studio.is("paused");
    for (const page of viewers) {
      await page.says("main", /has paused it/);
      const stopped = await until("the picture stands still", () => standsStill(page));
      assert.ok(stopped, `${page.name} lost the picture in the pause`);
    }
    await studio.page.click(id("pause"));
    for (const page of viewers) await shows(page, clips.mp4);

    await studio.seek(22);
    for (const page of viewers) {
      await until(`${page.name} is behind second 22`, async () => ((await read(page))?.frame ?? 0) >= 22 * FPS);
      await shows(page, clips.mp4);
      await sounds(page, clips.mp4);
      assert.equal(await connectionsMade(page), 1, `${page.name} has made a new connection`);
    }
  });

  story(`${name}: a list plays through: a film, one without sound, one of another size`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.choose("short", "silent", "tall");
    // A browser that starts only now would miss the short films.
    for (const one of BOTH) await browser(one);
    await studio.goLive();
    await studio.noteStates();
    const viewers = [await (await browser("chromium")).open(await studio.link(), { label: "viewer" }), await (await browser("firefox")).open(await studio.link(), { label: "viewer" })];
    // The films are short: each viewer is asked for all of them at the same time as the other.
    await Promise.all(viewers.map(async (page) => {
      await shows(page, clips.silent);
      await until(`${page.name} hears nothing`, async () => ((await listen(page))?.rms ?? 0) < 0.01);
      const tall = await shows(page, clips.tall);
      assert.ok(tall.height > tall.width, `${page.name} shows ${tall.width}x${tall.height}`);
      await sounds(page, clips.tall);
      assert.equal(await connectionsMade(page), 1, `${page.name} has made a new connection`);
    }));
    assert.deepEqual((await studio.list()).map((item) => item.on), [false, false, true]);
    assert.ok(!(await studio.statesNoted()).includes("paused"), "between two files viewers were told of a pause");
  });

  story(`${name}: a recording that does not say how long it is can be moved in`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.choose("recorded");
    await studio.page.says(id("duration"), /^0:30$/);
    await studio.goLive();
    const viewer = await (await otherThan(name)).open(await studio.link(), { label: "viewer" });
    await shows(viewer, clips.recorded);
    await studio.seek(20);
    await until(`${viewer.name} is behind second 20`, async () => ((await read(viewer))?.frame ?? 0) >= 20 * FPS);
    await shows(viewer, clips.recorded);
    await sounds(viewer, clips.recorded);
  });
}

/** Two looks, half a second apart in the page's own time, that show the same frame. @param {Page} page */
async function standsStill(page) {
  const first = await read(page);
  await page.evaluate(() => new Promise((done) => setTimeout(done, 500)));
  const second = await read(page);
  return first !== null && second !== null && first.frame === second.frame;
}

story("another codec is no lost connection: the studio says what it does, and viewers keep theirs", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  await studio.page.click(id("loop"));
  const stream = await studio.goLive();
  const viewers = await threeViewers(await browser("chromium"), await browser("firefox"), server.watch(stream));
  for (const viewer of viewers) await shows(viewer, clips.webm);
  await studio.page.evaluate((state, codec) => {
    const element = document.querySelector(state);
    const states = [element?.getAttribute("data-state")];
    Object.assign(globalThis, { states });
    if (element) new MutationObserver(() => states.push(element.getAttribute("data-state"))).observe(element, { attributes: true });
    const select = /** @type {HTMLSelectElement} */ (document.querySelector(codec));
    select.value = "VP9";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }, id("state"), id("codec"));
  await studio.page.waitFor("the codec is another one", () => /** @type {any} */ (globalThis).states.join() === "live,recoding,live");
  for (const viewer of viewers) {
    await viewer.waitFor("the picture is VP9", async () => {
      const pc = /** @type {any} */ (globalThis).connectionsMade.at(-1);
      const all = [...(await pc.getStats()).values()];
      const video = all.find((s) => s.type === "inbound-rtp" && s.kind === "video");
      return all.find((s) => s.id === video?.codecId)?.mimeType === "video/VP9";
    });
    await shows(viewer, clips.webm);
    assert.equal(await connectionsMade(viewer), 1);
  }
});

story("a browser that fails to make an offer for a moment goes live all the same, and one that never can says so", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  await studio.page.evaluate(() => {
    const all = /** @type {any} */ (RTCPeerConnection.prototype);
    const make = all.createOffer;
    let tries = 0;
    all.createOffer = /** @this {RTCPeerConnection} @param {unknown[]} options */ function (...options) {
      tries++;
      return tries <= 2 ? Promise.reject(new DOMException("not now", "OperationError")) : make.apply(this, options);
    };
  });
  const viewer = await (await browser("chromium")).open(server.watch(await studio.goLive()), { label: "viewer" });
  await shows(viewer, clips.webm);
  await studio.page.click(id("stop"));
  await studio.is("ended");
  await studio.page.evaluate(() => {
    const all = /** @type {any} */ (RTCPeerConnection.prototype);
    all.createOffer = () => Promise.reject(new DOMException("never", "NotSupportedError"));
  });
  await studio.page.click(id("go-live"));
  await studio.is("refused");
  await studio.page.says(id("state"), /browser cannot/i);
});

story("files that cannot be played are refused in words, and the rest of the list plays", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("broken", "hevc", "webm");
  await until("both bad files are refused", async () => (await studio.list()).filter((item) => item.refused).length === 2);
  for (const item of (await studio.list()).filter((one) => one.refused)) assert.match(item.text, /[a-z]{3,} [a-z]{2,}/i, "a reason in words");
  await studio.goLive();
  const viewer = await (await browser("firefox")).open(await studio.link(), { label: "viewer" });
  await shows(viewer, clips.webm);
});

story("a file with sound alone is heard, and viewers see a card with its title", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("sound");
  await studio.goLive();
  for (const name of BOTH) {
    const viewer = await (await browser(name)).open(await studio.link(), { label: "viewer" });
    await sounds(viewer, clips.sound);
    await until(`${viewer.name} shows light signs on a dark ground`, async () => {
      const light = await lightness(viewer);
      return light !== null && light.most > 150 && light.least < 40;
    });
  }
});

story("stop ends the stream for everyone, and going live again brings it back under the same link", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("firefox"), server);
  await studio.choose("webm");
  const name = await studio.goLive();
  const viewer = await (await browser("chromium")).open(server.watch(name), { label: "viewer" });
  await shows(viewer, clips.webm);
  await studio.page.click(id("stop"));
  await viewer.says(WORDS, /ended/i);
  assert.equal(await studio.goLive(), name);
  await shows(viewer, clips.webm);
});
