// The two real browsers, as the distribution ships them, behind one small page interface.
//
// Both are driven by puppeteer-core: Chromium by its own protocol, Firefox by WebDriver BiDi. Stories that
// follow each other have the same two; every story opens contexts of its own, which share nothing. In
// Chromium they stand in windows of their own; Firefox opens all tabs in the window in front, where the last
// one hides the others.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { GENEROUS, until } from "./poll.mjs";

/** Where screenshots and logs of failed tests go. */
export const OUT = fileURLToPath(new URL("../out/", import.meta.url));

const LAUNCH = 180_000; // a cold start on a busy two-core machine

/**
 * The browser as the distribution installs it; a variable names another one.
 * @param {string} variable @param {...string} names
 */
function executable(variable, ...names) {
  const given = process.env[variable];
  if (given) return given;
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const found = names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
  if (!found) throw new Error(`no ${names.join(" or ")} on this machine: run "make tools", or set ${variable}`);
  return found;
}

/** In the page: notes of the next click whether it is one on that element. @param {string} selector */
function noteClick(selector) {
  const element = document.querySelector(selector);
  const note = /** @type {{ hit?: boolean }} */ (/** @type {unknown} */ (window));
  note.hit = false;
  const look = (/** @type {Event} */ event) => { note.hit = element !== null && event.composedPath().includes(element); };
  document.addEventListener("click", look, { capture: true, once: true });
}

/** One tab. */
export class Page {
  /** @type {string[]} */ log = [];

  /** @param {string} name told in failures: "firefox viewer" @param {import("puppeteer-core").Page} tab */
  constructor(name, tab) {
    this.name = name;
    this.tab = tab;
    tab.setDefaultTimeout(GENEROUS);
    tab.on("console", (line) => this.log.push(`${line.type()}: ${line.text()}`));
    tab.on("pageerror", (error) => this.log.push(`uncaught: ${error instanceof Error ? error.stack : error}`));
    // A page that is live asks before it is left; the tests always leave.
    tab.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
  }

  /** @param {string} url */
  async goto(url) { await this.tab.goto(url, { waitUntil: "load" }); }
  async reload() { await this.tab.reload({ waitUntil: "load" }); }

  /**
   * Clicks as soon as the element is there, visible and enabled, and once more when it moved away below the
   * pointer, as it may while the page shows what has begun.
   * @param {string} selector
   */
  async click(selector) {
    await until(`${this.name}: ${selector} is clicked`, async () => {
      await this.see(selector);
      await this.evaluate(noteClick, selector);
      await this.tab.click(selector);
      // A click that leads to another page leaves no note.
      const hit = await this.evaluate(() => /** @type {{ hit?: boolean }} */ (/** @type {unknown} */ (window)).hit).catch(() => undefined);
      return hit !== false;
    });
  }

  /** @param {string} selector @param {string} text */
  async fill(selector, text) {
    await this.see(selector);
    await this.tab.locator(selector).fill(text);
  }

  /** @param {import("puppeteer-core").KeyInput} key */
  async press(key) { await this.tab.keyboard.press(key); }

  /** Hands files to an <input type=file>, which may be hidden. @param {string} selector @param {...string} files */
  async setFiles(selector, ...files) {
    await this.waitFor(`${selector} is there`, (s) => document.querySelector(s) !== null, selector);
    const input = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (await this.tab.$(selector));
    await input.uploadFile(...files);
  }

  /**
   * @template {unknown[]} A @template R
   * @param {(...args: A) => R} fn runs inside the page: it may use nothing from outside @param {A} args
   * @returns {Promise<Awaited<R>>}
   */
  evaluate(fn, ...args) { return /** @type {any} */ (this.tab).evaluate(fn, ...args); }

  /**
   * Waits until the predicate, asked inside the page, answers something truthy.
   * @template {unknown[]} A @template R
   * @param {string} what @param {(...args: A) => R} fn @param {A} args
   */
  waitFor(what, fn, ...args) {
    return until(`${this.name}: ${what}`, () => this.evaluate(fn, ...args));
  }

  /** @param {string} selector waits until the element is visible and enabled */
  see(selector) {
    return this.waitFor(`${selector} is visible`, (s) => {
      const element = document.querySelector(s);
      return element !== null && element.getClientRects().length > 0 && !element.hasAttribute("disabled");
    }, selector);
  }

  /** The text of an element, or null. @param {string} selector */
  text(selector) {
    return this.evaluate((s) => document.querySelector(s)?.textContent ?? null, selector);
  }

