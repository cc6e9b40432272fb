// Parity packets on a long and lossy line: what a browser makes of them.

import { clips } from "../lib/fixtures.mjs";
import { network } from "../lib/network.mjs";
import { shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { id, Studio } from "../lib/studio.mjs";

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

/** In the page. */
const afterASecondInPage = () => new Promise((done) => setTimeout(done, 1500));

/** The line while a viewer begins. */
const NEAR = { delay: 0, oneOf: Infinity, never: [] };

/** The line while parity is to be at work alone, and before: ms each way, one packet of 25 lost. */
const FAR = { delay: 100, oneOf: 25 };

// For some seconds no repeat arrives, so a lost packet that parity does not bring back stops the picture
// until there is a key frame, and now and then one group loses two. Then another viewer comes: the relay takes the line
// of who has lost so much for a narrow one, and narrow lines have no room for parity.
story("Chromium mends the picture by parity where no repeat comes in time", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  await studio.page.click(id("loop"));
  const stream = await studio.goLive();
  const via = await network(t, server);
  /** @type {object[]} */ const seen = [];
  await until("twenty frames are decoded over losses, by parity alone", async () => {
    via.stretch(NEAR);
    const page = await (await browser("chromium")).open(`${via.url}/w/${stream}`, { label: "viewer", via });
    await shows(page, clips.webm);
    const repeats = await page.evaluate(repeatTypesInPage);
    via.stretch({ ...FAR, never: [] });
    await until("parity packets come", async () => (await page.evaluate(inboundInPage)).parity > 10);
    via.stretch({ ...FAR, never: repeats });
    const now = await page.evaluate(afterASecondInPage).then(() => page.evaluate(inboundInPage));
    const then = await page.evaluate(afterASecondInPage).then(() => page.evaluate(inboundInPage));
    seen.push({ now, then });
    await page.close();
    return then.frames >= now.frames + 20 && then.lost >= now.lost + 3 && then.keys === now.keys && then.repeats === now.repeats && then.parity > now.parity;
  }).catch((error) => { throw new Error(`${/** @type {Error} */ (error).message}: ${JSON.stringify(seen)}`); });
  t.diagnostic(JSON.stringify(seen.at(-1)));
});
