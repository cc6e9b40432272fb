// Files where there is no direct path, where there is no room in the browser, and a film that is
// played while it comes.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { fixture } from "../lib/fixtures.mjs";
import { resident } from "../lib/memory.mjs";
import { GENEROUS, until } from "../lib/poll.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { Program, randomFile, scratch, Sender, sumOf, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";

const MB = 1024 * 1024;

/** In the page: no address of its own is told, and of others' none, until the list of files has come in spite of that. */
function withoutPath() {
  const through = new Promise((resolve) => {
    const look = setInterval(() => {
      if (document.querySelector("[data-testid=state]")?.getAttribute("data-phase") !== "offered") return;
      clearInterval(look);
      resolve(undefined);
    }, 50);
  });
  const add = /** @type {(candidate?: RTCIceCandidateInit | null) => Promise<void>} */ (RTCPeerConnection.prototype.addIceCandidate);
  RTCPeerConnection.prototype.addIceCandidate = async function (candidate) {
    await through;
    return add.call(this, candidate);
  };
  const listen = RTCPeerConnection.prototype.addEventListener;
  RTCPeerConnection.prototype.addEventListener = /** @this {RTCPeerConnection} */ function (/** @type {string} */ type, /** @type {any} */ heard) {
    listen.call(this, type, type === "icecandidate" ? (/** @type {Event} */ event) => void through.then(() => heard(event)) : heard);
  };
}

/** In the page: as behind a line that lets no UDP through, nothing but TCP is told and heard of. */
function withoutUDP() {
  const add = /** @type {(candidate?: RTCIceCandidateInit | null) => Promise<void>} */ (RTCPeerConnection.prototype.addIceCandidate);
  RTCPeerConnection.prototype.addIceCandidate = async function (candidate) {
    if (/ tcp /i.test(candidate?.candidate ?? "")) await add.call(this, candidate);
  };
  const listen = RTCPeerConnection.prototype.addEventListener;
  RTCPeerConnection.prototype.addEventListener = /** @this {RTCPeerConnection} */ function (/** @type {string} */ type, /** @type {any} */ heard) {
    if (type !== "icecandidate") listen.call(this, type, heard);
  };
}

story("files: without a direct path through the server, and by TCP where UDP is barred", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", 2 * MB);
  // Slow enough that it is still coming when it is paused.
  const program = await Program.start(t, ["send", film.file, "--to", server.url, "--key", KEY, "--up-rate", "300k"], home);
  const [link] = await program.writes(/http:\S+#v1\.\S+/);
  const [barred, walled] = await Promise.all([
    Taker.open(await browser("chromium"), link, { prepare: withoutPath }),
    Taker.open(await browser("firefox"), link, { prepare: withoutUDP }),
  ]);
  await Promise.all([barred.accept().then(() => barred.page.click(id("pause"))), walled.accept()]);
  await walled.page.waitFor("it has a path by TCP", async () => {
    const { connectionsMade } = /** @type {{ connectionsMade: RTCPeerConnection[] }} */ (/** @type {unknown} */ (globalThis));
    const stats = await Promise.all(connectionsMade.filter((pc) => pc.connectionState === "connected").map((pc) => pc.getStats()));
    return stats.some((all) => [...all.values()].some((one) => one.type === "local-candidate" && one.protocol === "tcp"));
  });
  // The path to the other browser stays a relayed one, as that takes part in nothing but TCP.
  await until("the direct path to the sender is taken", async () => /1 of them relayed/.test((await barred.page.text(id("figures"))) ?? ""), { timeout: 2 * GENEROUS });
  await barred.page.see(id("relayed"));
  await barred.page.click(id("pause"));
  for (const taker of [barred, walled]) assert.deepEqual(await taker.saved(), { [film.name]: film.sum });
  assert.ok((await server.metric("fanfare_file_relay_bytes_total")) > 0, "the server has relayed nothing");
});

/** In the page: the browser's private file system has no room, and the person chooses a file of theirs. */
function withoutRoom() {
  const estimate = navigator.storage.estimate.bind(navigator.storage);
  navigator.storage.estimate = async () => ({ ...(await estimate()), quota: 0 });
  if (!("showSaveFilePicker" in globalThis)) return;
  // No test can reach the browser's own dialog.
  Object.assign(globalThis, {
    showSaveFilePicker: async () => (await navigator.storage.getDirectory()).getFileHandle("chosen", { create: true }),
  });
}

