// How much memory a Chromium page takes to receive a file that is far larger than that.

import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import path from "node:path";
import { resident } from "../lib/memory.mjs";
import { until } from "../lib/poll.mjs";
import { browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { Program, scratch, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";

const MB = 1024 * 1024;
const SIZE = Number(process.env.FANFARE_E2E_MEMORY_MIB ?? 4096) * MB;
/** How long it may take: 4 GiB on a slow machine. */
const WITHIN = 1_200_000;

story("measure: the memory of a Chromium page that receives a large file", async (t) => {
  const server = await serve(t);
  const home = await scratch(t);
  const film = path.join(home, "film.bin");
  const sparse = await open(film, "w");
  await sparse.truncate(SIZE);
  await sparse.close();
  const program = await Program.start(t, ["send", film, "--to", server.url, "--key", KEY, "--no-code"], home);
  const [link] = await program.writes(/http:\S+#v1\.\S+/);

  // The profile's own context: those of tests keep files in memory.
  const chromium = await browser("chromium");
  const taker = new Taker(await chromium.openInProfile(link));
  await taker.is("offered");
  const pid = await chromium.rendererOf(taker.page);
  const start = await resident(pid);
  let most = start;
  await taker.page.click(id("get"));
  await until("everything is there", async () => {
    most = Math.max(most, await resident(pid));
    const phase = await taker.page.evaluate((s) => document.querySelector(s)?.getAttribute("data-phase"), id("state"));
    assert.ok(phase === "fetching" || phase === "done", `it is ${phase}: ${await taker.page.text(id("state"))}`);
    return phase === "done";
  }, { timeout: WITHIN, every: 50 });
  t.diagnostic(`figure: MiB at the start = ${(start / MB).toFixed(1)}`);
  t.diagnostic(`figure: MiB above the start = ${((most - start) / MB).toFixed(1)}`);
  t.diagnostic(`figure: GiB received = ${(SIZE / MB / 1024).toFixed(2)}`);
  await taker.page.close();
}, { timeout: WITHIN + 60_000 });
