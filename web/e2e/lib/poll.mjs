// Waiting for a fact. Nothing in these tests waits for a length of time.

import { setTimeout as pause } from "node:timers/promises";

/** A deadline long enough for a slow machine; a test that reaches it has failed. */
export const GENEROUS = 60_000;

/** The first pause, in ms. */
const SOON = 10;

/**
 * Asks until the answer is truthy, and returns it: soon at first, since most facts come at once, then `every`
 * so many ms.
 * @template T
 * @param {string} what  in words, for the failure: "the viewer shows the film"
 * @param {() => Promise<T> | T} ask
 * @param {{ timeout?: number, every?: number, last?: () => unknown }} [options]
 * @returns {Promise<T>}
 */
export async function until(what, ask, { timeout = GENEROUS, every = 100 } = {}) {
  const deadline = Date.now() + timeout;
  /** @type {unknown} */
  let seen;
  for (let wait = Math.min(SOON, every); ; wait = Math.min(1.5 * wait, every)) {
    try {
      const answer = await ask();
      if (answer) return answer;
      seen = answer;
    } catch (error) {
      seen = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeout / 1000} s in vain for: ${what} (last: ${describe(seen)})`);
    await pause(wait);
  }
}

/** @param {unknown} seen */
function describe(seen) {
  return seen instanceof Error ? seen.message : JSON.stringify(seen);
}
