// Who may publish and who may watch, as people meet it on the pages.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { clips } from "../lib/fixtures.mjs";
import { shows } from "../lib/picture.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { build, KEY, serve } from "../lib/server.mjs";
import { id, Studio } from "../lib/studio.mjs";
import { WORDS } from "../lib/watching.mjs";

/** Opens the card that holds an element. @param {Studio} studio @param {string} name */
const unfold = (studio, name) => studio.page.evaluate((s) => {
  const fold = document.querySelector(s)?.closest("details");
  if (fold) fold.open = true;
}, name);

story("the studio asks for the key, refuses a wrong one and takes the right one", async (t) => {
  const server = await serve(t);
  for (const name of BOTH) {
    const page = await (await browser(name)).open(`${server.url}/studio`, { label: "studio" });
    await page.fill(id("key-input"), "fanpub_this-is-not-the-key-of-this-server");
    await page.click(id("key-open"));
    await page.says(id("key-form"), /key/i);
    await page.waitFor("a reason is shown", () => document.querySelector("[role=alert], .error, [aria-invalid=true]") !== null);
    await page.fill(id("key-input"), `${server.url}/studio#key=${KEY}`);
    await page.click(id("key-open"));
    await page.see(id("choose-files"));
    assert.ok(!(await page.evaluate(() => location.href)).includes(KEY), "the key is in the address bar");
  }
});

story("a wrong key in the address shows nothing of the studio, and costs nobody the key that is kept", async (t) => {
  const server = await serve(t);
  const context = await (await browser("chromium")).context({ label: "studio" });
  const page = await context.open(server.studio);
  await page.see(id("choose-files"));
  // Everything that the page ever shows is looked through.
  await page.tab.evaluateOnNewDocument((s) => {
    const seen = { studio: false };
    Object.assign(globalThis, { seen });
    new MutationObserver(() => { seen.studio ||= document.querySelector(s) !== null; }).observe(document, { childList: true, subtree: true });
  }, id("state"));
  await page.goto("about:blank");
  await page.goto(`${server.url}/studio#key=fanpub_this-is-not-the-key-of-this-server`);
  await page.says(id("key-form"), /key is wrong/i);
  assert.deepEqual(await page.evaluate(() => /** @type {any} */ (globalThis).seen), { studio: false });
  await page.goto("about:blank");
  await page.goto(`${server.url}/studio`);
  await page.see(id("choose-files"));
});

story("the uploader chooses the name in the link, and a name that is taken is told", async (t) => {
  const server = await serve(t);
  const { stdout } = await promisify(execFile)(await build(), ["key", "new", "--data", server.data]);
  const other = /fanpub_[\w-]+/.exec(stdout)?.[0];
  assert.ok(other, `a second key: ${stdout}`);
  const first = await Studio.open(await browser("firefox"), server);
  await name(first, "friday-show");
  await first.page.waitFor("the link has the name", (s) => /** @type {HTMLInputElement | null} */ (document.querySelector(s))?.value.endsWith("/w/friday-show"), id("link"));

  const second = new Studio(await (await browser("chromium")).open(`${server.url}/studio#key=${other}`, { label: "studio" }), server);
  const made = await second.name();
  await name(second, "friday-show");
  await second.page.says(".share .error", /not free/i);
  assert.equal(await second.name(), made, "the link stays");
  await second.page.fill(id("name"), "two words");
  await second.page.says(".share .error", /letters/i);
  await name(second, "monday");
  await second.choose("webm");
  assert.equal(await second.goLive(), "monday");
  const viewer = await (await browser("firefox")).open(server.watch("monday"), { label: "viewer" });
  await shows(viewer, clips.webm);
  await second.page.click(id("stop"));
  await second.is("ended");
  await second.page.reload();
  await second.page.waitFor("the name is remembered", (s) => /** @type {HTMLInputElement | null} */ (document.querySelector(s))?.value.endsWith("/w/monday"), id("link"));
});

/** @param {Studio} studio @param {string} text */
async function name(studio, text) {
  await studio.page.fill(id("name"), text);
  await studio.page.click(id("name-save"));
}

story("a password keeps viewers out, and lets in who knows it", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  const stream = await studio.goLive();
  await unfold(studio, id("password"));
  await studio.page.fill(id("password"), "correct horse");
  await studio.page.click(id("password-save"));
  await studio.page.see(id("password-remove"));
  for (const name of BOTH) {
    const viewer = await (await browser(name)).open(server.watch(stream), { label: "viewer" });
    await viewer.says(WORDS, /password/i);
    await viewer.fill(".password input", "wrong horse");
    await viewer.click(".password button");
    await viewer.says("main", /not the right one/i);
    await viewer.fill(".password input", "correct horse");
    await viewer.click(".password button");
    await shows(viewer, clips.webm);
    await viewer.reload();
    await shows(viewer, clips.webm);
  }
});

story("a removed viewer is told so and does not come back, others stay", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("firefox"), server);
  await studio.choose("webm");
  await studio.page.click(id("loop")); // a busy machine takes longer than the film
  const stream = await studio.goLive();
  const staying = await (await browser("firefox")).open(server.watch(stream), { label: "staying viewer" });
  await shows(staying, clips.webm);
  const going = await (await browser("chromium")).open(server.watch(stream), { label: "removed viewer" });
  await shows(going, clips.webm);
  await unfold(studio, id("viewer-remove"));
  await studio.page.says(id("viewer-gets"), /watching \d+p/); // what each one gets
  await unfold(studio, id("relaying-figures")); // and what the server does for that
  await studio.page.says(id("relaying-figures"), /Packets to viewers\s*[1-9]/);
  await studio.page.says(id("relaying-delays"), /to \d+(\.\d)? (µs|ms)\s*\d/);
  // The list is in the order of arrival.
  await studio.page.click(`${id("viewer")}:last-of-type ${id("viewer-remove")}`);
  await studio.page.click(id("viewer-remove-confirm"));
  await going.says(WORDS, /removed/i);
  await going.reload();
  await going.says(WORDS, /removed/i);
  await shows(staying, clips.webm);
});

story("after a change of the link the old one leads nowhere, and the new one shows the stream", async (t) => {
  const server = await serve(t);
  const studio = await Studio.open(await browser("chromium"), server);
  await studio.choose("webm");
  const old = await studio.goLive();
  const viewer = await (await browser("firefox")).open(server.watch(old), { label: "viewer" });
  await shows(viewer, clips.webm);
  await studio.page.click(id("change-link"));
  await studio.page.click(id("change-link-confirm"));
  await studio.page.waitFor("the link is another one", (s, name) => {
    const link = /** @type {HTMLInputElement | null} */ (document.querySelector(s))?.value;
    return Boolean(link) && !link?.endsWith(`/${name}`);
  }, id("link"), old);
  await viewer.says(WORDS, /./);
  await studio.is("live");
  const guest = await (await browser("chromium")).open(await studio.link(), { label: "guest" });
  await shows(guest, clips.webm);
  const late = await (await browser("firefox")).open(server.watch(old), { label: "late viewer" });
  await late.says(WORDS, /no stream here|link/i);
});
