// The evaluator's page: ways side by side in one browser, compared by the same pictures.

import assert from "node:assert/strict";
import { until } from "../lib/poll.mjs";
import { browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { id } from "../lib/studio.mjs";

/** In the page: what it says of the result. @param {string} result @param {string} way @param {string} paired */
function resultInPage(result, way, paired) {
  const data = (/** @type {string} */ s) => [...document.querySelectorAll(s)].map((e) => ({ ...(/** @type {HTMLElement} */ (e).dataset) }));
  const panel = /** @type {HTMLElement | null} */ (document.querySelector(result));
  return { valid: panel?.dataset.valid, text: panel?.innerText ?? "", ways: data(way), paired: data(paired), devices: data("[data-testid=device]") };
}

/** In the page, before its own scripts: notes how many tracks are in the streams that elements are given. */
function noteGiven() {
  const given = /** @type {number[]} */ (Object.assign(globalThis, { tracksGiven: [] }).tracksGiven);
  const own = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject"));
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...own,
    set(stream) {
      if (stream) given.push(stream.getTracks().length);
      own.set?.call(this, stream);
    },
  });
}

story("the compare page runs ways side by side and tells how the same pictures differ", async (t) => {
  const server = await serve(t);
  await browser("firefox"); // before anything runs
  const page = await (await browser("chromium")).open(`${server.url}/compare#key=${KEY}`, { label: "evaluator", prepare: noteGiven });
  await page.see(id("plan"));
  await page.click(id("way-http"));
  await page.click(id("start"));
  // A further device comes by the link as soon as there is one.
  const link = await until("the link for further devices", () => page.evaluate((s) => /** @type {HTMLInputElement | null} */ (document.querySelector(s))?.value ?? "", id("link")));
  // It gets the picture by the server first, and then straight from the evaluator's page.
  await page.evaluate((s) => {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector(s));
    /** @type {HTMLDetailsElement} */ (select.closest("details")).open = true;
  }, id("device-way"));
  await page.tab.select(id("device-way"), "star");
  const device = (await browser("firefox")).open(server.watch(link.split("/").pop() ?? ""), { label: "device" });
  await page.waitFor("it measures", (s) => document.querySelector(s)?.getAttribute("data-phase") === "measuring", id("progress"));
  await page.see("svg .curve.sfu");
  const told = await device;
  await told.press("i");
  await told.says(id("glass-figures"), /compares ways/);
  await page.see(id("result"));
  const { valid, text, ways, paired, devices } = await page.evaluate(resultInPage, id("result"), id("way"), id("paired"));
  t.diagnostic(JSON.stringify({ valid, ways, paired, devices }));
  assert.match(text, valid === "true" ? /figures are valid/ : /figures are invalid/);
  assert.deepEqual(ways.map((w) => w.way), ["sfu", "star", "http"], text);
  for (const way of ways) assert.ok(Number(way.pictures) > 20 && Number(way.median) > 0, JSON.stringify(way));
  assert.deepEqual(paired.map((p) => `${p.base} ${p.other}`), ["sfu star", "sfu http"]);
  for (const p of paired) {
    assert.ok(Number(p.pairs) > 20, JSON.stringify(p));
    assert.ok(Number(p.low) <= Number(p.high) && Number.isFinite(Number(p.median)), JSON.stringify(p));
  }
  const straight = devices.find((d) => d.route === "star");
  assert.ok(straight, `the device did not get the picture straight: ${text}`);
  assert.ok(Number(straight.pictures) > 20 && Number(straight.rate) > 1, JSON.stringify(devices));
  assert.ok(Math.abs(Number(straight.median)) < 10_000, JSON.stringify(devices));
  // Chromium shows a stream that has a picture in it from the beginning in another manner, and later.
  assert.deepEqual(await page.evaluate(() => /** @type {any} */ (globalThis).tracksGiven), [0, 0, 0], "the ways are not shown in one manner");
  assert.match(text, /pictures that both showed: \d[\d.]* ms (sooner|later) \(with at least 95 % of confidence between/);

  // A page that is hidden for a moment in the middle has not measured what viewers see.
  await page.click(id("again"));
  await page.click(id("way-http"));
  await page.click(id("start"));
  await page.waitFor("it measures again", (s) => document.querySelector(s)?.getAttribute("data-phase") === "measuring", id("progress"));
  await page.hide();
  await page.front();
  await page.click(id("stop"));
  await page.says(id("result"), /figures are invalid[\s\S]*The page was hidden for a time/);
});