/** In the page: the SHA-256 of the file that was chosen. */
async function chosenInPage() {
  const file = await (await (await navigator.storage.getDirectory()).getFileHandle("chosen")).getFile();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...hash].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** In the page: neither room, nor a dialog to ask for some, nor much memory. */
function withNothing() {
  const estimate = navigator.storage.estimate.bind(navigator.storage);
  navigator.storage.estimate = async () => ({ ...(await estimate()), quota: 0 });
  Object.assign(globalThis, { showSaveFilePicker: undefined, showDirectoryPicker: undefined });
  Object.defineProperty(navigator, "deviceMemory", { value: 0.0625 });
}

story("files: what the browser has no room for goes where the person says, and is known there after a reload", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", 6 * MB + 7);
  const program = await Program.start(t, ["send", film.file, "--to", server.url, "--key", KEY], home);
  const [link] = await program.writes(/http:\S+#v1\.\S+/);
  const taker = await Taker.open(await browser("chromium"), link, { prepare: withoutRoom });
  await taker.accept();
  await taker.is("done");
  await taker.page.see(id("placed"));
  assert.equal(await taker.page.evaluate(chosenInPage), film.sum);
  await taker.page.reload();
  await taker.is("done");
  assert.equal(await taker.page.evaluate(chosenInPage), film.sum);
});

/** In the page: as for a place of the person's, the browser asks again after a reload, and only when they click. */
function askingAgain() {
  if (!("FileSystemHandle" in globalThis)) return;
  Object.assign(FileSystemHandle.prototype, {
    queryPermission: async () => "prompt",
    requestPermission: async () => (navigator.userActivation.isActive ? "granted" : "denied"),
  });
}

/** In the page: how many pieces its journal has. @returns {Promise<number>} */
function notedInPage() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("fanfare-received");
    opening.onerror = reject;
    opening.onsuccess = () => {
      const counting = opening.result.transaction("pieces").objectStore("pieces").count();
      counting.onerror = reject;
      counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
    };
  });
}

story("files: after a reload a click goes on where the person wants it, with what was committed", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "holiday.bin", 32 * MB);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([film.file]);
  await sender.limit(3);
  const taker = await Taker.open(await browser("chromium"), link, { prepare: [withoutRoom, askingAgain] });
  await taker.accept();
  await until("a half is committed", async () => (await taker.page.evaluate(notedInPage)) > 0);
  await taker.page.reload();
  await taker.is("offered");
  const before = 65_536 * (await taker.page.evaluate(notedInPage));
  assert.ok(before >= 14 * MB && before < 32 * MB, `${before} bytes are noted`);
  const began = Date.now();
  await taker.page.click(id("get"));
  assert.ok((await until("it goes on", () => taker.held())) >= before, "what was committed is lost");
  await taker.holds(before);
  t.diagnostic(`figure: seconds from the click after a reload of a receiver to its first new byte, chromium = ${(Date.now() - began) / 1000}`);
  await sender.limit(0);
  await taker.is("done");
  assert.equal(await taker.page.evaluate(chosenInPage), film.sum);
});

/** In the page: of what lies there after a reload the first and the last piece alone are looked at at once. */
function withoutChance() {
  Math.random = () => 0;
}

/** In the page: a bit in the middle of what was received changes. */
async function spoilInPage() {
  const folder = /** @type {any} */ (await (await navigator.storage.getDirectory()).getDirectoryHandle("received"));
  for await (const one of folder.values()) {
    const file = await one.getFile();
    const position = Math.floor(file.size / 2);
    const [byte = 0] = new Uint8Array(await file.slice(position, position + 1).arrayBuffer());
    const to = await one.createWritable({ keepExistingData: true });
    await to.write({ type: "write", position, data: Uint8Array.of(byte ^ 1) });
    await to.close();
  }
}

story("files: a part that is no longer as it was stored is fetched again in the same visit", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", 6 * MB + 7);
  const program = await Program.start(t, ["send", film.file, "--to", server.url, "--key", KEY], home);
  const [link] = await program.writes(/http:\S+#v1\.\S+/);
  const taker = await Taker.open(await browser("chromium"), link, { prepare: withoutChance });
  await taker.accept();
  await taker.is("done");
  await taker.page.evaluate(spoilInPage);
  await taker.page.reload();
  await taker.page.says(id("state"), /It is fetched again\./);
  assert.deepEqual(await taker.saved(), { [film.name]: film.sum });
});

