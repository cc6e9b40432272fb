// How long a file takes from page to page, and raw data channels between two pages, of the kind that
// files go by, as what to compare with.

import assert from "node:assert/strict";
import { id } from "../lib/studio.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

const MB = 1024 * 1024;
/** Bytes of a message: a leaf with its proof, as pages send it. */
const MESSAGE = 65_536 + 310;

/** Bytes that may lie in a channel before whoever sends waits, and when it goes on: as pages do it (web/src/mesh/peer/conn.ts), and with much more. */
export const LITTLE = { high: 256 * 1024, low: 128 * 1024 };
export const MUCH = { high: 2 * MB, low: 512 * 1024 };

/** @param {readonly number[]} all */
export const median = (all) => /** @type {number} */ ([...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]);

/**
 * MiB a second from the first page to the second, over so many peer connections at a time.
 * @param {readonly Page[]} pages @param {number} size in bytes @param {typeof LITTLE} filled
 * @param {(sdp: string, i: number, side: "offer" | "answer") => Promise<string> | string} [through] what becomes of descriptions on their way
 */
export async function raw(pages, size, connections = 1, filled = LITTLE, through = (sdp) => sdp) {
  const [from, to] = /** @type {[Page, Page]} */ (pages);
  const messages = Math.ceil(size / connections / MESSAGE);
  for (let i = 0; i < connections; i++) {
    const offer = await from.evaluate(offerInPage, i);
    const answer = await to.evaluate(answerInPage, i, await through(offer, i, "offer"), messages * MESSAGE);
    await from.evaluate(acceptInPage, i, await through(answer, i, "answer"));
  }
  await from.evaluate(openInPage);
  const sent = from.evaluate(sendInPage, messages, MESSAGE, filled);
  const took = await to.evaluate(takenInPage);
  await sent;
  assert.ok(took > 0);
  await Promise.all(pages.map((page) => page.evaluate(closeInPage)));
  return (connections * messages * MESSAGE) / MB / (took / 1000);
}

/** In the page: a peer connection with its lane, under a number. @param {number} i */
async function offerInPage(i) {
  const pc = new RTCPeerConnection();
  const lane = pc.createDataChannel("lane", { negotiated: true, id: 1, ordered: false });
  const raw = /** @type {any} */ (globalThis).raw ??= [];
  raw[i] = { pc, lane };
  await pc.setLocalDescription(await pc.createOffer());
  while (pc.iceGatheringState !== "complete") await new Promise((resolve) => pc.addEventListener("icegatheringstatechange", resolve, { once: true }));
  return pc.localDescription?.sdp ?? "";
}

/** In the page: takes so many bytes, and notes when the first and the last came (ms). @param {number} i @param {string} sdp @param {number} bytes */
async function answerInPage(i, sdp, bytes) {
  const pc = new RTCPeerConnection();
  const lane = pc.createDataChannel("lane", { negotiated: true, id: 1, ordered: false });
  lane.binaryType = "arraybuffer";
  let [got, began] = [0, 0];
  const done = new Promise((resolve) => {
    lane.addEventListener("message", ({ data }) => {
      if (got === 0) began = performance.now();
      got += data.byteLength;
      if (got === bytes) resolve({ began, ended: performance.now() });
    });
  });
  const raw = /** @type {any} */ (globalThis).raw ??= [];
  raw[i] = { pc, lane, done };
  await pc.setRemoteDescription({ type: "offer", sdp });
  await pc.setLocalDescription(await pc.createAnswer());
  while (pc.iceGatheringState !== "complete") await new Promise((resolve) => pc.addEventListener("icegatheringstatechange", resolve, { once: true }));
  return pc.localDescription?.sdp ?? "";
}

/** @param {number} i @param {string} sdp */
const acceptInPage = (i, sdp) => /** @type {any} */ (globalThis).raw[i].pc.setRemoteDescription({ type: "answer", sdp });

async function openInPage() {
  for (const { lane } of /** @type {any} */ (globalThis).raw) {
    if (lane.readyState !== "open") await new Promise((resolve) => lane.addEventListener("open", resolve, { once: true }));
  }
}

/** In the page: sends as fast as the channels take it. @param {number} messages on each @param {number} size @param {typeof LITTLE} filled */
async function sendInPage(messages, size, { high, low }) {
  const bytes = new Uint8Array(size);
  await Promise.all(/** @type {any} */ (globalThis).raw.map(async (/** @type {{ lane: RTCDataChannel }} */ { lane }) => {
    lane.bufferedAmountLowThreshold = low;
    for (let left = messages; left > 0; left--) {
      if (lane.bufferedAmount >= high) await new Promise((resolve) => lane.addEventListener("bufferedamountlow", resolve, { once: true }));
      lane.send(bytes);
    }
  }));
}

/** In the page: how long (ms) it took from the first byte to the last, over all. @returns {Promise<number>} */
async function takenInPage() {
  const all = await Promise.all(/** @type {any} */ (globalThis).raw.map((/** @type {any} */ one) => one.done));
  return Math.max(...all.map((one) => one.ended)) - Math.min(...all.map((one) => one.began));
}

function closeInPage() {
  for (const { pc } of /** @type {any} */ (globalThis).raw.splice(0)) pc.close();
}

/** How long (s) it takes from the press on Get to the end. @param {import("../lib/sharing.mjs").Taker} taker */
export async function pair(taker) {
  await taker.is("offered");
  return (await taker.page.evaluate(pressedInPage, id("get"), id("state"))) / 1000;
}

/** In the page: presses, and tells how long (ms) it takes until everything is there. @param {string} get @param {string} state */
async function pressedInPage(get, state) {
  const element = /** @type {HTMLElement} */ (document.querySelector(state));
  const began = performance.now();
  const done = new Promise((resolve) => {
    new MutationObserver(() => { if (element.dataset.phase === "done") resolve(undefined); }).observe(element, { attributes: true });
  });
  /** @type {HTMLElement} */ (document.querySelector(get)).click();
  await done;
  return performance.now() - began;
}
