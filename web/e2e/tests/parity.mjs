// Parity packets on a long and lossy line (serve --fec), and the time of capture: what a browser makes
// of the packets that the relay makes or changes itself.

import assert from "node:assert/strict";
import { clips } from "../lib/fixtures.mjs";
import { network } from "../lib/network.mjs";
import { shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { Studio } from "../lib/studio.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

/** In the page: what its newest connection got of the picture. */
async function inboundInPage() {
  const pc = /** @type {RTCPeerConnection} */ (/** @type {any} */ (globalThis).connectionsMade.at(-1));
  /** @type {any[]} */ const all = [...(await pc.getStats()).values()];
  const s = all.find((one) => one.type === "inbound-rtp" && one.kind === "video") ?? {};
  return {
    at: performance.now(), frames: s.framesDecoded ?? 0, lost: s.packetsLost ?? 0, asked: s.nackCount ?? 0, keys: s.pliCount ?? 0,
    parity: s.fecPacketsReceived ?? 0, thrownAway: s.fecPacketsDiscarded ?? 0, repeats: s.retransmittedPacketsReceived ?? 0,
  };
}

/** In the page: the payload types of repeats that it has offered. */
function repeatTypesInPage() {
  const pc = /** @type {RTCPeerConnection} */ (/** @type {any} */ (globalThis).connectionsMade.at(-1));
  return [...(pc.localDescription?.sdp ?? "").matchAll(/a=rtpmap:(\d+) rtx\//g)].map((m) => Number(m[1]));
}

// No repeat arrives, so a lost packet that parity does not bring back costs a key frame.
story("Chromium mends the picture by parity where no repeat comes in time", async (t) => {
  const server = await serve(t, "--fec");
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  const stream = await studio.goLive();
  const via = await network(t, server);
  const page = await (await browser("chromium")).open(`${via.url}/w/${stream}`, { label: "viewer", via });
  await shows(page, clips.webm);
  via.stretch({ delay: 100, oneOf: 25, never: await page.evaluate(repeatTypesInPage) });
  await until("parity packets come", async () => (await page.evaluate(inboundInPage)).parity > 5);
  const before = await page.evaluate(inboundInPage);
  await until("a hundred frames are decoded", async () => (await page.evaluate(inboundInPage)).frames > before.frames + 100);
  const after = await page.evaluate(inboundInPage);
  t.diagnostic(JSON.stringify({ before, after }));
  assert.ok(after.parity > before.parity, "no parity packet came");
  assert.ok(after.asked > before.asked, "nothing was lost");
  assert.equal(after.repeats, before.repeats, "a repeat came");
  assert.ok(after.keys - before.keys <= 2, `${after.keys - before.keys} key frames were asked for`);
  await shows(page, clips.webm);
});

/** In the page: how long ago the picture that is shown next was captured, in ms; null when nobody says. */
const ageInPage = () => new Promise((done) => {
  const video = /** @type {HTMLVideoElement} */ (document.querySelector("video"));
  video.requestVideoFrameCallback((now, frame) => done(frame.captureTime === undefined ? null : { shown: now - frame.captureTime, arrived: (frame.receiveTime ?? Number.NaN) - frame.captureTime }));
});

// Studio, server and viewer share one clock here, so the age can be judged.
story("a viewer's page learns when each picture was captured, whenever it comes", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  const link = server.watch(await studio.goLive());
  for (const label of ["viewer", "late viewer"]) {
    const page = await (await browser("chromium")).open(link, { label });
    await shows(page, clips.webm);
    /** @type {any} */ let seen = null;
    await until(`${label}: pictures say when they were captured`, async () => {
      seen = await page.evaluate(ageInPage);
      return seen !== null && seen.arrived > -5 && seen.arrived < 1000 && seen.shown < 2000;
    }).catch((error) => { throw new Error(`${/** @type {Error} */ (error).message}; last ${JSON.stringify(seen)}`); });
    t.diagnostic(`${label}: ${JSON.stringify(seen)}`);
    await studio.page.evaluate(() => new Promise((done) => setTimeout(done, 3000))); // the next one comes into the middle
  }
});