  /** @param {string} selector @param {RegExp} words waits until the element says so, in any case */
  async says(selector, words) {
    /** @type {string | null} */ let said = null;
    try {
      await until(`${this.name}: ${selector} says ${words}`, async () => {
        said = await this.text(selector);
        return said !== null && words.test(said);
      });
    } catch (error) {
      throw new Error(`${/** @type {Error} */ (error).message}; it says ${JSON.stringify(said)}`);
    }
  }

  /** @param {string} file @param {boolean} [fullPage] */
  async screenshot(file, fullPage = false) {
    await mkdir(path.dirname(file), { recursive: true });
    await this.tab.screenshot({ path: /** @type {`${string}.png`} */ (file), fullPage });
  }

  /** Brings the tab to the front of its window. */
  async front() { await this.tab.bringToFront(); }

  /** Brings a new tab to the front of its window, so that nobody sees this one. */
  async hide() {
    const other = await alone(this.tab.browser(), () => newTab(this.tab.browserContext()));
    await other.bringToFront();
    await this.waitFor("it is hidden", () => document.visibilityState === "hidden");
  }

  async close() { await alone(this.tab.browser(), () => this.tab.close()); }
}

/**
 * @typedef {object} Options
 * @property {string} [label]       told in failures
 * @property {"light" | "dark"} [colours]  Chromium only
 * @property {import("puppeteer-core").Viewport} [viewport]
 * @property {import("./network.mjs").Network} [via]  media go through this network
 * @property {(() => void) | (() => void)[]} [prepare]  run in each page before its own scripts
 * @property {import("./detour.mjs").Detour} [detour]  the way to its peers
 * @property {string} [downloads]  the folder that downloads go to
 */

/**
 * In each page before its own scripts: keeps the peer connections that the page makes, so that a test
 * can count and ask them. With a candidate, media have that way to the server and no other: it replaces
 * the server's candidates, and the browser's own stay untold.
 * @param {{ address: string, port: number } | null} candidate
 */
function prepareInPage(candidate) {
  const Native = globalThis.RTCPeerConnection;
  /** @type {RTCPeerConnection[]} */ const made = [];
  Object.assign(globalThis, { connectionsMade: made });
  globalThis.RTCPeerConnection = class extends Native {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      made.push(this);
    }

    /** @param {RTCSessionDescriptionInit} description */
    async setRemoteDescription(description) {
      const lines = /^a=candidate:.*\r?\n/gm;
      const [line] = description.sdp?.match(lines) ?? [];
      if (!candidate || !line) return super.setRemoteDescription(description);
      const words = line.trimEnd().split(" ");
      words.splice(4, 2, candidate.address, String(candidate.port));
      let first = true;
      const sdp = description.sdp?.replace(lines, () => (first ? (first = false, `${words.join(" ")}\r\n`) : ""));
      return super.setRemoteDescription({ type: description.type, sdp });
    }
  };
  if (!candidate) return;
  const ask = globalThis.fetch;
  globalThis.fetch = (input, init) => ask(input, typeof init?.body === "string" ? { ...init, body: init.body.replace(/^a=candidate:.*\r?\n/gm, "") } : init);
}

/** The last opening or closing in each browser. @type {WeakMap<object, Promise<unknown>>} */
const doors = new WeakMap();

/**
 * Opens or closes something in a browser while nothing else opens or closes in it: Firefox loses a tab
 * that it opens while another one of its windows goes.
 * @template T @param {object} driver @param {() => Promise<T>} act @returns {Promise<T>}
 */
function alone(driver, act) {
  const mine = (doors.get(driver) ?? Promise.resolve()).then(act, act);
  doors.set(driver, mine.catch(() => undefined));
  return mine;
}

/**
 * A new tab. Firefox moves a tab to another process while it opens, and on a busy machine may say of it
 * what was true of the one before: that tab is given up for another.
 * @param {import("puppeteer-core").BrowserContext} context
 */
async function newTab(context) {
  for (let left = 2; ; left--) {
    try {
      return await context.newPage();
    } catch (error) {
      if (left === 0 || !/DiscardedBrowsingContext/.test(String(error))) throw error;
    }
  }
}

/** Tabs that share storage and stand in one window. */
export class Context {
  /** @type {Page[]} */ pages = [];

  /** @param {string} name @param {import("puppeteer-core").BrowserContext} context @param {Options} options */
  constructor(name, context, options) {
    this.name = name;
    this.context = context;
    this.options = options;
  }

  /** A new tab, in front of the others. @param {string} url */
  async open(url) {
    const { label = "page", colours, via, prepare, detour, viewport = { width: 1280, height: 800 } } = this.options;
    const page = new Page(`${this.name} ${label}`, await alone(this.context.browser(), () => newTab(this.context)));
    this.pages.push(page);
    await page.tab.setViewport(viewport);
    await page.tab.evaluateOnNewDocument(prepareInPage, via?.candidate ?? null);
    for (const one of [prepare ?? []].flat()) await page.tab.evaluateOnNewDocument(one);
    if (detour) await detour.begin(page);
    if (colours) await page.tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: colours }]);
    await page.goto(url);
    return page;
  }
}

