// The studio, as the person who uploads uses it.

import { fixture } from "./fixtures.mjs";
import { until } from "./poll.mjs";

/** @typedef {import("./browsers.mjs").Browser} Browser */
/** @typedef {import("./browsers.mjs").Page} Page */
/** @typedef {import("./server.mjs").Server} Server */
/** @typedef {Parameters<typeof fixture>[0]} ClipName */

/** The selector of a name that the page promises to keep. @param {string} name */
export const id = (name) => `[data-testid="${name}"]`;

export const PREVIEW = id("preview");

export class Studio {
  /** @param {Page} page @param {Server} server */
  constructor(page, server) {
    this.page = page;
    this.server = server;
  }

  /** Opens the address that the first start prints. @param {Browser} browser @param {Server} server */
  static async open(browser, server) {
    return new Studio(await browser.open(server.studio, { label: "studio" }), server);
  }

  /** Adds files to the list. @param {...ClipName} names */
  async choose(...names) {
    await this.page.setFiles(id("file-input"), ...names.map(fixture));
  }

  /** Presses "Go live" and answers the stream's name once it is. */
  async goLive() {
    await this.page.click(id("go-live"));
    await this.is("live");
    return this.name();
  }

  /** Waits for a state: "live", "paused", "reconnecting" … @param {string} state */
  async is(state) {
    /** @type {string | null} */ let seen = null;
    try {
      await until(`the studio is ${state}`, async () => {
        seen = await this.page.evaluate((s) => document.querySelector(s)?.getAttribute("data-state") ?? null, id("state"));
        return seen === state;
      });
    } catch (error) {
      throw new Error(`${/** @type {Error} */ (error).message}; it is ${seen}: ${await this.page.text(id("state"))} ${await this.page.text(id("notice"))}`);
    }
  }

  /** From now on the page notes each state that it shows. */
  noteStates() {
    return this.page.evaluate((s) => {
      const element = /** @type {Element} */ (document.querySelector(s));
      /** @type {(string | null)[]} */ const noted = [];
      Object.assign(globalThis, { noted });
      new MutationObserver(() => noted.push(element.getAttribute("data-state"))).observe(element, { attributeFilter: ["data-state"] });
    }, id("state"));
  }

  /** @returns {Promise<string[]>} */
  statesNoted() { return this.page.evaluate(() => /** @type {any} */ (globalThis).noted); }

  /**
   * Adds files by the browser's own dialog, which gives handles: the files lie in the origin's private
   * file system, and the dialog hands them over without asking.
   * @param {...ClipName} names
   */
  async pick(...names) {
    await this.page.evaluate(() => document.body.append(Object.assign(document.createElement("input"), { type: "file", multiple: true, id: "copied" })));
    await this.page.setFiles("#copied", ...names.map(fixture));
    await this.page.evaluate(async () => {
      const input = /** @type {HTMLInputElement} */ (document.querySelector("#copied"));
      const folder = await navigator.storage.getDirectory();
      const handles = await Promise.all([...(input.files ?? [])].map(async (file) => {
        const handle = await folder.getFileHandle(file.name, { create: true });
        if ((await handle.getFile()).size === 0) await file.stream().pipeTo(await handle.createWritable());
        return handle;
      }));
      input.remove();
      Object.assign(globalThis, { showOpenFilePicker: async () => handles });
    });
    await this.page.click(id("choose-files"));
    await this.page.see(id("queue"));
  }

  /** Drops a file on the page. @param {ClipName} name */
  async drop(name) {
    await this.page.evaluate(() => document.body.append(Object.assign(document.createElement("input"), { type: "file", id: "dropped" })));
    await this.page.setFiles("#dropped", fixture(name));
    await this.page.evaluate(() => {
      const input = /** @type {HTMLInputElement} */ (document.querySelector("#dropped"));
      const dataTransfer = new DataTransfer();
      for (const file of input.files ?? []) dataTransfer.items.add(file);
      input.remove();
      window.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
    });
  }

  /** The stream's name, from the link that is shown. */
  async name() {
    const link = await this.page.waitFor("a link is shown", (s) => /** @type {HTMLInputElement | null} */ (document.querySelector(s))?.value, id("link"));
    return /** @type {string} */ (link).split("/w/")[1];
  }

  /** Where the link leads, on this machine. */
  async link() { return this.server.watch(await this.name()); }

  /** Moves in the file, as a person who drags the slider and lets go. @param {number} seconds */
  async seek(seconds) {
    await this.page.see(id("seek"));
    await this.page.evaluate((s, to) => {
      const slider = /** @type {HTMLInputElement} */ (document.querySelector(s));
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(slider, String(to));
      for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
    }, id("seek"), seconds);
  }

  /** The files of the list: name, whether it is on, and whether it was refused. */
  list() {
    return this.page.evaluate((s) => [...document.querySelectorAll(s)].map((item) => ({
      name: item.getAttribute("data-name"),
      on: item.getAttribute("aria-current") === "true",
      refused: item.getAttribute("data-refused") === "true",
      text: item.textContent ?? "",
    })), id("queue-item"));
  }
}

/**
 * Three viewers of a stream in both browsers at once: two in the one, one in the other.
 * @param {Browser} two @param {Browser} one @param {string} link
 */
export async function threeViewers(two, one, link) {
  const pages = [];
  for (const [i, browser] of [two, two, one].entries()) pages.push(await browser.open(link, { label: `viewer ${i + 1}` }));
  return pages;
}
