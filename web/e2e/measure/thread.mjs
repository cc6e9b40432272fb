// What a file costs the thread that a page's own scripts and its drawing have, at full rate: how long the
// thread was busy for a MiB, and what becomes of the rate while the receiver's page plays a film, while
// its scripts take half of the thread, and while both pages are hidden.

import { fixture } from "../lib/fixtures.mjs";
import { browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { randomFile, scratch, Sender, Taker } from "../lib/sharing.mjs";
import { median, pair } from "./raw.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

const MIB = Number(process.env.FANFARE_E2E_THREAD_MIB ?? 128);
const TURNS = Number(process.env.FANFARE_E2E_THREAD_TURNS ?? 3);

/** What the pages do besides. @type {Record<string, (sender: Page, taker: Page) => Promise<void>>} */
const BESIDES = {
  nothing: async () => undefined,
  "a film plays": async (_, taker) => {
    await taker.evaluate(() => { document.body.insertAdjacentHTML("afterbegin", "<input type=file id=film-input><video id=film muted loop style='width:100%'></video>"); });
    await taker.setFiles("#film-input", fixture("mp4"));
    await taker.evaluate(async () => {
      const video = /** @type {HTMLVideoElement} */ (document.querySelector("#film"));
      video.src = URL.createObjectURL(/** @type {File} */ (/** @type {HTMLInputElement} */ (document.querySelector("#film-input")).files?.[0]));
      await video.play();
    });
  },
  "scripts take half": (_, taker) => taker.evaluate(() => {
    setInterval(() => { for (const until = performance.now() + 25; performance.now() < until;); }, 50);
  }),
  "both are hidden": async (sender, taker) => {
    for (const page of [sender, taker]) await page.hide();
  },
};

story("measure: what a file takes of the thread of two Chromium pages", async (t) => {
  const server = await serve(t);
  const film = await randomFile(await scratch(t), "film.bin", MIB * 1024 * 1024);
  const chromium = await browser("chromium");
  for (const [what, besides] of Object.entries(BESIDES)) {
    /** @type {Record<"rate" | "sending" | "receiving", number[]>} */ const seen = { rate: [], sending: [], receiving: [] };
    for (let turn = 0; turn < TURNS; turn++) {
      const sender = await Sender.open(chromium, server);
      // In the profile's own context: those of tests keep files in memory.
      const taker = new Taker(await chromium.openInProfile(await sender.share([film.file])));
      await taker.is("offered");
      await besides(sender.page, taker.page);
      const before = [await busy(sender.page), await busy(taker.page)];
      const took = await pair(taker);
      const after = [await busy(sender.page), await busy(taker.page)];
      const [sending = 0, receiving = 0] = after.map((one, i) => (1000 * (one - (before[i] ?? 0))) / MIB);
      seen.rate.push(MIB / took);
      seen.sending.push(sending);
      seen.receiving.push(receiving);
      await taker.page.close();
      await sender.page.close();
    }
    t.diagnostic(`figure: MiB a second, ${what} = ${median(seen.rate).toFixed(1)}`);
    t.diagnostic(`figure: ms of the sender's thread for a MiB, ${what} = ${median(seen.sending).toFixed(2)}`);
    t.diagnostic(`figure: ms of the receiver's thread for a MiB, ${what} = ${median(seen.receiving).toFixed(2)}`);
  }
}, { timeout: 900_000 });

/** Seconds in which the page's own thread has worked. @param {Page} page */
async function busy(page) {
  return (await page.tab.metrics()).TaskDuration ?? 0;
}
