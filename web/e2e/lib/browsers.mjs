// The two real browsers behind one small page interface.
//
// Chromium is driven by playwright-core, Firefox by puppeteer-core over WebDriver BiDi: each is
// the driver that speaks to the browser as it comes from the distribution. A run starts each
// browser once; every test opens contexts of its own, which share nothing.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
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

/**
 * What a driver's page must do for us.
 * @typedef {object} Driver
 * @property {(url: string) => Promise<unknown>} goto
 * @property {() => Promise<unknown>} reload
 * @property {(selector: string) => Promise<void>} click
 * @property {(selector: string, text: string) => Promise<void>} fill
 * @property {(selector: string, files: string[]) => Promise<void>} setFiles
 * @property {(key: string) => Promise<void>} press
 * @property {<A extends unknown[], R>(fn: (...args: A) => R, ...args: A) => Promise<Awaited<R>>} evaluate
 * @property {(file: string, fullPage: boolean) => Promise<unknown>} screenshot
 * @property {(width: number, height: number) => Promise<unknown>} resize
 * @property {() => Promise<unknown>} front
 * @property {() => Promise<unknown>} close
 */

/** One tab. */
export class Page {
  /** @type {string[]} */ log = [];

  /** @param {string} name @param {Driver} driver */
  constructor(name, driver) {
    this.name = name;
    this.driver = driver;
  }

  /** @param {string} url */
  async goto(url) { await this.driver.goto(url); return this; }
  async reload() { await this.driver.reload(); }

  /** Clicks as soon as the element is there, visible and enabled. @param {string} selector */
  async click(selector) {
    await this.see(selector);
    await this.driver.click(selector);
  }

  /** @param {string} selector @param {string} text */
  async fill(selector, text) {
    await this.see(selector);
    await this.driver.fill(selector, text);
  }

  /** @param {string} key */
  async press(key) { await this.driver.press(key); }

  /** Hands files to an <input type=file>, which may be hidden. @param {string} selector @param {...string} files */
  async setFiles(selector, ...files) {
    await this.waitFor(`${selector} is there`, (s) => document.querySelector(s) !== null, selector);
    await this.driver.setFiles(selector, files);
  }

  /**
   * @template {unknown[]} A @template R
   * @param {(...args: A) => R} fn @param {A} args
   */
  evaluate(fn, ...args) { return this.driver.evaluate(fn, ...args); }

  /**
   * Waits until the predicate, asked inside the page, answers something truthy.
   * @template {unknown[]} A @template R
   * @param {string} what @param {(...args: A) => R} fn @param {A} args
   */
  waitFor(what, fn, ...args) {
    return until(`${this.name}: ${what}`, () => this.driver.evaluate(fn, ...args));
  }

  /** @param {string} selector waits until the element is visible and enabled */
  see(selector) {
    return this.waitFor(`${selector} is visible`, (s) => {
      const element = document.querySelector(s);
      return element !== null && element.getClientRects().length > 0 && !element.hasAttribute("disabled");
    }, selector);
  }

  /** @param {string} selector @param {RegExp | string} text waits until the element says so */
  async says(selector, text) {
    const source = typeof text === "string" ? text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : text.source;
    try {
      await this.waitFor(`${selector} says "${source}"`, (s, r) => new RegExp(r, "i").test(document.querySelector(s)?.textContent ?? ""), selector, source);
    } catch (error) {
      const said = await this.evaluate((s) => document.querySelector(s)?.textContent ?? null, selector);
      throw new Error(`${/** @type {Error} */ (error).message}; it says ${JSON.stringify(said)}`);
    }
  }

  /** @param {string} file @param {boolean} [fullPage] */
  async screenshot(file, fullPage = false) {
    await mkdir(path.dirname(file), { recursive: true });
    await this.driver.screenshot(file, fullPage);
  }

  /** @param {number} width @param {number} height */
  async resize(width, height) { await this.driver.resize(width, height); }
  /** Brings the tab to the front. */
  async front() { await this.driver.front(); }
  async close() { await this.driver.close(); }
}

/**
 * @typedef {object} ContextOptions
 * @property {string} [label]                     told in failures: "chromium viewer"
 * @property {"light" | "dark"} [colours]         Chromium only
 * @property {{ width: number, height: number }} [viewport]
 * @property {number} [scale]                     device pixels a CSS pixel, Chromium only
 * @property {boolean} [bypassCSP]                Chromium only: for instruments that need a worklet
 */

/** A running browser; open() makes a tab in a context of its own. */
export class Browser {
  /** @type {Page[]} */ pages = [];
  /** @type {(() => Promise<unknown>)[]} */ contexts = [];

  /**
   * @param {"chromium" | "firefox"} name
   * @param {(options: ContextOptions) => Promise<{ tab: () => Promise<Page>, close: () => Promise<unknown> }>} context
   * @param {() => Promise<unknown>} close
   */
  constructor(name, context, close) {
    this.name = name;
    this.context = context;
    this.close = close;
  }

  /** A new tab in a new context. @param {string} url @param {ContextOptions} [options] */
  async open(url, options = {}) {
    const { tab } = await this.fresh(options);
    const page = await tab();
    await page.goto(url);
    return page;
  }

