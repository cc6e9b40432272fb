// What ways of a stream take against each other in one Chromium page, by the same pictures: /compare, run after
// run. A run is a unit: its pictures share the rhythm of one screen, so that figures are medians over runs, with
// intervals by how runs differ. Which runs are valid is said by the page, whatever they tell.

import assert from "node:assert/strict";
import { browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { id } from "../lib/studio.mjs";
import { between, quantile } from "./interval.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */
/** @typedef {import("node:test").TestContext} TestContext */

const TURNS = Number(process.env.FANFARE_E2E_COMPARE_TURNS ?? 9);
/** Of each run, as the page offers them. */
const SECONDS = process.env.FANFARE_E2E_COMPARE_SECONDS ?? "10";

/** @typedef {{ pairs: number, mean: number, median: number, low: number, high: number }} Told what the page tells of pairs; ms */
/** @typedef {{ valid: boolean, why: string, late: number, ways: Record<string, string | undefined>[], paired: Told | null, hop: (Told & { work: number | null }) | null }} Run */

/**
 * In the page: what it tells of a run. @param {{ result: string, way: string, paired: string, hop: string }} at
 * @returns {Run}
 */
function toldInPage(at) {
  const data = (/** @type {string} */ selector) => (/** @type {HTMLElement | null} */ (document.querySelector(selector)))?.dataset;
  const difference = (/** @type {DOMStringMap | undefined} */ d) => d ? { pairs: Number(d.pairs), mean: Number(d.mean), median: Number(d.median), low: Number(d.low), high: Number(d.high), work: d.work === undefined ? null : Number(d.work) } : null;
  return {
    valid: data(at.result)?.valid === "true",
    why: (/** @type {HTMLElement | null} */ (document.querySelector(`${at.result} .notice`)))?.innerText.replace(/\s+/g, " ") ?? "",
    late: Number(data(at.result)?.lateness),
    ways: [...document.querySelectorAll(at.way)].map((e) => ({ .../** @type {HTMLElement} */ (e).dataset })),
    paired: difference(data(at.paired)),
    hop: difference(data(at.hop)),
  };
}

/** Runs the page so often with these ways; the server is the one that the other is held against. @param {TestContext} t @param {"star" | "tree" | "http"} other @param {number} viewers of each */
async function runs(t, other, viewers) {
  const server = await serve(t);
  const page = await (await browser("chromium")).open(`${server.url}/compare#key=${KEY}`, { label: "evaluator" });
  await page.see(id("plan"));
  for (const way of ["star", "tree", "http"]) {
    const chosen = await page.evaluate((s) => /** @type {HTMLInputElement} */ (document.querySelector(s)).checked, id(`way-${way}`));
    if (chosen !== (way === other)) await page.click(id(`way-${way}`));
  }
  await page.tab.select(id("viewers"), String(viewers));
  await page.tab.select(id("seconds"), SECONDS);
  /** @type {Run[]} */ const all = [];
  for (let turn = 0; turn < TURNS; turn++) {
    await page.click(id("start"));
    await page.see(id("result"));
    const run = await page.evaluate(toldInPage, { result: id("result"), way: id("way"), paired: id("paired"), hop: id("hop") });
    all.push(run);
    t.diagnostic(`run ${turn + 1}: timers ${run.late.toFixed(1)} ms late; ${words(run.paired)}${run.hop ? `; hop ${words(run.hop)}, ${run.hop.work?.toFixed(1)} % busy` : ""}; medians ${run.ways.map((w) => `${w.way} ${Number(w.median).toFixed(1)} ms of ${w.pictures}`).join(", ")}${run.valid ? "" : `; ${run.why}`}`);
    await page.click(id("again"));
  }
  return all;
}

/** @param {Told | null} told */
const words = (told) => told ? `${told.pairs} pairs, mean ${told.mean.toFixed(1)} ms, median ${told.median.toFixed(1)} (${told.low.toFixed(1)} to ${told.high.toFixed(1)})` : "no pairs";

/** Tells the figures of all valid runs. @param {TestContext} t @param {string} what @param {readonly Run[]} all @param {(run: Run) => Told | null} of */
function tell(t, what, all, of) {
  const valid = all.filter((run) => run.valid).flatMap((run) => of(run) ?? []);
  t.diagnostic(`figure: ${what}, runs = ${all.length}`);
  t.diagnostic(`figure: ${what}, valid runs = ${valid.length}`);
  assert.ok(valid.length > 0, `no run was valid: ${all.map((run) => run.why).join(" ")}`);
  t.diagnostic(`figure: ${what}, pairs = ${valid.reduce((n, told) => n + told.pairs, 0)}`);
  figures(t, `${what}, ms on average`, valid.map((told) => told.mean));
  figures(t, `${what}, ms in the median`, valid.map((told) => told.median));
}

/** @param {TestContext} t @param {string} name @param {readonly number[]} list one figure of each run */
function figures(t, name, list) {
  const { low, high, confidence } = between(list);
  t.diagnostic(`figure: ${name} = ${quantile(list, 0.5).toFixed(2)}`);
  t.diagnostic(`figure: ${name}, least of the interval = ${low.toFixed(2)}`);
  t.diagnostic(`figure: ${name}, most of the interval = ${high.toFixed(2)}`);
  t.diagnostic(`figure: ${name}, percent of confidence = ${(100 * confidence).toFixed(1)}`);
}

for (const other of /** @type {const} */ (["star", "http"])) {
  story(`measure: the same pictures by sfu against ${other}`, async (t) => {
    tell(t, `${other} later than sfu`, await runs(t, other, 1), (run) => run.paired);
  }, { timeout: 900_000 });
}

story("measure: the same pictures by sfu against tree, and what a hop adds", async (t) => {
  const all = await runs(t, "tree", 2);
  tell(t, "tree later than sfu", all, (run) => run.paired);
  tell(t, "a hop", all, (run) => run.hop);
  const busy = all.filter((run) => run.valid).flatMap((run) => run.hop?.work ?? []);
  if (busy.length > 0) figures(t, "a hop, percent of a processor", busy);
}, { timeout: 900_000 });
