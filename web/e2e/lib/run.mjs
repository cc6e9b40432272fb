// One run: the browsers that are open, the tests' frame, and the sweep at the end.

import { AsyncLocalStorage } from "node:async_hooks";
import { after, suite, test } from "node:test";
import { launchChromium, launchFirefox } from "./browsers.mjs";

/** @typedef {import("./browsers.mjs").Browser} Browser */

const launchers = {
  chromium: () => launchChromium(),
  firefox: () => launchFirefox(),
  chromiumAsked: () => launchChromium("asked"),
  firefoxAsked: () => launchFirefox("asked"),
};

/** @typedef {Map<string, Promise<Browser>>} Browsers by their names */

/**
 * The browsers that run, and of them those that no story has now. Stories that follow each other have the
 * same ones; stories beside each other have each their own: a window in front of another one's hides it,
 * and what is hidden is slowed down.
 * @type {Browsers[]}
 */
const running = [];
/** @type {Browsers[]} */
const free = [];

/** What a story has: its browsers, and what is opened in them. @type {AsyncLocalStorage<{ lane: Browsers, opened: Browsers }>} */
const telling = new AsyncLocalStorage();

/** In a story: the browser of that name. What is opened in it is the story's own. @param {keyof typeof launchers} name */
export function browser(name) {
  const mine = telling.getStore();
  if (!mine) throw new Error("a browser is opened in a story");
  const { lane, opened } = mine;
  let one = opened.get(name);
  if (!one) opened.set(name, one = started(lane, name).then((b) => b.anew()));
  return one;
}

/** @param {Browsers} lane @param {keyof typeof launchers} name */
function started(lane, name) {
  let one = lane.get(name);
  if (!one) lane.set(name, one = launchers[name]());
  return one;
}

/** Browsers that nobody has: those of a story that has ended, or new ones. @returns {Browsers} */
function take() {
  const lane = free.pop();
  if (lane) return lane;
  /** @type {Browsers} */ const another = new Map();
  running.push(another);
  return another;
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
  test(name, { timeout }, (t) => {
    const mine = { lane: take(), opened: /** @type {Browsers} */ (new Map()) };
    return telling.run(mine, async () => {
      let failed = true;
      try {
        await body(t);
        failed = false;
      } finally {
        for (const one of mine.opened.values()) await one.then((b) => b.clean(failed ? name : undefined), () => undefined);
        free.push(mine.lane);
      }
    });
  });
}

after(async () => {
  await Promise.allSettled(running.flatMap((lane) => [...lane.values()]).map(async (one) => (await one).close()));
});
