// A server that somebody has taken over: it stands between pages and the real one, keeps all that pages say, and
// meddles with the envelopes that it delivers.

import { once } from "node:events";
import http from "node:http";

/** @typedef {import("node:net").Socket} Socket */

/** What becomes of envelopes to one member, in turn. "late": behind the next one, or never. */
const WAYS = /** @type {const} */ (["dropped", "twice", "as it is", "twice", "late", "altered", "as it is"]);

/** The frames of a WebSocket that have come whole, and what is in them (RFC 6455, section 5.2). */
class Frames {
  #rest = Buffer.alloc(0);

  /** @param {Buffer} more @returns {Generator<{ frame: Buffer, payload: Buffer, text: boolean }>} text: a whole message */
  *take(more) {
    this.#rest = Buffer.concat([this.#rest, more]);
    for (let one = this.#next(); one; one = this.#next()) yield one;
  }

  #next() {
    const rest = this.#rest;
    if (rest.length < 2) return undefined;
    const short = rest[1] & 127;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    const at = head + (rest[1] & 128 ? 4 : 0);
    if (rest.length < at) return undefined;
    const size = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
    if (rest.length < at + size) return undefined;
    this.#rest = rest.subarray(at + size);
    const payload = Buffer.from(rest.subarray(at, at + size));
    if (at > head) payload.forEach((byte, i) => { payload[i] = byte ^ rest[head + (i % 4)]; });
    return { frame: rest.subarray(0, at + size), payload, text: rest[0] === 0x81 };
  }
}

/** @param {string} text a message of the server's, which are never masked */
function framed(text) {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4, 0x81);
  head[1] = Math.min(126, payload.length);
  if (head.length > 2) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** The envelope with a bit in its middle flipped. @param {{ sealed: string }} deliver */
function altered(deliver) {
  const sealed = Buffer.from(deliver.sealed, "base64url");
  sealed[sealed.length >> 1] ^= 1;
  return { ...deliver, sealed: sealed.toString("base64url") };
}

export class Meddler {
  /** How often it did what. @type {Map<string, number>} */
  done = new Map();
  /** All that pages have said, and what of it was base64. @type {Buffer[]} */
  heard = [];
  #members = 0;
  /** @type {Set<Socket>} */ #sockets = new Set();

  /** @param {number} port of the real server @param {http.Server} listener */
  constructor(port, listener) {
    this.port = port;
    this.listener = listener;
    listener.on("request", (request, response) => {
      const asking = this.#ask(request, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }).on("error", () => response.destroy());
      request.pipe(asking);
    });
    listener.on("upgrade", (request, page) => {
      page.on("error", () => page.destroy());
      // What is compressed cannot be meddled with.
      delete request.headers["sec-websocket-extensions"];
      this.#ask(request, () => page.destroy()).on("error", () => page.destroy()).on("upgrade", (answer, server, head) => {
        page.write(`HTTP/1.1 101 Switching Protocols\r\n${Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
        server.unshift(head);
        this.#join(/** @type {Socket} */ (page), server, request.url === "/ws");
      }).end();
    });
  }

  /** Where pages believe that the server is. */
  get url() { return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (this.listener.address()).port}`; }

  /** Whether a page has said this, as text or bytes, plainly or in base64. @param {string | Buffer} what */
  knows(what) { return Buffer.concat(this.heard).includes(what); }

  /** @param {http.IncomingMessage} request @param {(answer: http.IncomingMessage) => void} answered */
  #ask({ url, method, headers, rawHeaders }, answered) {
    this.heard.push(Buffer.from(`${url} ${rawHeaders.join(" ")}\n`));
    return http.request({ port: this.port, host: "127.0.0.1", path: url, method, headers }, answered);
  }

  /** @param {Socket} page @param {Socket} server @param {boolean} signals or else it is a relay */
  #join(page, server, signals) {
    for (const [one, other] of [[page, server], [server, page]]) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => { this.#sockets.delete(one); other.destroy(); });
    }
    if (!signals) {
      page.pipe(server).pipe(page);
      return;
    }
    const [said, answered] = [new Frames(), new Frames()];
    page.on("data", (data) => {
      for (const { payload, text } of said.take(data)) this.#hear(payload, text);
      server.write(data);
    });
    const meddle = this.#meddling();
    server.on("data", (data) => {
      for (const { frame, payload, text } of answered.take(data)) page.write(text ? Buffer.concat(meddle(payload.toString()).map(framed)) : frame);
    });
  }

  /** @param {Buffer} payload @param {boolean} text */
  #hear(payload, text) {
    this.heard.push(payload);
    const message = text ? JSON.parse(payload.toString()) : {};
    if (message.type === "send") this.heard.push(Buffer.from(message.sealed, "base64url"));
  }

  /** What a member gets in place of each message. The first to come asks in vain; the card of the uploader arrives. */
  #meddling() {
    let turn = this.#members++;
    let late = "";
    return (/** @type {string} */ text) => {
      const message = JSON.parse(text);
      if (message.type !== "deliver") return [text];
      const way = WAYS[turn++ % WAYS.length];
      this.done.set(way, 1 + (this.done.get(way) ?? 0));
      const behind = late === "" ? [] : [late];
      late = way === "late" ? text : "";
      if (way === "dropped" || way === "late") return behind;
      if (way === "altered") return [JSON.stringify(altered(message)), ...behind];
      return way === "twice" ? [text, text, ...behind] : [text, ...behind];
    };
  }

  close() {
    for (const one of this.#sockets) one.destroy();
    this.listener.closeAllConnections();
    this.listener.close();
  }
}

/** One that ends with the test. @param {import("node:test").TestContext} t @param {import("./server.mjs").Server} server */
export async function meddler(t, server) {
  const listener = http.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const one = new Meddler(server.port, listener);
  t.after(() => one.close());
  return one;
}
