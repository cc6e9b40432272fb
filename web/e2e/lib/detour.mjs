// A way from one page to its peers that leads through sockets of the test, so that it can die while
// another is there, as when a person walks out of the reach of one network into another's.

import dgram from "node:dgram";
import { once } from "node:events";
import { lanAddress } from "./server.mjs";

/** @typedef {import("./browsers.mjs").Page} Page */

/** Answers the port of a way to that address. @typedef {(address: string, port: number) => Promise<number>} WayTo */

/**
 * In the page, before its own scripts: it reaches peers by the detour alone, whose sockets are at the
 * same address, and is not reached by another way, since it tells no address of its own.
 * @param {string} address of this machine
 */
function takeDetourInPage(address) {
  const add = /** @type {(candidate?: RTCIceCandidateInit | null) => Promise<void>} */ (RTCPeerConnection.prototype.addIceCandidate);
  RTCPeerConnection.prototype.addIceCandidate = async function (candidate) {
    const words = (candidate?.candidate ?? "").split(" ");
    if (words[2]?.toLowerCase() !== "udp" || words[4] !== address) return;
    const { wayTo } = /** @type {{ wayTo: WayTo }} */ (/** @type {unknown} */ (globalThis));
    words.splice(5, 1, String(await wayTo(address, Number(words[5]))));
    await add.call(this, { ...candidate, candidate: words.join(" ") });
  };
  const listen = RTCPeerConnection.prototype.addEventListener;
  RTCPeerConnection.prototype.addEventListener = /** @this {RTCPeerConnection} */ function (/** @type {string} */ type, /** @type {any} */ heard) {
    if (type !== "icecandidate") listen.call(this, type, heard);
  };
}

export class Detour {
  /** Bytes that came to the page by the ways that are there now. */
  carried = 0;
  /** @type {dgram.Socket[]} */ #sockets = [];
  /** Which ways carry: those that were made since the last change. */
  #generation = 0;

  /** @param {number} delay in ms, each way */
  constructor(delay) { this.delay = delay; }

  /** @param {Page} page before its first address is opened */
  async begin(page) {
    await page.tab.exposeFunction("wayTo", (/** @type {string} */ address, /** @type {number} */ port) => this.#open(address, port));
    await page.tab.evaluateOnNewDocument(takeDetourInPage, lanAddress());
  }

  /** All ways are dead from now on, without a word. Whoever looks for another finds one. */
  change() {
    this.#generation++;
    this.carried = 0;
  }

  /** @param {string} address @param {number} port */
  async #open(address, port) {
    const mine = this.#generation;
    const near = await this.#socket();
    /** Towards the peer, one for each socket of the page. @type {Map<number, Promise<dgram.Socket>>} */
    const far = new Map();
    near.on("message", async (data, from) => {
      let out = far.get(from.port);
      if (!out) {
        out = this.#socket();
        far.set(from.port, out);
        (await out).on("message", (answer) => {
          this.#later(mine, () => {
            this.carried += answer.length;
            near.send(answer, from.port, from.address);
          });
        });
      }
      const socket = await out;
      this.#later(mine, () => socket.send(data, port, address));
    });
    return near.address().port;
  }

  /** Carries something, if the way is there by then. @param {number} generation @param {() => void} carry */
  #later(generation, carry) {
    const act = () => { if (generation === this.#generation) carry(); };
    if (this.delay > 0) setTimeout(act, this.delay);
    else act();
  }

  async #socket() {
    const socket = dgram.createSocket({ type: "udp4", recvBufferSize: 4 << 20 }).bind(0, lanAddress());
    this.#sockets.push(socket);
    await once(socket, "listening");
    return socket;
  }

  close() {
    this.#generation++;
    for (const socket of this.#sockets.splice(0)) socket.close();
  }
}

/** A detour that ends with the test. @param {import("node:test").TestContext} t @param {number} [delay] in ms, each way */
export function detour(t, delay = 0) {
  const one = new Detour(delay);
  t.after(() => one.close());
  return one;
}
