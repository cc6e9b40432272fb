// Files from person to person: the sending page, the receiving page, and the commands beside them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { until } from "./poll.mjs";
import { build, KEY } from "./server.mjs";
import { id } from "./studio.mjs";

/** @typedef {import("./browsers.mjs").Browser} Browser */
/** @typedef {import("./browsers.mjs").Page} Page */
/** @typedef {import("./server.mjs").Server} Server */

/** @param {Buffer} bytes */
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A folder that goes with the test. @param {import("node:test").TestContext} t */
export async function scratch(t) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "fanfare-files-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A file of bytes by chance. @param {string} folder @param {string} name @param {number} size */
export async function randomFile(folder, name, size) {
  const bytes = randomBytes(size);
  const file = path.join(folder, name);
  await writeFile(file, bytes, { flush: true }); // or the first flush of whoever receives it waits for this as well
  return { file, name, sum: sha256(bytes) };
}

/** The check words that a page shows. @param {Page} page */
async function checkWords(page) {
  await page.see(id("check-words"));
  return (await page.text(id("check-words")))?.trim() ?? "";
}

/** The person who sends. */
export class Sender {
  /** @param {Page} page */
  constructor(page) { this.page = page; }

  /** The check words of the only receiver. */
  words() { return checkWords(this.page); }

  /** Opens the page with the server's key. @param {Browser} browser @param {Pick<Server, "url">} server @param {import("./browsers.mjs").Options} [options] */
  static async open(browser, server, options) {
    return new Sender(await browser.open(`${server.url}/f#key=${KEY}`, { label: "sender", ...options }));
  }

  /** Shares files, or a folder, and answers the link once it works. @param {string[]} files @param {string} [input] */
  async share(files, input = "file-input") {
    await this.page.setFiles(id(input), ...files);
    await this.is("open");
    return this.link();
  }

  /** @param {string} phase */
  is(phase) {
    return this.page.waitFor(`it is ${phase}`, (s, p) => document.querySelector(s)?.getAttribute("data-phase") === p, id("state"), phase);
  }

  link() {
    return this.page.evaluate((s) => /** @type {HTMLInputElement} */ (document.querySelector(s)).value, id("link"));
  }

  /** The short code, once there is one. */
  async code() {
    await this.page.says(id("code"), /\d+(-[a-z]+){3}/);
    return (await this.page.text(id("code")))?.trim() ?? "";
  }

  /** Unfolds the rules. */
  rules() {
    return this.page.evaluate((s) => { /** @type {HTMLDetailsElement} */ (document.querySelector(s)).open = true; }, id("rules"));
  }

  /** Sends at most so many MiB a second; 0 for no limit. @param {number} rate */
  limit(rate) { return this.rule("rate", rate); }

  /** Lets so many receive; 0 for no limit. @param {number} receivers */
  atMost(receivers) { return this.rule("most", receivers); }

  /** @param {string} name @param {number} number 0 for none */
  async rule(name, number) {
    await this.rules();
    await this.page.evaluate((s, value) => {
      const input = /** @type {HTMLInputElement} */ (document.querySelector(s));
      input.value = value;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }, id(name), number === 0 ? "" : String(number));
  }

  /** Bytes of files that went out from the page. @returns {Promise<number>} */
  sent() {
    return this.page.evaluate((s) => Number(document.querySelector(s)?.getAttribute("data-sent")), id("receivers"));
  }

  /** Waits until so many receivers have everything. @param {number} count */
  complete(count) {
    return this.page.waitFor(`${count} have everything`, (s, n) => document.querySelectorAll(`${s}[data-phase="complete"]`).length === n, id("receiver"), count);
  }
}

/** A person who receives. */
export class Taker {
  /** @param {Page} page */
  constructor(page) { this.page = page; }

  words() { return checkWords(this.page); }

  /** @param {Browser} browser @param {string} link @param {import("./browsers.mjs").Options} [options] */
  static async open(browser, link, options) {
    return new Taker(await browser.open(link, { label: "receiver", ...options }));
  }

  /** @param {string} phase */
  async is(phase) {
    try {
      await this.page.waitFor(`it is ${phase}`, (s, p) => document.querySelector(s)?.getAttribute("data-phase") === p, id("state"), phase);
    } catch (error) {
      throw new Error(`${/** @type {Error} */ (error).message}; the page says ${JSON.stringify(await this.page.text(id("state")))}`);
    }
  }

