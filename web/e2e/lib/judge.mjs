// axe-core as a judge of pages: WCAG 2.2 A and AA, and nothing wider than the window.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** @typedef {import("./browsers.mjs").Page} Page */

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** In the page: what axe finds, one line each. @param {string[]} tags */
async function judgeInPage(tags) {
  const { violations } = await /** @type {any} */ (globalThis).axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return violations.flatMap((/** @type {any} */ rule) => rule.nodes.map((/** @type {any} */ node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}

/** In the page: whether something is wider than the window. */
const overflowsInPage = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;

/** In the page: ends the changes of colour that are under way. */
const endChangesInPage = () => document.getAnimations().filter((one) => one instanceof CSSTransition).forEach((one) => one.finish());

/** What a page can be asked to look like. Firefox has no switch for it here: it sees the light pages. */
export const COLOURS = { chromium: /** @type {const} */ (["light", "dark"]), firefox: /** @type {const} */ ([]) };

/** The smallest phone and a laptop, in CSS pixels. */
const WIDTHS = [360, 1440];

/**
 * Holds a page as it is now against the rules: on a phone and on a laptop, in each of the colours.
 * @param {Page} page @param {string} what told in failures @param {readonly ("light" | "dark")[]} colours none: as it is
 */
export async function judge(page, what, colours) {
  await page.tab.evaluate(axe);
  for (const width of WIDTHS) {
    await page.tab.setViewport({ width, height: 800 });
    for (const one of colours.length > 0 ? colours : [undefined]) await holds(page, `${what}, ${width} px`, one);
  }
}

/** @param {Page} page @param {string} what @param {"light" | "dark"} [colours] */
async function holds(page, what, colours) {
  if (colours) {
    await page.tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: colours }]);
    await page.evaluate(endChangesInPage);
  }
  const told = colours ? `${what}, ${colours}` : what;
  assert.deepEqual(await page.evaluate(judgeInPage, RULES), [], told);
  assert.equal(await page.evaluate(overflowsInPage), false, `${told} scrolls sideways`);
}
