// The evaluator's page: ways side by side in one browser, compared by the same pictures.

import assert from "node:assert/strict";
import { clips, fixture } from "../lib/fixtures.mjs";
import { COLOURS, judge } from "../lib/judge.mjs";
import { until } from "../lib/poll.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { id } from "../lib/studio.mjs";

/** In the page: what it says of the result. @param {string} result @param {string} way @param {string} paired */
function resultInPage(result, way, paired) {
  const data = (/** @type {string} */ s) => [...document.querySelectorAll(s)].map((e) => ({ ...(/** @type {HTMLElement} */ (e).dataset) }));
  const panel = /** @type {HTMLElement | null} */ (document.querySelector(result));
  return { valid: panel?.dataset.valid, text: panel?.innerText ?? "", ways: data(way), paired: data(paired), devices: data("[data-testid=device]") };
}

/** In the page: the samples that it saves when it is asked to. @param {string} button @returns {Promise<any>} */
async function savedInPage(button) {
  const make = URL.createObjectURL;
  /** @type {Blob[]} */ const made = [];
  URL.createObjectURL = (file) => {
    if (file instanceof Blob) made.push(file);
    return make.call(URL, file);
  };
  /** @type {HTMLElement} */ (document.querySelector(button)).click();
  URL.createObjectURL = make;
  return JSON.parse(await made[0].text());
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

  // A file, and a viewer who passes it on. Ended early, what was measured is there, and says so.
  await page.click(id("again"));
  await page.setFiles(id("file-input"), fixture("small"));
  for (const way of ["star", "tree", "http"]) await page.click(id(`way-${way}`));
  await page.tab.select(id("viewers"), "2");
  await page.click(id("start"));
  await page.waitFor("some of it is measured", (s) => Number(document.querySelector(`${s} progress`)?.getAttribute("data-value")) >= 40, id("progress"));
  await page.click(id("stop"));
  await page.says(id("result"), /figures are invalid[\s\S]*It was ended early, after \d+\.\d of 20 seconds/);
  const saved = await page.evaluate(savedInPage, id("save-json"));
  assert.equal(saved.source, clips.small.file);
  assert.deepEqual([saved.ways, saved.viewers], [["sfu", "tree"], 2]);
  assert.match(saved.troubles.join(), /ended early/);
  for (const way of ["sfu", "tree"]) for (const viewer of [0, 1]) {
    const mine = saved.samples.filter((/** @type {any} */ s) => s.way === way && s.viewer === viewer);
    assert.ok(mine.length > 20, `${way}, viewer ${viewer}: ${mine.length} pictures`);
  }
  const relay = saved.snapshots.filter((/** @type {any} */ s) => s.what === "tree viewer 1 to 2");
  assert.ok(relay.at(-1)?.snapshot.outbound.some((/** @type {any} */ o) => o.kind === "video" && o.framesEncoded > 20), "the first viewer passes nothing on");
  // On a busy machine it has stood still at one of them; then the way has a reason instead of figures.
  const still = /Passed on by viewers, viewer \d: (the picture stood still for|hardly any pictures)/.exec((await page.text(id("result"))) ?? "");
  if (still) t.diagnostic(still[0]);
  else await page.says(id("hop"), /A viewer who passes the picture on adds .* by \d+ pictures/);
});

/** In the page: has the keyboard's focus. */
const focusInPage = () => document.activeElement?.textContent;

/** In the page: opens everything that is closed. */
const unfoldInPage = () => document.querySelectorAll("details").forEach((one) => { one.open = true; });

for (const name of BOTH) {
  story(`${name}: the comparison is for everyone while it runs and afterwards, and does without a way that the server has not`, async (t) => {
    const server = await serve(t, "--http-memory", "0");
    const page = await (await browser(name)).open(`${server.url}/compare#key=${KEY}`, { label: "evaluator" });
    const press = async (/** @type {string} */ button) => {
      await page.see(id(button));
      await page.tab.focus(id(button));
      await page.press("Enter");
    };
    const focusIs = (/** @type {RegExp} */ words) => until(`the keyboard goes on at ${words}`, async () => words.test((await page.evaluate(focusInPage)) ?? ""));
    await page.see(id("plan"));
    await page.click(id("way-http"));
    await page.tab.select(id("seconds"), "60");
    await press("start");
    await focusIs(/ways …$|^Waiting|^Measuring/);
    await page.waitFor("it measures", (s) => document.querySelector(s)?.getAttribute("data-phase") === "measuring", id("progress"));
    await page.says(id("progress"), /“Plain HTTP” is left out\. This server does not take plain HTTP\./);
    await page.see("svg .curve.star");
    await page.evaluate(unfoldInPage);
    await judge(page, "the comparison while it runs", COLOURS[name]);
    // A page that is hidden for a moment has not measured what viewers see.
    await page.hide();
    await page.front();
    await press("stop");
    await focusIs(/^The result$/);
    await page.says(id("result"), /figures are invalid[\s\S]*The page was hidden for a time[\s\S]*“Plain HTTP” is left out/);
    assert.doesNotMatch((await page.text(id("result"))) ?? "", /No picture came|Plain HTTP: /);
    await judge(page, "the result of a comparison", COLOURS[name]);

    // Without the way that further devices come in by there is no link that does not work, but the reason.
    await press("again");
    await focusIs(/^How long/);
    await page.click(id("way-sfu"));
    await press("start");
    await page.says(id("no-devices"), /come in by the server[\s\S]*when “By the server” is among the ways/);
    await press("stop");
    await page.says(id("result"), /There are no figures[\s\S]*ended before anything was measured/);
  });
}