  /** Sees what there is, and wants it. */
  async accept() {
    await this.is("offered");
    await this.page.click(id("get"));
  }

  /** Bytes that are here and verified. @returns {Promise<number>} */
  held() {
    return this.page.evaluate((s) => Number(document.querySelector(s)?.getAttribute("data-held")), id("progress"));
  }

  /** Waits until more than so many bytes are here. @param {number} bytes */
  holds(bytes) {
    return until(`more than ${bytes} bytes are here`, async () => (await this.held()) > bytes, { every: 20 });
  }

  /** The SHA-256 of what each save button gives, by the name of the file. @returns {Promise<Record<string, string>>} */
  async saved() {
    await this.is("done");
    return this.page.evaluate(savedInPage);
  }

  /** The SHA-256 of what saving into a folder puts there, by path. @returns {Promise<Record<string, string>>} */
  written() { return this.page.evaluate(writtenInPage); }
}

/**
 * In the page: saves into a folder, which is one of the page's private file system in place of one of
 * the person's, whose dialog no test can reach; hashes what then lies in it.
 */
async function writtenInPage() {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("chosen", { create: true });
  Object.assign(window, { showDirectoryPicker: async () => root });
  const button = /** @type {HTMLButtonElement} */ (document.querySelector("[data-testid=save-folder]"));
  button.click();
  await new Promise((done) => {
    const look = () => (button.parentElement?.textContent?.includes("Saved.") ? done(undefined) : setTimeout(look, 50));
    look();
  });
  /** @type {Record<string, string>} */ const sums = {};
  /** @param {any} folder @param {string} before */
  const walk = async (folder, before) => {
    for await (const [name, one] of folder.entries()) {
      if (one.kind === "directory") await walk(one, `${before}${name}/`);
      else {
        const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await (await one.getFile()).arrayBuffer()));
        sums[before + name] = [...sum].map((b) => b.toString(16).padStart(2, "0")).join("");
      }
    }
  };
  await walk(root, "");
  return sums;
}

/** In the page: presses every save button of the list and hashes what would land on the disk. */
async function savedInPage() {
  /** @type {Blob[]} */ const blobs = [];
  const make = URL.createObjectURL;
  URL.createObjectURL = (blob) => { blobs.push(/** @type {Blob} */ (blob)); return make.call(URL, blob); };
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () { /* the browser's own part is not what is tested */ };
  /** @type {Record<string, string>} */ const sums = {};
  for (const row of document.querySelectorAll("[data-testid=file]")) {
    const button = row.querySelector("button");
    if (!button) continue;
    button.click();
    const blob = blobs.pop();
    if (!blob) continue;
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    sums[row.getAttribute("data-path") ?? ""] = [...sum].map((b) => b.toString(16).padStart(2, "0")).join("");
  }
  URL.createObjectURL = make;
  HTMLAnchorElement.prototype.click = click;
  return sums;
}

/** Runs the program beside the browsers. */
export class Program {
  out = "";
  /** @type {number | null | undefined} */ code;

  /** @param {import("node:child_process").ChildProcess} child */
  constructor(child) { this.child = child; }

  /** @param {import("node:test").TestContext} t @param {string[]} args @param {string} home where it keeps what it has to keep */
  static async start(t, args, home) {
    const child = spawn(await build(), args, {
      env: { ...process.env, FANFARE_PUBLISH_KEY: KEY, XDG_CACHE_HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home, HOME: home },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const one = new Program(child);
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => { one.out += text; });
    child.on("exit", (code) => { one.code = code; });
    t.after(() => { if (one.code === undefined) child.kill("SIGKILL"); });
    return one;
  }

  /** Waits until it has written the words, and answers the match. @param {RegExp} words @returns {Promise<RegExpExecArray>} */
  async writes(words) {
    return until(`the program writes ${words}`, () => {
      const found = words.exec(this.out);
      if (!found && this.code !== undefined) throw new Error(`it has ended with ${this.code}: ${this.out}`);
      return /** @type {RegExpExecArray} */ (found);
    });
  }

  /** Ends it, as Ctrl-C does. */
  async stop() {
    this.child.kill("SIGINT");
    await until("the program ends", () => this.code !== undefined);
  }

  /** Waits for the end, which must be a good one. */
  async ends() {
    await until("the program ends", () => this.code !== undefined);
    assert.equal(this.code, 0, this.out);
  }
}

/** @param {string} file */
export const sumOf = async (file) => sha256(await readFile(file));
