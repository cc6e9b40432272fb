// How fast a file goes from one Chromium page to another, against a raw data channel between two such
// pages, in turns in the same run.

import { browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { randomFile, scratch, Sender, Taker } from "../lib/sharing.mjs";
import { LITTLE, MUCH, median, pair, raw } from "./raw.mjs";

const MB = 1024 * 1024;
const SIZE = Number(process.env.FANFARE_E2E_PAIR_MIB ?? 256) * MB;
const TURNS = Number(process.env.FANFARE_E2E_PAIR_TURNS ?? 3);

story("measure: one pair of Chromium pages against a raw data channel", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "film.bin", SIZE);
  /** @type {Record<"raw" | "full" | "pair", number[]>} */ const rates = { raw: [], full: [], pair: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    const chromium = await browser("chromium");
    for (const [name, filled] of /** @type {const} */ ([["raw", LITTLE], ["full", MUCH]])) {
      // The receiver is in the profile's own context: those of tests keep files in memory.
      const two = [await chromium.open(`${server.url}/f`), await chromium.openInProfile(`${server.url}/f`)];
      rates[name].push(await raw(two, SIZE, 1, filled));
      for (const page of two) await page.close();
    }
    const sender = await Sender.open(chromium, server);
    const taker = new Taker(await chromium.openInProfile(await sender.share([film.file])));
    rates.pair.push(SIZE / MB / await pair(taker));
    await taker.page.close();
    await sender.page.close();
  }
  const [of, against, full] = [median(rates.pair), median(rates.raw), median(rates.full)];
  t.diagnostic(`figure: MiB a second, pair = ${of.toFixed(1)}`);
  t.diagnostic(`figure: MiB a second, raw = ${against.toFixed(1)}`);
  t.diagnostic(`figure: MiB a second, raw with 2 MiB in the channel = ${full.toFixed(1)}`);
  t.diagnostic(`figure: the same by that = ${(of / full).toFixed(3)}`);
  t.diagnostic(`figure: pair by raw = ${(of / against).toFixed(3)}`);
}, { timeout: 900_000 });
