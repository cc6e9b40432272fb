// The owner of a stream by /ws without the studio: what any program with the key can ask for.

/** @typedef {import("./browsers.mjs").Browser} Browser */
/** @typedef {import("./server.mjs").Server} Server */

import { KEY } from "./server.mjs";

/** In the page: greets the server as the owner and keeps all it says. @param {string} name @param {string} token */
function greetInPage(name, token) {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  /** @type {any[]} */ const heard = [];
  Object.assign(globalThis, { heard, say: (/** @type {object} */ message) => socket.send(JSON.stringify(message)) });
  socket.onmessage = (event) => heard.push(JSON.parse(event.data));
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", version: 1, room: { kind: "stream", name }, role: "publisher", token }));
}

export class Owner {
  /** @param {import("./browsers.mjs").Page} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {Browser} browser @param {Server} server @param {string} stream */
  static async of(browser, server, stream) {
    const owner = new Owner(await browser.open(`${server.url}/healthz`, { label: "owner" }));
    await owner.page.evaluate(greetInPage, stream, KEY);
    await owner.hears("welcome");
    return owner;
  }

  /** Waits for a message of that type, and answers the latest. @param {string} type @returns {Promise<any>} */
  hears(type) {
    return this.page.waitFor(`the server says ${type}`, (t) => /** @type {any} */ (globalThis).heard.findLast((/** @type {any} */ m) => m.type === t), type);
  }

  /** @param {{ type: string, [member: string]: unknown }} message */
  say(message) {
    return this.page.evaluate((m) => /** @type {any} */ (globalThis).say(m), message);
  }
}
