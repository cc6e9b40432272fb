// Files from browser to browser, and to and from the command line.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { BOTH, browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { Program, randomFile, scratch, Sender, sumOf, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";

const MB = 1024 * 1024;

story("files: one browser gives another a file", async (t) => {
  const server = await serve(t);
  const { file, name, sum } = await randomFile(await scratch(t), "holiday.bin", 8 * MB + 123);
  const sender = await Sender.open(await browser("chromium"), server);
  const link = await sender.share([file]);
  const taker = await Taker.open(await browser("chromium"), link);
  await taker.accept();
  assert.deepEqual(await taker.saved(), { [name]: sum });
  await sender.complete(1);
  await sender.page.see(id("safe"));
});