  /** A new context, whose tabs share storage. @param {ContextOptions} [options] */
  async fresh(options = {}) {
    const context = await this.context({ ...options, label: `${this.name} ${options.label ?? "page"}` });
    this.contexts.push(context.close);
    return { tab: async () => { const page = await context.tab(); this.pages.push(page); return page; } };
  }

  /** Closes what open() and fresh() made; the browser goes on. @param {string} [failed] a failed test's name: keeps pictures and logs */
  async clean(failed) {
    if (failed) await Promise.all(this.pages.map((page, i) => keep(page, failed, i)));
    this.pages = [];
    await Promise.allSettled(this.contexts.splice(0).map((close) => close()));
  }
}

/** @param {Page} page @param {string} test @param {number} i */
async function keep(page, test, i) {
  const stem = path.join(OUT, `${test}-${i}-${page.name}`.replace(/[^\w.-]+/g, "_"));
  await mkdir(OUT, { recursive: true });
  await writeFile(`${stem}.log`, page.log.join("\n") + "\n");
  await page.screenshot(`${stem}.png`).catch(() => undefined);
}

/**
 * Switches that playwright sets to keep hidden tabs awake. A person's browser has none of them,
 * and a test of a hidden tab proves nothing with them.
 */
const KEEP_AWAKE = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

/** @param {{ honestTabs?: boolean }} [options] honestTabs: hidden tabs are throttled as for a person */
export async function launchChromium({ honestTabs = false } = {}) {
  const browser = await chromium.launch({
    executablePath: executable("FANFARE_CHROMIUM", "chromium", "chromium-browser", "google-chrome"),
    headless: true,
    timeout: LAUNCH,
    ignoreDefaultArgs: honestTabs ? KEEP_AWAKE : [],
    args: [
      "--no-sandbox",
      "--autoplay-policy=no-user-gesture-required",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ],
  });
  return new Browser("chromium", async (options) => {
    const context = await browser.newContext({
      colorScheme: options.colours ?? "light",
      viewport: options.viewport ?? { width: 1280, height: 800 },
      deviceScaleFactor: options.scale ?? 1,
      bypassCSP: options.bypassCSP ?? false,
      ignoreHTTPSErrors: true,
    });
    return { tab: async () => chromiumPage(options.label ?? "chromium", await context.newPage()), close: () => context.close() };
  }, () => browser.close());
}

/** @param {string} name @param {import("playwright-core").Page} tab */
function chromiumPage(name, tab) {
  tab.setDefaultTimeout(GENEROUS);
  const page = new Page(name, {
    goto: (url) => tab.goto(url),
    reload: () => tab.reload(),
    click: (selector) => tab.click(selector),
    fill: (selector, text) => tab.fill(selector, text),
    setFiles: (selector, files) => tab.setInputFiles(selector, files),
    press: (key) => tab.keyboard.press(key),
    // playwright passes one argument; ours are spread inside the page.
    evaluate: (fn, ...args) => /** @type {any} */ (tab.evaluate(`(${fn})(...${JSON.stringify(args)})`)),
    screenshot: (file, fullPage) => tab.screenshot({ path: file, fullPage }),
    resize: (width, height) => tab.setViewportSize({ width, height }),
    front: () => tab.bringToFront(),
    close: () => tab.close(),
  });
  tab.on("console", (line) => page.log.push(`${line.type()}: ${line.text()}`));
  tab.on("pageerror", (error) => page.log.push(`uncaught: ${error.stack ?? error.message}`));
  tab.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
  return page;
}

export async function launchFirefox() {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: executable("FANFARE_FIREFOX", "firefox-esr", "firefox"),
    headless: true,
    timeout: LAUNCH,
    protocolTimeout: LAUNCH,
    acceptInsecureCerts: true,
    extraPrefsFirefox: {
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      "media.navigator.permission.disabled": true,
      "media.navigator.streams.fake": true,
    },
  });
  return new Browser("firefox", async (options) => {
    const context = await browser.createBrowserContext();
    return {
      tab: async () => firefoxPage(options.label ?? "firefox", await context.newPage(), options),
      close: () => context.close(),
    };
  }, () => browser.close());
}

/** @param {string} name @param {import("puppeteer-core").Page} tab @param {ContextOptions} options */
async function firefoxPage(name, tab, options) {
  tab.setDefaultTimeout(GENEROUS);
  await tab.setViewport(options.viewport ?? { width: 1280, height: 800 });
  const page = new Page(name, {
    goto: (url) => tab.goto(url),
    reload: () => tab.reload(),
    click: (selector) => tab.click(selector),
    fill: (selector, text) => tab.locator(selector).fill(text),
    setFiles: async (selector, files) => {
      const input = await tab.$(selector);
      if (!input) throw new Error(`${name}: no ${selector}`);
      await /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (input).uploadFile(...files);
    },
    press: (key) => tab.keyboard.press(/** @type {any} */ (key)),
    evaluate: (fn, ...args) => /** @type {any} */ (tab).evaluate(fn, ...args),
    screenshot: (file, fullPage) => tab.screenshot({ path: /** @type {`${string}.png`} */ (file), fullPage }),
    resize: (width, height) => tab.setViewport({ width, height }),
    front: () => tab.bringToFront(),
    close: () => tab.close(),
  });
  tab.on("console", (line) => page.log.push(`${line.type()}: ${line.text()}`));
  tab.on("pageerror", (error) => page.log.push(`uncaught: ${error}`));
  tab.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
  return page;
}
