// Camera and microphone, and pages that may not use them.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { clips } from "../lib/fixtures.mjs";
import { lightness, moves, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { browser, BOTH, story } from "../lib/run.mjs";
import { lanAddress, serve } from "../lib/server.mjs";
import { listen } from "../lib/sound.mjs";
import { id, Studio } from "../lib/studio.mjs";
import { connectionsMade } from "../lib/watching.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

/** A camera sends colours; the card is light signs on a dark ground. @param {Page} viewer */
const showsCard = (viewer) => until(`${viewer.name} shows the card`, async () => {
  const light = await lightness(viewer);
  return light !== null && light.most > 150 && light.least < 40;
});

/** @param {Page} viewer @param {boolean} heard */
const hears = (viewer, heard) => until(`${viewer.name} hears ${heard ? "something" : "nothing"}`, async () => ((await listen(viewer))?.rms ?? 0) > 0.005 === heard);

for (const name of BOTH) {
  story(`${name}: camera and microphone are switched off and on while live`, async (t) => {
    const server = await serve(t);
    const studio = await Studio.open(await browser(name), server);
    await studio.page.click(id("choose-camera"));
    const stream = await studio.goLive();
    const viewer = await (await browser(name === "chromium" ? "firefox" : "chromium")).open(server.watch(stream), { label: "viewer" });
    await moves(viewer);

    await studio.page.click(id("device-picture"));
    await showsCard(viewer);
    await studio.page.says(id("state"), /camera is off/i);
    await studio.page.click(id("device-sound"));
    await hears(viewer, false);
    await studio.page.click(id("device-picture"));
    await moves(viewer);
    await studio.page.click(id("device-sound"));
    await hears(viewer, true);
    assert.equal(await connectionsMade(viewer), 1);
  });
}

story("a microphone that is busy does not keep the camera out, and is there at a button", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.page.see(id("choose-camera"));
  // Another program has the microphone.
  await studio.page.evaluate(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    Object.assign(globalThis, { microphoneIsBusy: true });
    navigator.mediaDevices.getUserMedia = (wanted) =>
      wanted?.audio && /** @type {any} */ (globalThis).microphoneIsBusy ? Promise.reject(new DOMException("busy", "NotReadableError")) : ask(wanted);
  });
  await studio.page.click(id("choose-camera"));
  await studio.page.says(id("notice"), /without sound/i);
  const stream = await studio.goLive();
  const viewer = await (await browser("chromium")).open(server.watch(stream), { label: "viewer" });
  await moves(viewer);
  await hears(viewer, false);
  await studio.page.evaluate(() => void Object.assign(globalThis, { microphoneIsBusy: false }));
  // The note is gone with going live; the button among the controls stays.
  await studio.page.click(id("microphone-retry"));
  await studio.page.see(id("device-sound"));
  await hears(viewer, true);
});

story("on a page without https the studio says at once what works, and files do", async (t) => {
  const server = await serve(t);
  // The page comes from this machine's address in its network, as a neighbour's would.
  const door = net.createServer((socket) => {
    const inside = net.connect(server.port, "127.0.0.1");
    for (const [one, other] of [[socket, inside], [inside, socket]]) one.on("error", () => other.destroy()).pipe(other);
  });
  door.listen(0, lanAddress());
  await once(door, "listening");
  t.after(() => door.close());
  const { address, port } = /** @type {net.AddressInfo} */ (door.address());
  for (const name of BOTH) {
    const page = await (await browser(name)).open(server.studio.replace(server.url, `http://${address}:${port}`), { label: "studio" });
    const studio = new Studio(page, server);
    await page.says(id("insecure"), /https.*files.*--tls-self/is);
    assert.equal(await page.evaluate((s) => document.querySelector(s)?.hasAttribute("disabled"), id("choose-camera")), true);
    await studio.choose("webm");
    const stream = await studio.goLive();
    const viewer = await (await browser(name)).open(server.watch(stream), { label: "viewer" });
    await shows(viewer, clips.webm);
    await page.close();
  }
});
