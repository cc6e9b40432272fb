// One run: the browsers that are open, the tests' frame, and the sweep at the end.

import { AsyncLocalStorage } from "node:async_hooks";
import { after, suite, test } from "node:test";
import { launchChromium, launchFirefox } from "./browsers.mjs";

/** @typedef {import("./browsers.mjs").Browser} Browser */

/** @type {Map<string, Promise<Browser>>} */
const running = new Map();

const launchers = {
  chromium: () => launchChromium(),
  firefox: () => launchFirefox(),
  chromiumAsked: () => launchChromium("asked"),
  firefoxAsked: () => launchFirefox("asked"),
};

/** What each story has of them, which stories beside each other do not share. @type {AsyncLocalStorage<Map<string, Promise<Browser>>>} */
const opened = new AsyncLocalStorage();

/** In a story: the browser of that name, started once a run. What is opened in it is the story's own. @param {keyof typeof launchers} name */
export function browser(name) {
  const mine = opened.getStore();
  if (!mine) throw new Error("a browser is opened in a story");
  let one = mine.get(name);
  if (!one) mine.set(name, one = started(name).then((b) => b.anew()));
  return one;
}

/** @param {keyof typeof launchers} name */
function started(name) {
  let one = running.get(name);
  if (!one) running.set(name, one = launchers[name]());
  return one;
}

/** The two that every story is told in. */
export const BOTH = /** @type {const} */ (["chromium", "firefox"]);

const only = new RegExp(process.env.FANFARE_E2E_ONLY ?? "", "i");

/** @typedef {(t: import("node:test").TestContext) => Promise<void>} Body */

/** @type {{ name: string, body: Body }[]} */
const waiting = [];

/**
 * A test with a clean slate: whatever it opened is closed after it; when it fails, pictures and
 * page logs are kept in out/. Give it what must end with it by t.after.
 * @param {string} name @param {Body} body @param {{ timeout?: number, waits?: boolean }} [options]
 *   waits: it mostly waits, and measures nothing that a busy machine changes; such stories are told
 *   beside each other, at the end of the run
 */
export function story(name, body, { timeout = 240_000, waits = false } = {}) {
  if (!only.test(name)) return;
  if (waits) waiting.push({ name, body });
  else tell(name, body, timeout);
}

/** Those that wait, so many at a time. @param {number} atOnce */
export function tellWaiting(atOnce) {
  if (waiting.length === 0) return;
  suite("beside each other", { concurrency: atOnce }, () => {
    for (const { name, body } of waiting) tell(name, body, 240_000);
  });
}

/** @param {string} name @param {Body} body @param {number} timeout */
function tell(name, body, timeout) {
  test(name, { timeout }, (t) => opened.run(new Map(), async () => {
    let failed = true;
    try {
      await body(t);
      failed = false;
    } finally {
      for (const one of opened.getStore()?.values() ?? []) {
        await one.then((b) => b.clean(failed ? name : undefined), () => undefined);
      }
    }
  }));
}

after(async () => {
  await Promise.allSettled([...running.values()].map(async (one) => (await one).close()));
});
