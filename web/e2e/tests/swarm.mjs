// A swarm of real browsers and a terminal: receivers pass on what they have, so that the sender's
// line carries little more than one copy.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { detour } from "../lib/detour.mjs";
import { browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { Program, randomFile, scratch, Sender, sumOf, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";

const MB = 1024 * 1024;
/**
 * MiB of the file (`make prove` takes 64), and how many the sender may send in a second: so few that all
 * receivers together take more, also while they share two cores.
 */
const SIZE = Number(process.env.FANFARE_E2E_MIB ?? 8);
const UPLINK = 1.5;
const FILES = 200;
/** Copies that the sender may send. */
const COPIES = 1.3;

story("files: Chromium gives a file and a folder of small ones to three browsers and a terminal, and sends hardly more than one copy", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", SIZE * MB);
  const folder = path.join(home, "photos");
  await mkdir(folder);
  /** @type {Record<string, string>} */ const photos = {};
  let album = 0;
  for (let i = 0; i < FILES; i++) {
    const size = 1 + ((i * 7919) % 40_000);
    photos[`photos/${i}.jpg`] = (await randomFile(folder, `${i}.jpg`, size)).sum;
    album += size;
  }

  for (const [what, files, input, sums, size] of /** @type {const} */ ([
    ["file", [film.file], "file-input", { [film.name]: film.sum }, SIZE * MB],
    ["folder", [folder], "folder-input", photos, album],
  ])) {
    const sender = await Sender.open(await browser("chromium"), server);
    const link = await sender.share([...files], input);
    await sender.limit(UPLINK);
    const out = path.join(home, `got-${what}`);
    await mkdir(out);
    const takers = [];
    for (const name of /** @type {const} */ (["chromium", "chromium", "firefox"])) takers.push(await Taker.open(await browser(name), link));
    for (const taker of takers) await taker.is("offered");
    const terminal = await Program.start(t, ["get", link, "--out", out, "--seed"], path.join(home, `home-${what}`));
    for (const taker of takers) await taker.accept();
    for (const taker of takers) assert.deepEqual(await taker.saved(), sums, `what ${taker.page.name} has of the ${what}`);
    await sender.complete(4);
    await sender.page.see(id("safe"));
    for (const [name, sum] of Object.entries(sums)) assert.equal(await sumOf(path.join(out, name)), sum, `${name} at the terminal`);
    const copies = (await sender.sent()) / size;
    t.diagnostic(`figure: copies that the page sent to four receivers, ${what} = ${copies.toFixed(3)}`);
    assert.ok(copies <= COPIES, `it sent ${copies.toFixed(3)} copies of the ${what}`);
    await terminal.stop();
    for (const taker of takers) await taker.page.close();
    await sender.page.close();
  }
});

story("files: a pair that is alone on a long line opens a further lane, between pages and to a program", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = await randomFile(home, "holiday.bin", 12 * MB);
  const sender = await Sender.open(await browser("chromium"), server);
  const byPage = await sender.share([film.file]);
  await sender.limit(1.2);
  const program = await Program.start(t, ["send", film.file, "--to", server.url, "--key", KEY, "--up-rate", "1200k"], home);
  const [byProgram] = await program.writes(/http:\S+#v1\.\S+/);
  const takers = await Promise.all([
    Taker.open(await browser("firefox"), byPage, { detour: detour(t, 25) }),
    Taker.open(await browser("chromium"), byProgram, { detour: detour(t, 25) }),
  ]);
  for (const taker of takers) await taker.accept();
  await Promise.all(takers.map(({ page }) => page.waitFor("it has two connections to one peer", () => {
    const { connectionsMade } = /** @type {{ connectionsMade: RTCPeerConnection[] }} */ (/** @type {unknown} */ (globalThis));
    return connectionsMade.filter((pc) => pc.connectionState === "connected").length === 2;
  })));
  await sender.limit(0);
  for (const taker of takers) assert.deepEqual(await taker.saved(), { [film.name]: film.sum }, taker.page.name);
});
