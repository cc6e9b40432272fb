// Who may publish and who may watch, as people meet it on the pages.

import assert from "node:assert/strict";
import { clips } from "../lib/fixtures.mjs";
import { shows } from "../lib/picture.mjs";
import { BOTH, browser, story } from "../lib/run.mjs";
import { KEY, serve } from "../lib/server.mjs";
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
  const stream = await studio.goLive();
  const staying = await (await browser("firefox")).open(server.watch(stream), { label: "staying viewer" });
  await shows(staying, clips.webm);
  const going = await (await browser("chromium")).open(server.watch(stream), { label: "removed viewer" });
  await shows(going, clips.webm);
  await unfold(studio, id("viewer-remove"));
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
