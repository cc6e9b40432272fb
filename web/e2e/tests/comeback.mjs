// The sender's page is reloaded in the middle of a transfer: the link goes on with the same files, and
// receivers notice a pause.

import assert from "node:assert/strict";
import { mkdir, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { until } from "../lib/poll.mjs";
import { browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { Program, randomFile, scratch, Sender, sumOf, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";

const MB = 1024 * 1024;

/** Waits until the sender sends again and the receiver has more than before, and tells how long (s) it took. @param {Sender} sender @param {Taker} taker @param {() => Promise<void>} act */
async function untilNew(sender, taker, act) {
  const before = await taker.held();
  const began = Date.now();
  await act();
  await until("the sender sends again", async () => (await sender.sent()) > 0, { every: 20 });
  await taker.holds(before);
  return (Date.now() - began) / 1000;
}

story("files: Chromium's sending page is reloaded, and one click goes on for those who were let in", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const sender = new Sender(await (await browser("chromium")).open(`${server.url}/f#key=${KEY}`, { label: "sender" }));
  const sum = await sender.page.evaluate(pickedInPage, 12 * MB);
  await sender.page.click(id("choose-files"));
  await sender.is("open");
  const link = await sender.link();
  await sender.limit(1);

  const removed = await Taker.open(await browser("chromium"), link);
  await removed.is("offered");
  await sender.page.click(id("receiver-remove"));
  await sender.page.click(id("receiver-remove-confirm"));
  await removed.page.says(id("words"), /removed/i);

  const out = path.join(home, "got");
  await mkdir(out);
  const terminal = await Program.start(t, ["get", link, "--out", out], path.join(home, "home"));
  const taker = await Taker.open(await browser("firefox"), link);
  await taker.accept();
  await taker.holds(MB);

  await sender.page.reload();
  await sender.page.says(id("earlier"), /holiday\.bin.*2 receivers/s);
  const took = await untilNew(sender, taker, () => sender.page.click(id("continue")));
  t.diagnostic(`figure: seconds from the click after a reload of the sender to the first new byte = ${took}`);
  assert.equal(await sender.link(), link, "the link has changed");
  await removed.page.reload();
  await removed.page.says(id("words"), /removed/i);

  await sender.page.tab.select(id("life"), "3600");
  await sender.page.waitFor("the server says that the link ends sooner", (s) => Number(document.querySelector(s)?.getAttribute("data-until")) < Date.now() + 3_700_000, id("life"));
  await sender.limit(0);
  assert.deepEqual(await taker.saved(), { "holiday.bin": sum });
  await terminal.ends();
  assert.equal(await sumOf(path.join(out, "holiday.bin")), sum);
  await sender.page.click(id("close-room"));
  await sender.page.click(id("close-room-confirm"));
  await sender.is("empty");
  await sender.page.waitFor("nothing can go on", (s) => document.querySelector(s) === null, id("earlier"));
});

/**
 * In the page: a file of bytes by chance in the page's private file system, which stands for one of the
 * person's: the dialog of the browser is out of reach of tests. Answers its SHA-256.
 * @param {number} size
 */
async function pickedInPage(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65_536)));
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle("holiday.bin", { create: true });
  const writable = await handle.createWritable();
  await writable.write(bytes);
  await writable.close();
  Object.assign(window, { showOpenFilePicker: async () => [handle] });
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...sum].map((b) => b.toString(16).padStart(2, "0")).join("");
}

story("files: Firefox's sending page is reloaded, and goes on with the same file alone", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", 8 * MB);
  const { mtime } = await stat(film.file);
  const sender = await Sender.open(await browser("firefox"), server);
  const link = await sender.share([film.file]);
  await sender.limit(1);
  const taker = await Taker.open(await browser("chromium"), link);
  await taker.accept();
  await taker.holds(2 * MB);
  await sender.page.reload();
  await sender.page.says(id("earlier"), /choose the same file/i);

  const others = path.join(home, "others");
  await mkdir(others);
  const other = await randomFile(others, film.name, 8 * MB);
  await utimes(other.file, mtime, mtime);
  await sender.page.setFiles(id("again-files"), other.file);
  await sender.page.says(id("earlier"), /what is in the files is not what was shared/i);
  await writeFile(other.file, "short");
  await sender.page.setFiles(id("again-files"), other.file);
  await sender.page.says(id("earlier"), /is not as it was/i);

  const took = await untilNew(sender, taker, () => sender.page.setFiles(id("again-files"), film.file));
  t.diagnostic(`figure: seconds from the file chosen again to the first new byte, firefox = ${took}`);
  await sender.limit(0);
  assert.deepEqual(await taker.saved(), { [film.name]: film.sum });
});
