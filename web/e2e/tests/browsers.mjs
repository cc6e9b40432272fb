// Can the browsers themselves do what the other tests ask of them? Each plays our clips, captures
// them and sends them over a peer connection inside one page. When this fails, look at the machine
// (codecs, sound, addresses), not at Fanfare.

import assert from "node:assert/strict";
import http from "node:http";
import { clips, fixture } from "../lib/fixtures.mjs";
import { countFrames, framesSeen } from "../lib/frames.mjs";
import { rightColours, shows } from "../lib/picture.mjs";
import { sounds } from "../lib/sound.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";

const html = `<!doctype html><title>Loop</title><input type="file"><video id="source" muted></video><video id="sink" muted autoplay></video>`;

/** An empty page on loopback, which browsers hold for secure. @param {import("node:test").TestContext} t */
async function emptyPage(t) {
  const server = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(html));
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  t.after(() => server.close());
  return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}/`;
}

/** In the page: plays the chosen file, captures it, and sends it from one peer connection to another. */
async function loopInPage() {
  const source = /** @type {any} */ (document.querySelector("#source"));
  const sink = /** @type {HTMLVideoElement} */ (document.querySelector("#sink"));
  const file = /** @type {File} */ (/** @type {HTMLInputElement} */ (document.querySelector("input")).files?.[0]);
  source.src = URL.createObjectURL(file);
  await source.play();
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
  near.onicecandidate = (e) => void far.addIceCandidate(e.candidate ?? undefined);
  far.onicecandidate = (e) => void near.addIceCandidate(e.candidate ?? undefined);
  far.ontrack = (e) => { sink.srcObject = e.streams[0]; };
  const stream = /** @type {MediaStream} */ (source.captureStream());
  for (const track of stream.getTracks()) near.addTrack(track, stream);
  await near.setLocalDescription();
  await far.setRemoteDescription(/** @type {RTCSessionDescription} */ (near.localDescription));
  await far.setLocalDescription();
  await near.setRemoteDescription(/** @type {RTCSessionDescription} */ (far.localDescription));
  return stream.getTracks().map((track) => track.kind).sort().join();
}

/** In the page: shows so many pictures, each when the one before is on the screen; one of them is black. @param {number} many @param {number} black */
async function flashInPage(many, black) {
  const [video] = document.querySelectorAll("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  const stream = canvas.captureStream(0);
  // Chromium has it on the track, Firefox on the stream.
  const asker = [...stream.getVideoTracks(), stream].find((one) => "requestFrame" in one);
  Object.assign(video, { srcObject: stream, muted: true });
  for (let i = 0; i < many; i++) {
    const shown = new Promise((done) => video.requestVideoFrameCallback(done));
    context.fillStyle = i === black ? "black" : `hsl(${40 * i} 80% 50%)`;
    context.fillRect(0, 0, 64, 36);
    /** @type {CanvasCaptureMediaStreamTrack} */ (asker).requestFrame();
    if (i === 0) void video.play();
    await shown;
  }
}

for (const name of BOTH) {
  story(`${name} by itself shows a black picture between others, and the counting sees it`, async (t) => {
    const page = await (await browser(name)).open(await emptyPage(t));
    await countFrames(page);
    await page.evaluate(flashInPage, 20, 10);
    const { frames, black } = await framesSeen(page);
    assert.deepEqual({ frames, black }, { frames: 20, black: 1 });
  });

  for (const clip of /** @type {const} */ (["webm", "mp4"])) {
    story(`${name} by itself plays, captures and shows ${clips[clip].file}`, async (t) => {
      const page = await (await browser(name)).open(await emptyPage(t));
      await page.setFiles("input", fixture(clip));
      assert.equal(await page.evaluate(loopInPage), "audio,video");
      const reading = await shows(page, clips[clip], { selector: "#sink" });
      assert.ok(rightColours(reading));
      await sounds(page, clips[clip], "#sink");
    });
  }
}
