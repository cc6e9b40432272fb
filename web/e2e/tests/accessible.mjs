// Every page by axe-core, an independent judge of WCAG 2.2 A and AA: light and dark, on a laptop and on
// the smallest phone, in the states that people meet.

import { COLOURS, judge } from "../lib/judge.mjs";
import { Owner } from "../lib/owner.mjs";
import { moves } from "../lib/picture.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
import { id } from "../lib/studio.mjs";
import { WORDS } from "../lib/watching.mjs";

/** @typedef {import("../lib/browsers.mjs").Page} Page */

/** @type {{ what: string, path: string, ready: (page: Page) => Promise<unknown> }[]} */
const states = [
  { what: "the home page", path: "/", ready: (page) => page.see('a[href="/w/demo"]') },
  { what: "the studio without a key", path: "/studio", ready: (page) => page.see(id("key-form")) },
  { what: "the studio with a name that cannot be one", path: `/studio#key=${KEY}`, ready: badName },
  { what: "the studio with its camera off", path: `/studio#key=${KEY}`, ready: cameraOff },
  { what: "the watch page", path: "/w/demo", ready: moves },
  { what: "the figures", path: "/w/demo", ready: (page) => opened(page, "i") },
  { what: "the list of keys", path: "/w/demo", ready: (page) => opened(page, "?") },
  { what: "a stream with a password", path: "/w/secret", ready: wrongPassword },
  { what: "a stream that is not live", path: "/w/early", ready: (page) => page.says(WORDS, /not live/i) },
  { what: "no such stream", path: "/w/nobody", ready: (page) => page.says(WORDS, /no stream/i) },
  { what: "the sending page", path: "/f", ready: (page) => page.see(id("choose-files")) },
  { what: "the sending page without a key", path: "/f", ready: (page) => sends(page, "key-form") },
  { what: "the sending page with its link", path: `/f#key=${KEY}`, ready: (page) => sends(page, "code") },
  { what: "a link that is cut", path: "/f/x", ready: (page) => page.says(id("words"), /not whole/i) },
  { what: "the comparison", path: "/compare", ready: (page) => page.see(id("plan")) },
  { what: "no such page", path: "/nothing/here", ready: (page) => page.says("h1", /nothing/i) },
];

/** @param {Page} page @param {import("puppeteer-core").KeyInput} key */
async function opened(page, key) {
  await moves(page);
  await page.press(key);
  await page.see("aside dl"); // the figures are fetched when they are asked for
}

/** @param {Page} page */
async function badName(page) {
  await page.fill(id("name"), "two words");
  await page.says(".share .error", /letters/i);
}

/** @param {Page} page */
async function cameraOff(page) {
  await page.click(id("choose-camera"));
  await page.click(id("device-picture"));
  await page.says(".sound-title", /off/i);
}

/** @param {Page} page @param {string} until what is seen in the end */
async function sends(page, until) {
  await page.fill(id("text"), "see you at eight");
  await page.click(id("share-text"));
  await page.see(id(until));
}

/** @param {Page} page */
async function wrongPassword(page) {
  await page.fill(".password input", "wrong");
  await page.click(".password button");
  await page.says("[role=alert]", /not the right one/);
}

for (const name of BOTH) {
  story(`${name}: the pages are accessible to everyone, in all their colours`, async (t) => {
    const server = await serve(t, "--demo");
    const secret = await Owner.of(await browser("chromium"), server, "secret");
    await secret.say({ type: "set-access", password: "right" });
    await secret.hears("access");
    await Owner.of(await browser("chromium"), server, "early");
    const context = await (await browser(name)).context();
    for (const { what, path, ready } of states) {
      const page = await context.open(server.url + path);
      await ready(page);
      await judge(page, what, COLOURS[name]);
      await page.close();
    }
  });
}
