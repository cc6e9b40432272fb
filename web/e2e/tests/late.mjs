// A viewer who comes in the middle of a long group of pictures: the picture at once, without asking
// the publisher for anything, and soon in step with those who were there.

import assert from "node:assert/strict";
import { clips, FPS, GROUP } from "../lib/fixtures.mjs";
import { read, shows } from "../lib/picture.mjs";
import { until } from "../lib/poll.mjs";
import { publishClip } from "../lib/program.mjs";
import { outOfStep, times, watchRaw } from "../lib/raw.mjs";
import { recordedStep } from "../lib/recorded.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { serve } from "../lib/server.mjs";
import { sounds } from "../lib/sound.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

const FRAME = 1000 / FPS;
const LENGTH = clips.group.seconds * FPS;

/**
 * So many join, one after the other, and the middle one counts: a busy machine may have no time for a page for a second,
 * and what is too slow by itself is so in all.
 */
const JOINS = 3;

/** After ICE is connected the first picture is shown within so many ms. */
const FIRST = 300;

/** Viewers are so many ms apart at most, one way and the other. Looks are averaged until less than a picture is left of their steps, so nothing is added. */
const APART = 150;

/** Sound and picture are in step when they are so many ms apart at most: of sound that is early ITU-R BT.1359 accepts that much, and twice that of late sound. */
const STEP = 90;

/**
 * One who joined: how long after ICE was connected the first picture was shown; three seconds later, how far its
 * picture was behind that of a viewer who was there before, and behind its own sound, by what the browser tells or else
 * by a recording. In ms.
 * @typedef {{ first: number, behind: number, step: number }} Joined
 */

for (const name of BOTH) {
  story(`${name}: who joins in the middle of a group has the picture at once and is soon in step`, async (t) => {
    const server = await serve(t);
    await publishClip(t, server, "late", "group");
    /** @type {Joined[]} */ const joined = [];
    for (let tries = 2 * JOINS; joined.length < JOINS && tries > 0; tries--) joined.push(...await join(t, name, server));
    assert.equal(joined.length, JOINS, "a key frame came before the picture again and again");
    for (const { first, behind, step } of joined) {
      t.diagnostic(`ICE connected to first picture ${first} ms; 3 s later ${behind} ms behind the other viewer; picture behind sound: ${step} ms`);
    }
    const told = JSON.stringify(joined);
    assert.ok(middle(joined.map((one) => one.first)) <= FIRST, `most first pictures did not come within ${FIRST} ms: ${told}`);
    // Load makes the other one's buffer longer while it is there: of those ahead the nearest counts.
    const apart = joined.map((one) => one.behind);
    assert.ok(middle(apart) <= APART && Math.min(...apart.map(Math.abs)) <= APART, `the late viewers are not at the live edge: ${told}`);
    assert.ok(Math.abs(middle(joined.map((one) => one.step))) <= STEP, `sound and picture are out of step: ${told}`);
  });
}

/**
 * One joins. What came of it tells nothing, and is left out, when the next key frame came before the picture.
 * @param {import("node:test").TestContext} t @param {typeof BOTH[number]} name @param {import("../lib/server.mjs").Server} server @returns {Promise<Joined[]>}
 */
async function join(t, name, server) {
  // A new one each time: the buffer of who has been there for long has grown with what the machine has been through.
  const there = await watchRaw(await browser("chromium"), server, "late");
  await shows(there, clips.group);
  const figures = () => Promise.all([server.metric("fanfare_pli_sent_total"), server.metric("fanfare_keyframes_total")]);
  /** @type {number[]} */ let before = [];
  const late = await watchRaw(await browser(name), server, "late", { when: async () => {
    await middleOfGroup(there);
    before = await figures();
  } });
  await until("the late viewer has a picture", async () => (await times(late)).frame, { every: 20 });
  const { connected = 0, frame = 0 } = await times(late);
  const [asked, keys] = await figures();
  assert.equal(asked, before[0], "the publisher was asked for a key frame");
  assert.ok(before[1] > 0, "the publisher has sent a key frame");

  const began = Date.now();
  await until("three seconds have passed", () => Date.now() - began >= 3000);
  const joined = { first: Math.round(frame - connected), behind: Math.round(await behind(there, late)), step: await outOfStep(late) ?? await recordedStep(t, late) };
  await sounds(late, clips.group);
  for (const page of [late, there]) await page.close();
  return keys === before[1] ? [joined] : [];
}

/** Waits for a moment that is one or two seconds behind a key frame, so that the next is three away. @param {Page} page */
function middleOfGroup(page) {
  return until("the middle of a group", async () => {
    const at = ((await read(page))?.frame ?? 0) % GROUP;
    return at > FPS && at < 1.6 * FPS;
  }, { every: 20 });
}

/** @param {number[]} list */
const middle = (list) => list.toSorted((x, y) => x - y)[list.length >> 1];

/** How far one viewer's picture is behind another's, in ms: several looks, on average without the outermost. @param {Page} one @param {Page} other */
async function behind(one, other) {
  /** @type {number[]} */ const looks = [];
  while (looks.length < 16) {
    const [a, b] = await Promise.all([read(one), read(other)]);
    if (!a || !b) continue;
    const frames = ((a.frame - b.frame + 1.5 * LENGTH) % LENGTH) - LENGTH / 2;
    looks.push(frames * FRAME - (a.at - b.at));
  }
  return looks.sort((x, y) => x - y).slice(4, 12).reduce((sum, look) => sum + look, 0) / 8;
}
