// A home network of our own: a router between one page and the server, for pages (TCP) and media
// (UDP). It can give out new ports, as routers do when they restart, lose the end of a DTLS handshake,
// its line can be thin, or long and lossy, and it can be cut.

import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { lanAddress } from "./server.mjs";

/** @typedef {import("./server.mjs").Server} Server */

/**
 * The end of the server's side of a DTLS handshake that never came to the browser.
 * @typedef {object} LostFlight
 * @property {Buffer} bytes
 * @property {number} at  when it was lost (performance.now)
 * @property {{ at: number, same: boolean }[]} repeats  those that went through later; same: byte for byte
 */

/**
 * Whether a datagram is the last flight of a DTLS server: a ChangeCipherSpec record (20) and behind
 * it an encrypted handshake record (22, epoch 1), which is Finished (RFC 6347 sections 4.1 and 4.2.4).
 * @param {Buffer} data
 */
function isLastFlight(data) {
  if (data.length < 13 || data[0] !== 20) return false;
  const next = 13 + data.readUInt16BE(11);
  return data.length >= next + 13 && data[next] === 22 && data.readUInt16BE(next + 3) === 1;
}

/** How long what comes from the server may wait for a thin line, in ms; more is lost. */
const QUEUE = 150;

export class Network {
  /** Towards the server, one a client: "address:port" → socket. @type {Map<string, dgram.Socket>} */
  #outside = new Map();
  /** @type {Set<net.Socket>} */
  #pages = new Set();
  #up = true;
  /** bit/ms towards the clients; and until when the line is taken. */
  #rate = Number.POSITIVE_INFINITY;
  #taken = 0;
  /** A long and lossy line: ms each way; of so many media packets towards clients one is lost; payload types of which all are. */
  #far = { delay: 0, oneOf: Number.POSITIVE_INFINITY, never: /** @type {number[]} */ ([]) };
  #media = 0;
  /** What was lost of each client's handshake, once loseLastFlights was called. @type {Map<string, LostFlight> | undefined} */
  #flights;
  /** How many media packets came from the server by the ports in use now. */
  delivered = 0;
  /** How many reports (RTCP) clients have sent by them. */
  reports = 0;

  /** @param {Server} server @param {net.Server} tcp @param {dgram.Socket} udp */
  constructor(server, tcp, udp) {
    this.server = server;
    this.tcp = tcp;
    this.udp = udp;
    // Firefox pairs no loopback candidate, see lanAddress.
    this.address = lanAddress();
    tcp.on("connection", (page) => this.#connect(page));
    udp.on("message", (data, from) => this.#send(data, from));
  }

  /** The server as it is reached through this network. */
  get url() { return `http://127.0.0.1:${/** @type {net.AddressInfo} */ (this.tcp.address()).port}`; }

  /** The one media candidate of whoever is behind this network. */
  get candidate() { return { address: this.address, port: this.udp.address().port }; }

  /** @param {net.Socket} page */
  #connect(page) {
    if (!this.#up) return void page.destroy();
    const server = net.connect(this.server.port, "127.0.0.1");
    for (const [one, other] of [[page, server], [server, page]]) {
      this.#pages.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => { this.#pages.delete(one); other.destroy(); });
      one.pipe(other);
    }
  }

  /** @param {Buffer} data @param {dgram.RemoteInfo} from */
  #send(data, from) {
    if (!this.#up) return;
    if (data[0] >= 128 && data[0] < 192) this.reports++; // RFC 7983
    const client = `${from.address}:${from.port}`;
    let out = this.#outside.get(client);
    if (!out) {
      const mine = out = dgram.createSocket("udp4");
      this.#outside.set(client, mine);
      mine.on("message", (answer) => {
        if (!this.#up || this.#outside.get(client) !== mine) return;
        if (this.#loses(client, answer)) return;
        this.#deliver(answer, from);
      });
      mine.on("error", () => undefined); // the server is being restarted
    }
    const to = out;
    if (this.#far.delay === 0) to.send(data, this.server.port, this.address);
    else setTimeout(() => { if (this.#up && this.#outside.get(client) === to) to.send(data, this.server.port, this.address); }, this.#far.delay);
  }

  /**
   * The line is long and loses packets of media from now on.
   * @param {{ delay: number, oneOf: number, never: number[] }} far ms each way; of so many media packets towards clients
   *   one is lost; and all of these payload types
   */
  stretch(far) { this.#far = far; }

  /** @param {Buffer} data whether a packet towards a client is lost on a lossy line */
  #lost(data) {
    if (data.length < 12 || data[0] < 128 || data[0] >= 192 || (data[1] >= 192 && data[1] < 224)) return false; // RTCP: RFC 5761
    return this.#far.never.includes(data[1] & 127) || ++this.#media % this.#far.oneOf === 0;
  }

  /** So much goes through towards the clients from now on; none: everything. @param {number} [kbit] in kbit/s */
  limit(kbit = Number.POSITIVE_INFINITY) { this.#rate = kbit; }

  /** @param {Buffer} data @param {dgram.RemoteInfo} to */
  #deliver(data, to) {
    if (this.#lost(data)) return;
    const now = performance.now();
    this.#taken = Math.max(this.#taken, now);
    if (this.#taken - now > QUEUE) return;
    this.#taken += (data.length * 8) / this.#rate;
    const send = () => {
      if (!this.#up) return;
      this.delivered++;
      this.udp.send(data, to.port, to.address);
    };
    const wait = this.#taken - now + this.#far.delay;
    if (wait < 1) send();
    else setTimeout(send, wait);
  }

  /** From now on the server's last DTLS flight is lost, once for every client. */
  loseLastFlights() { this.#flights ??= new Map(); }

  /** The last flights that were lost. */
  get lostFlights() { return [...(this.#flights?.values() ?? [])]; }

  /** @param {string} client @param {Buffer} answer */
  #loses(client, answer) {
    if (!this.#flights || !isLastFlight(answer)) return false;
    const lost = this.#flights.get(client);
    if (!lost) {
      this.#flights.set(client, { bytes: answer, at: performance.now(), repeats: [] });
      return true;
    }
    lost.repeats.push({ at: performance.now(), same: lost.bytes.equals(answer) });
    return false;
  }

  /** From now on every client has a new port towards the server, and nothing reaches the old one. */
  newPorts() {
    const old = [...this.#outside.values()];
    this.#outside.clear();
    this.delivered = this.reports = 0;
    for (const one of old) one.close();
  }

  /** Nothing goes through, in either direction. */
  cut() {
    this.#up = false;
    for (const page of this.#pages) page.destroy();
  }

  restore() { this.#up = true; }

  close() {
    this.cut();
    this.newPorts();
    this.tcp.close();
    this.udp.close();
  }
}

/**
 * A network that ends with the test.
 * @param {import("node:test").TestContext} t @param {Server} server
 */
export async function network(t, server) {
  const tcp = net.createServer().listen(0, "127.0.0.1");
  const udp = dgram.createSocket("udp4").bind(0);
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
  const one = new Network(server, tcp, udp);
  t.after(() => one.close());
  return one;
}
