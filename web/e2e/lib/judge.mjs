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

/** Holds a page as it is now against the rules. @param {Page} page @param {string} what told in failures */
export async function judge(page, what) {
  await page.tab.evaluate(axe);
  assert.deepEqual(await page.evaluate(judgeInPage, RULES), [], what);
  assert.equal(await page.evaluate(overflowsInPage), false, `${what} scrolls sideways`);
}
