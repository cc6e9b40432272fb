// The pictures of the pages in docs/images: light, dark, and on a phone in both. `make screenshots`.

import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launchChromium } from "./lib/browsers.mjs";
import { moves } from "./lib/picture.mjs";
import { freePort, Server } from "./lib/server.mjs";
import { randomFile, Sender, Taker } from "./lib/sharing.mjs";
import { id, Studio } from "./lib/studio.mjs";
import { viewersAre } from "./lib/watching.mjs";

const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const demo = fileURLToPath(new URL("../../cmd/fanfare/demo/demo.webm", import.meta.url));

const desk = { width: 1280, height: 800 };
const phone = { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const looks = /** @type {const} */ ([
  ["light", { colours: "light", viewport: desk }],
  ["dark", { colours: "dark", viewport: desk }],
  ["phone", { colours: "light", viewport: phone }],
  ["phone-dark", { colours: "dark", viewport: phone }],
]);

const scratch = await mkdtemp(path.join(os.tmpdir(), "fanfare-pictures-"));
const server = new Server(await freePort(), scratch, ["--demo", "--public-url", "https://live.example.org"]);
const browser = await launchChromium();
try {
  await mkdir(images, { recursive: true });
  // The file's name is what the studio's list and the viewers' title show.
  const film = path.join(scratch, "Night lights.webm");
  await copyFile(demo, film);
  await server.start();
  for (const [look, options] of looks) {
    await still(look, options, "home", `${server.url}/`);
    await still(look, options, "notfound", `${server.url}/summer-party`);
    await live(look, options, film);
    await files(look, options, film);
    await browser.clean();
  }
} finally {
  await browser.close();
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}

/** @param {string} look @param {import("./lib/browsers.mjs").Options} options @param {string} name @param {string} url */
async function still(look, options, name, url) {
  const page = await browser.open(url, options);
  await page.see("h1");
  // The way to the demo fades in once the server has said that there is one.
  if (name === "home") await page.waitFor("the demo is offered", () => {
    const demo = document.querySelector(".demo.here");
    return demo !== null && getComputedStyle(demo).opacity === "1";
  });
  await page.screenshot(path.join(images, `${name}-${look}.png`));
}

/** The studio while live, and a viewer of it. @param {string} look @param {import("./lib/browsers.mjs").Options} options @param {string} film */
async function live(look, options, film) {
  const studio = new Studio(await browser.open(server.studio, options), server);
  await studio.page.setFiles(id("file-input"), film);
  await studio.page.click(id("loop"));
  await studio.goLive();
  const viewer = await browser.open(await studio.link(), options);
  await moves(viewer);
  // A stream begins small and grows as soon as the line is known.
  await viewer.waitFor("the picture is as large as the film", () => (document.querySelector("video")?.videoWidth ?? 0) >= 640);
  await viewersAre(viewer, 1);
  await studio.page.waitFor("the viewer is counted", (s) => document.querySelector(s)?.getAttribute("data-count") === "1", id("viewers"));
  await moves(studio.page, id("preview"));
  await studio.page.evaluate(() => scrollTo(0, 0));
  await studio.page.screenshot(path.join(images, `studio-${look}.png`));
  await viewer.screenshot(path.join(images, `watch-${look}.png`));
  await studio.page.click(id("stop"));
}

/** A folder on its way: the sender, and one who has it. @param {string} look @param {import("./lib/browsers.mjs").Options} options @param {string} film */
async function files(look, options, film) {
  const empty = await browser.open(`${server.url}/f`, options);
  await empty.see(id("choose-files"));
  await empty.screenshot(path.join(images, `send-empty-${look}.png`));
  const other = await randomFile(scratch, "Programme.pdf", 700_000);
  const sender = await Sender.open(browser, server, options);
  const link = await sender.share([film, other.file]);
  await sender.code();
  const context = await browser.context(options);
  const first = new Taker(await context.open(server.url + new URL(link).pathname + new URL(link).hash));
  await first.is("offered");
  await first.page.screenshot(path.join(images, `receive-offered-${look}.png`));
  await first.page.click(id("get"));
  await first.is("done");
  await first.page.screenshot(path.join(images, `receive-${look}.png`));
  await sender.complete(1);
  await sender.page.front();
  await sender.page.screenshot(path.join(images, `send-${look}.png`));
}
