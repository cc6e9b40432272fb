// The report of `fanfare compare`, as it is opened from a disk: a page that has everything in it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { judge } from "../lib/judge.mjs";
import { browser, story } from "../lib/run.mjs";
import { build } from "../lib/server.mjs";

const run = promisify(execFile);

// The line carries two copies and not three.
const TINY = `name = "tiny"
question = "Where does it break?"
repeats = 1
seconds = 1
settle_seconds = 0
topologies = ["sfu", "star"]

[base]
uplink_mbit = 0.5
bitrate_mbit = 0.2
round_trip_ms = 20

[vary]
viewers = [1, 3]
`;

/** In the page: what is drawn of each chart, and where anything lies outside of it. */
function chartsInPage() {
  return [...document.querySelectorAll("figure")].map((figure) => {
    const dots = [...figure.querySelectorAll("circle")];
    const frame = figure.querySelector("svg")?.getBoundingClientRect() ?? new DOMRect();
    const outside = dots.filter((dot) => {
      const at = dot.getBoundingClientRect();
      return at.top < frame.top || at.bottom > frame.bottom || at.left < frame.left || at.right > frame.right;
    });
    const lines = [...figure.querySelectorAll("polyline")].map((line) => line.getAttribute("points")?.trim().split(" ").length ?? 0);
    return { title: figure.querySelector("figcaption")?.textContent ?? "", lines, outside: outside.length };
  });
}

/** In the page: the last column of the costs. */
const costsInPage = () => [...document.querySelectorAll("#costs tr")].map((row) => Number(row.lastElementChild?.textContent));

story("the report of fanfare compare is whole by itself: charts, words, prices, in all colours and on a phone", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "fanfare-report-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const program = await build();
  const [experiment, samples, out] = [path.join(folder, "tiny.toml"), path.join(folder, "samples.json"), path.join(folder, "out")];
  await writeFile(experiment, TINY);
  await run(program, ["compare", "--experiment", experiment, "--out", folder]);
  // A busy machine makes runs invalid, and says so; here they are to be drawn all the same.
  const measured = JSON.parse(await readFile(samples, "utf8"));
  for (const sample of measured.samples) delete sample.problem;
  await writeFile(samples, JSON.stringify(measured));
  await run(program, ["compare", "--from", samples, "--hop-ms", "30", "--out", out]);

  const url = pathToFileURL(path.join(out, "report.html")).href;
  const page = await (await browser("chromium")).open(url, { label: "report", viewport: { width: 360, height: 740 } });
  await judge(page, "the report on a phone", ["light", "dark"]);
  await page.tab.setViewport({ width: 1280, height: 800 });
  await judge(page, "the report", ["dark", "light"]);

  const charts = await page.evaluate(chartsInPage);
  assert.ok(charts.length >= 5, JSON.stringify(charts));
  for (const chart of charts) {
    assert.deepEqual(chart.lines, [2, 2], `${chart.title}: a line of two points for each way`);
    assert.equal(chart.outside, 0, `${chart.title}: dots lie outside`);
  }
  await page.says("main", /the star (holds up to 1 viewer and no longer at 3|does not hold for [13])/);
  await page.says("main", /the relay \(sfu\) (holds for as many as were tried, up to 3|holds up to 1 viewer and no longer at 3|does not hold for [13])/);
  await page.says("main", /Where does it break\?/);

  const before = await page.evaluate(costsInPage);
  assert.ok(before.length === 4 && before[0] > 0, JSON.stringify(before));
  await page.fill("#gb", "1");
  const after = await page.evaluate(costsInPage);
  assert.ok(after[0] > 10 * before[0], `prices of ${before} became ${after}`);
  await page.fill("#hour", "50");
  await page.fill("#most", "1");
  assert.ok((await page.evaluate(costsInPage))[0] > 2 * after[0], "a dearer server costs no more");
  assert.deepEqual(page.log, [], "the page complains");
});