/** A running browser. */
export class Browser {
  /** @type {Context[]} */ contexts = [];

  /** @param {"chromium" | "firefox"} name @param {import("puppeteer-core").Browser} driver */
  constructor(name, driver) {
    this.name = name;
    this.driver = driver;
  }

  /** @param {Options} [options] */
  async context(options = {}) {
    const { downloads: downloadPath } = options;
    const how = downloadPath ? { downloadBehavior: /** @type {const} */ ({ policy: "allow", downloadPath }) } : {};
    const context = new Context(this.name, await alone(this.driver, () => this.driver.createBrowserContext(how)), options);
    this.contexts.push(context);
    return context;
  }

  /** A tab in a context of its own. @param {string} url @param {Options} [options] */
  async open(url, options) {
    return (await this.context(options)).open(url);
  }

  /** A tab in the profile's own context, which keeps what pages store on the disk. @param {string} url */
  async openInProfile(url) {
    const context = new Context(this.name, this.driver.defaultBrowserContext(), {});
    return context.open(url);
  }

  /** The process that runs a page (Chromium only): the one that works most when the page does, twice in a row, for others may be starting. @param {Page} page */
  async rendererOf(page) {
    const session = await this.driver.target().createCDPSession();
    const worked = async () => {
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      return new Map(processInfo.filter((one) => one.type === "renderer").map((one) => [one.id, one.cpuTime]));
    };
    for (let [found, before] = [0, -1]; ; before = found) {
      const then = await worked();
      await page.evaluate(() => { for (const until = performance.now() + 500; performance.now() < until;); });
      const now = [...await worked()].map(([id, time]) => ({ id, time: time - (then.get(id) ?? 0) }));
      found = /** @type {{ id: number }} */ (now.sort((a, b) => b.time - a.time)[0]).id;
      if (found !== before) continue;
      await session.detach();
      return found;
    }
  }

  /** Closes what was opened; the browser goes on. @param {string} [failed] a failed test's name: keeps pictures and logs */
  async clean(failed) {
    const contexts = this.contexts.splice(0);
    if (failed) await Promise.all(contexts.flatMap((one) => one.pages).map((page, i) => keep(page, failed, i)));
    for (const one of contexts) await alone(this.driver, () => one.context.close()).catch(() => undefined);
  }

  async close() { await this.driver.close(); }
}

/** @param {Page} page @param {string} test @param {number} i */
async function keep(page, test, i) {
  const stem = path.join(OUT, `${test}-${i}-${page.name}`.replace(/[^\w.-]+/g, "_"));
  await mkdir(OUT, { recursive: true });
  await writeFile(`${stem}.log`, page.log.join("\n") + "\n");
  await page.screenshot(`${stem}.png`).catch(() => undefined);
}

/**
 * Switches of the driver that keep hidden tabs awake. A person's browser has none of them, and a test
 * of a hidden tab proves nothing with them.
 */
const KEEP_AWAKE = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

/**
 * How a browser treats sound: "free" plays it at once, so that tests need no gesture; "asked" waits
 * for a gesture, as a person's browser does.
 * @typedef {"free" | "asked"} Sound
 */

/** @param {Sound} [sound] */
export async function launchChromium(sound = "free") {
  return new Browser("chromium", await puppeteer.launch({
    browser: "chrome",
    executablePath: executable("FANFARE_CHROMIUM", "chromium", "chromium-browser", "google-chrome"),
    headless: true,
    timeout: LAUNCH,
    protocolTimeout: LAUNCH,
    acceptInsecureCerts: true,
    ignoreDefaultArgs: KEEP_AWAKE,
    args: [
      "--no-sandbox",
      `--autoplay-policy=${sound === "free" ? "no-user-gesture-required" : "document-user-activation-required"}`,
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ],
  }));
}

/** @param {Sound} [sound] */
export async function launchFirefox(sound = "free") {
  return new Browser("firefox", await puppeteer.launch({
    browser: "firefox",
    executablePath: executable("FANFARE_FIREFOX", "firefox-esr", "firefox"),
    headless: true,
    timeout: LAUNCH,
    protocolTimeout: LAUNCH,
    acceptInsecureCerts: true,
    extraPrefsFirefox: {
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
      "media.autoplay.default": sound === "free" ? 0 : 1,
      "media.autoplay.blocking_policy": 0,
      "media.navigator.permission.disabled": true,
      "media.navigator.streams.fake": true,
    },
  }));
}
