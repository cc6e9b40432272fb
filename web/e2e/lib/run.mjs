// One run: the browsers that are open, the tests' frame, and the sweep at the end.

import { after, test } from "node:test";
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

/** The browser of that name, started once a run. @param {keyof typeof launchers} name */
export function browser(name) {
  let one = running.get(name);
  if (!one) running.set(name, one = launchers[name]());
  return one;
}

/** The two that every story is told in. */
export const BOTH = /** @type {const} */ (["chromium", "firefox"]);

const only = new RegExp(process.env.FANFARE_E2E_ONLY ?? "", "i");

/**
 * A test with a clean slate: whatever it opened is closed after it; when it fails, pictures and
 * page logs are kept in out/. Give it what must end with it by t.after.
 * @param {string} name @param {(t: import("node:test").TestContext) => Promise<void>} body @param {{ timeout?: number }} [options]
 */
export function story(name, body, { timeout = 240_000 } = {}) {
  if (!only.test(name)) return;
  test(name, { timeout }, async (t) => {
    let failed = true;
    try {
      await body(t);
      failed = false;
    } finally {
      for (const one of running.values()) await one.then((b) => b.clean(failed ? name : undefined), () => undefined);
    }
  });
}

after(async () => {
  await Promise.allSettled([...running.values()].map(async (one) => (await one).close()));
});