/** In the page: its worker for the disk writes so many leaves, of which 8 MiB wait at the most. @param {number} leaves */
async function writesInPage(leaves) {
  const scripts = performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.endsWith(".js"));
  const texts = await Promise.all(scripts.map(async (name) => (await fetch(name)).text()));
  const [worker] = /sink-worker-[\w-]+\.js/.exec(texts.join("\n")) ?? [];
  const sink = new Worker(`/assets/${worker}`, { type: "module" });
  /** @type {Promise<unknown>[]} */ const orders = [];
  /** @param {object} order @param {Transferable[]} [transfer] */
  const give = (order, transfer = []) => {
    const id = orders.length;
    orders.push(new Promise((resolve, reject) => {
      sink.addEventListener("error", reject);
      sink.addEventListener("message", function answer({ data }) {
        if (data.id !== id) return;
        sink.removeEventListener("error", reject);
        sink.removeEventListener("message", answer);
        if (data.fault) reject(new Error(data.fault));
        else resolve(undefined);
      });
    }));
    sink.postMessage({ ...order, id }, transfer);
    return orders[id];
  };
  const name = "memory", length = 65_536, waiting = 128;
  await give({ kind: "open", name });
  for (let i = 0; i < leaves; i++) {
    const bytes = new Uint8Array(length).fill(i).buffer;
    give({ kind: "write", at: (i % waiting) * length, bytes, offset: 0, length }, [bytes]);
    await orders[i + 1 - waiting];
  }
  give({ kind: "close" }); // a file that is in use is not removed
  await Promise.all(orders);
  sink.terminate();
  await (await (await navigator.storage.getDirectory()).getDirectoryHandle("received")).removeEntry(name);
}

story("files: what is on the disk is no longer in the page's memory", async (t) => {
  const server = await serve(t);
  const chromium = await browser("chromium");
  const page = await chromium.openInProfile(`${server.url}/f/room#v1.damaged`);
  const pid = await chromium.rendererOf(page);
  const start = await resident(pid);
  let [most, written] = [start, false];
  const writes = page.evaluate(writesInPage, 4096).finally(() => { written = true; });
  await until("everything is written", async () => {
    most = Math.max(most, await resident(pid));
    return written;
  }, { every: 20 });
  await writes;
  await page.close();
  assert.ok(most - start < 96 * MB, `of 256 MiB ${((most - start) / MB).toFixed(1)} were held at once`);
});

story("files: with room for nothing Firefox downloads them while they come", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const downloads = await scratch(t);
  const files = [await randomFile(home, "Grüße 1.bin", 5 * MB + 1), await randomFile(home, "two.bin", 70_000)];
  const program = await Program.start(t, ["send", ...files.map((one) => one.file), "--to", server.url, "--key", KEY], home);
  const [link] = await program.writes(/http:\S+#v1\.\S+/);
  const taker = await Taker.open(await browser("firefox"), link, { prepare: withNothing, downloads });
  await taker.accept();
  await taker.is("done");
  const there = /** @type {string[]} */ (await until("both files are there", async () => {
    const names = (await readdir(downloads)).sort();
    return names.length === 2 && names.every((one) => one.endsWith(".bin")) ? names : undefined;
  }));
  for (const [i, one] of files.entries()) assert.equal(await sumOf(path.join(downloads, there[i] ?? "")), one.sum, one.name);
  assert.deepEqual(there, files.map((one) => one.name));
});

story("files: a film is played while it comes, in both browsers", async (t) => {
  const server = await serve(t);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([fixture("mp4")]);
  await sender.limit(0.15); // hardly more than it is played at, until it has been
  const takers = await Promise.all(BOTH.map(async (kind) => Taker.open(await browser(kind), link)));
  await Promise.all(takers.map((taker) => taker.accept()));
  await Promise.all(takers.map(async (taker) => {
    await taker.page.click(id("play"));
    const plays = (/** @type {number} */ from) => taker.page.waitFor(`it plays from ${from} s on`, (s, at) => (/** @type {HTMLVideoElement | null} */ (document.querySelector(s))?.currentTime ?? 0) > at, id("player"), from);
    await plays(0.5);
    assert.equal(await taker.page.evaluate((s) => document.querySelector(s)?.getAttribute("data-phase"), id("state")), "fetching", `${taker.page.name}: it had come before it was played`);
    // What is far ahead is fetched first when the person goes there.
    await taker.page.evaluate((s) => { /** @type {HTMLVideoElement} */ (document.querySelector(s)).currentTime = 25; }, id("player"));
    await plays(25.2);
  }));
  await sender.limit(0);
  for (const taker of takers) await taker.page.says(id("figures"), /all checked/);
});
