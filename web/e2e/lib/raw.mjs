// WHIP and WHEP by hand, on an empty page of the server's origin: what any client can do, with the
// connection in the test's hands. The pages' own tests are told through the pages.

import { fixture } from "./fixtures.mjs";
import { KEY } from "./server.mjs";

/** @typedef {import("./browsers.mjs").Page} Page */
/** @typedef {import("./browsers.mjs").Browser} Browser */
/** @typedef {import("./server.mjs").Server} Server */

/**
 * When a connection came up and its first frame was shown, by the page's clock in ms.
 * @typedef {{ connected?: number, frame?: number }} Times
 */

/** In the page: an empty stage with a file input, the source and the picture. */
function stageInPage() {
  document.body.innerHTML = `<input type="file"><video muted autoplay playsinline></video>`;
}

/** In the page: one POST, as RFC 9725 and WHEP have it. @param {{ path: string, token: string, send: boolean }} options */
async function connectInPage({ path, token, send }) {
  const video = /** @type {any} */ (document.querySelector("video"));
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  /** @type {string[]} */ const states = [];
  pc.onconnectionstatechange = () => states.push(pc.connectionState);
  /** @type {Times} */ const times = {};
  pc.addEventListener("iceconnectionstatechange", () => { if (pc.iceConnectionState === "connected") times.connected ??= performance.now(); });
  if (!send) video.requestVideoFrameCallback(() => { times.frame ??= performance.now(); });
  Object.assign(globalThis, { pc, states, times });
  if (send) {
    video.loop = true;
    video.src = URL.createObjectURL(/** @type {File} */ (document.querySelector("input")?.files?.[0]));
    await video.play();
    const stream = /** @type {MediaStream} */ (video.captureStream());
    for (const kind of ["audio", "video"]) {
      const track = stream.getTracks().find((one) => one.kind === kind);
      pc.addTransceiver(track ?? kind, { direction: "sendonly", streams: [stream] });
    }
  } else {
    const stream = new MediaStream();
    for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "recvonly" });
    pc.ontrack = (event) => { stream.addTrack(event.track); video.srcObject = stream; };
  }
  await pc.setLocalDescription();
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", ...(token && { Authorization: `Bearer ${token}` }) },
    body: pc.localDescription?.sdp,
  });
  const sdp = await answer.text();
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${sdp}`);
  await pc.setRemoteDescription({ type: "answer", sdp });
  return { location: answer.headers.get("Location"), sdp };
}

/** Publishes a clip in a loop. @param {Browser} browser @param {Server} server @param {string} stream @param {keyof typeof import("./fixtures.mjs").clips} clip */
export async function publishRaw(browser, server, stream, clip) {
  const page = await browser.open(`${server.url}/healthz`, { label: "raw publisher" });
  await page.evaluate(stageInPage);
  await page.setFiles("input", fixture(clip));
  await page.evaluate(connectInPage, { path: `/whip/${stream}`, token: KEY, send: true });
  return page;
}

/**
 * Watches.
 * @param {Browser} browser @param {Server} server @param {string} stream
 * @param {{ via?: import("./network.mjs").Network, when?: () => Promise<unknown> }} [options] when: the page is ready and connects after it
 */
export async function watchRaw(browser, server, stream, { via, when } = {}) {
  const page = await browser.open(`${server.url}/healthz`, { label: "raw viewer", via });
  await page.evaluate(stageInPage);
  await when?.();
  await page.evaluate(connectInPage, { path: `/whep/${stream}`, token: "", send: false });
  return page;
}

/** In the page: what the connection made by connectInPage is doing. */
async function figuresInPage() {
  const { pc, states } = /** @type {any} */ (globalThis);
  /** @type {any[]} */ const all = [...(await pc.getStats()).values()];
  const video = all.find((s) => s.type === "inbound-rtp" && s.kind === "video");
  const audio = all.find((s) => s.type === "inbound-rtp" && s.kind === "audio");
  return {
    state: /** @type {string} */ (pc.connectionState),
    states: /** @type {string[]} */ (states),
    ciphers: /** @type {string[]} */ (all.filter((s) => s.type === "transport").map((s) => s.srtpCipher)),
    frames: /** @type {number} */ (video?.framesDecoded ?? 0),
    packets: /** @type {number} */ ((video?.packetsReceived ?? 0) + (audio?.packetsReceived ?? 0)),
    energy: /** @type {number} */ (audio?.totalAudioEnergy ?? 0),
  };
}

/** @param {Page} page */
export const figures = (page) => page.evaluate(figuresInPage);

/** @param {Page} page @returns {Promise<Times>} */
export const times = (page) => page.evaluate(() => /** @type {Times} */ (/** @type {any} */ (globalThis).times));

/** In the page: how far the picture is behind the sound, in ms, where the browser tells. */
async function stepInPage() {
  /** @type {any[]} */ const all = [...(await /** @type {any} */ (globalThis).pc.getStats()).values()];
  const [audio, video] = ["audio", "video"].map((kind) => all.find((s) => s.type === "inbound-rtp" && s.kind === kind)?.estimatedPlayoutTimestamp);
  return audio && video ? /** @type {number} */ (audio - video) : null;
}

/** @param {Page} page */
export const outOfStep = (page) => page.evaluate(stepInPage);
