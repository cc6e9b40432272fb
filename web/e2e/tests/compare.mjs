// The evaluator's page: ways side by side in one browser, compared by the same pictures.

import assert from "node:assert/strict";
import { browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { id } from "../lib/studio.mjs";

/** In the page: what it says of the result. @param {string} result @param {string} way @param {string} paired */
function resultInPage(result, way, paired) {
  const data = (/** @type {string} */ s) => [...document.querySelectorAll(s)].map((e) => ({ ...(/** @type {HTMLElement} */ (e).dataset) }));
  const panel = /** @type {HTMLElement | null} */ (document.querySelector(result));
  return { valid: panel?.dataset.valid, text: panel?.innerText ?? "", ways: data(way), paired: data(paired) };
}

story("the compare page runs ways side by side and tells how the same pictures differ", async (t) => {
  const server = await serve(t);
  const page = await (await browser("chromium")).open(`${server.url}/compare#key=${KEY}`, { label: "evaluator" });
  await page.see(id("plan"));
  await page.click(id("way-http"));
  await page.evaluate((s) => {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector(s));
    select.value = "10";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }, id("seconds"));
  await page.click(id("start"));
  await page.waitFor("it measures", (s) => document.querySelector(s)?.getAttribute("data-phase") === "measuring", id("progress"));
  await page.see("svg .curve.sfu");
  await page.see(id("result"));
  const { valid, text, ways, paired } = await page.evaluate(resultInPage, id("result"), id("way"), id("paired"));
  t.diagnostic(JSON.stringify({ valid, ways, paired }));
  assert.match(text, valid === "true" ? /figures are valid/ : /figures are invalid/);
  assert.deepEqual(ways.map((w) => w.way), ["sfu", "star", "http"], text);
  for (const way of ways) assert.ok(Number(way.pictures) > 20 && Number(way.median) > 0, JSON.stringify(way));
  assert.deepEqual(paired.map((p) => `${p.base} ${p.other}`), ["sfu star", "sfu http"]);
  for (const p of paired) {
    assert.ok(Number(p.pairs) > 20, JSON.stringify(p));
    assert.ok(Number(p.low) <= Number(p.high) && Number.isFinite(Number(p.median)), JSON.stringify(p));
  }
  assert.match(text, /pictures that both showed: \d[\d.]* ms (sooner|later) \(with 95 % of confidence/);
});
