// How fast a file goes from one Chromium page to another, against a raw data channel between two such
// pages, in turns in the same run.

import { browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { randomFile, scratch, Sender, Taker } from "../lib/sharing.mjs";
import { id } from "../lib/studio.mjs";
import { median, raw } from "./raw.mjs";

const MB = 1024 * 1024;
const SIZE = Number(process.env.FANFARE_E2E_PAIR_MIB ?? 256) * MB;
const TURNS = Number(process.env.FANFARE_E2E_PAIR_TURNS ?? 3);

story("measure: one pair of Chromium pages against a raw data channel", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "film.bin", SIZE);
  /** @type {Record<"raw" | "pair", number[]>} */ const rates = { raw: [], pair: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    const chromium = await browser("chromium");
    // The receiver is in the profile's own context: those of tests keep files in memory.
    const two = [await chromium.open(`${server.url}/f`), await chromium.openInProfile(`${server.url}/f`)];
    rates.raw.push(await raw(two, SIZE));
    for (const page of two) await page.close();
    const sender = await Sender.open(chromium, server);
    const taker = new Taker(await chromium.openInProfile(await sender.share([film.file])));
    rates.pair.push(await pair(taker));
    await taker.page.close();
    await sender.page.close();
  }
  const [of, against] = [median(rates.pair), median(rates.raw)];
  t.diagnostic(`figure: MiB a second, pair = ${of.toFixed(1)}`);
  t.diagnostic(`figure: MiB a second, raw = ${against.toFixed(1)}`);
  t.diagnostic(`figure: pair by raw = ${(of / against).toFixed(3)}`);
}, { timeout: 900_000 });

/** MiB a second from the press on Get to the end. @param {Taker} taker */
async function pair(taker) {
  await taker.is("offered");
  const took = await taker.page.evaluate(takenInPage, id("get"), id("state"));
  return SIZE / MB / (took / 1000);
}

/** In the page: presses, and tells how long (ms) it takes until everything is there. @param {string} get @param {string} state */
async function takenInPage(get, state) {
  const element = /** @type {HTMLElement} */ (document.querySelector(state));
  const began = performance.now();
  const done = new Promise((resolve) => {
    new MutationObserver(() => { if (element.dataset.phase === "done") resolve(undefined); }).observe(element, { attributes: true });
  });
  /** @type {HTMLElement} */ (document.querySelector(get)).click();
  await done;
  return performance.now() - began;
}
