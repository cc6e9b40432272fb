// Whether a second peer connection between two pages raises the rate: on loopback, and over a long
// line that loses a packet now and then.

import dgram from "node:dgram";
import { once } from "node:events";
import { browser, story } from "../lib/run.mjs";
import { lanAddress, serve } from "../lib/server.mjs";
import { LITTLE, median, raw } from "./raw.mjs";

const MB = 1024 * 1024;
const TURNS = Number(process.env.FANFARE_E2E_LANES_TURNS ?? 3);

story("measure: one peer connection and two between two Chromium pages", async (t) => {
  const server = await serve(t);
  const chromium = await browser("chromium");
  for (const [name, size, delay, loss] of /** @type {const} */ ([["loopback", 128 * MB, 0, 0], ["100 ms", 16 * MB, 50, 0], ["100 ms and a loss of 0.1 %", 4 * MB, 50, 0.001]])) {
    for (const connections of [1, 2]) {
      const rates = [];
      for (let turn = 0; turn < TURNS; turn++) {
        const line = new Line(delay, loss);
        const two = [await chromium.open(`${server.url}/f`), await chromium.open(`${server.url}/f`)];
        rates.push(await raw(two, size, connections, LITTLE, delay > 0 ? (sdp, i, side) => line.through(sdp, i, side) : undefined));
        for (const page of two) await page.close();
        line.close();
      }
      t.diagnostic(`figure: MiB a second over ${connections} of ${name} = ${median(rates).toFixed(2)}`);
    }
  }
}, { timeout: 900_000 });

/** A line with a delay and a loss each way, in the way of connections whose descriptions go through it. */
class Line {
  /** @type {dgram.Socket[]} */ sockets = [];
  /** By the number of the connection: the ends of its two sides. @type {{ offer: End, answer: End }[]} */ ends = [];

  /** @param {number} delay in ms each way @param {number} loss a share */
  constructor(delay, loss) {
    this.delay = delay;
    this.loss = loss;
  }

  /** The description with the line's own address in place of its side's. @param {string} sdp @param {number} i @param {"offer" | "answer"} side */
  async through(sdp, i, side) {
    this.ends[i] ??= await this.open();
    const ends = /** @type {{ offer: End, answer: End }} */ (this.ends[i]);
    const candidates = /^a=candidate:(.*)\r?\n/gm;
    const own = [...sdp.matchAll(candidates)].map((m) => (m[1] ?? "").split(" ")).find((words) => words[2] === "udp" && words[4] === lanAddress());
    if (!own) throw new Error(`no candidate of ${lanAddress()} in ${sdp}`);
    ends[side].to = { address: own[4] ?? "", port: Number(own[5]) };
    // Whoever reads this description reaches its side by the socket that faces the reader.
    const other = ends[side === "offer" ? "answer" : "offer"];
    own.splice(5, 1, String(other.socket.address().port));
    return `${sdp.replace(candidates, "")}a=candidate:${own.join(" ")}\r\na=end-of-candidates\r\n`;
  }

  async open() {
    const [offer, answer] = [await this.end(), await this.end()];
    this.join(offer, answer);
    this.join(answer, offer);
    return { offer, answer };
  }

  /** @returns {Promise<End>} */
  async end() {
    const socket = dgram.createSocket({ type: "udp4", recvBufferSize: 8 * MB, sendBufferSize: 8 * MB });
    this.sockets.push(socket);
    socket.bind(0, lanAddress());
    await once(socket, "listening");
    return { socket, to: undefined };
  }

  /** What one side sends goes out by the other's socket. @param {End} from @param {End} to */
  join(from, to) {
    from.socket.on("message", (packet) => {
      if (Math.random() < this.loss) return;
      setTimeout(() => { if (to.to && this.sockets.length > 0) to.socket.send(packet, to.to.port, to.to.address); }, this.delay);
    });
  }

  close() {
    for (const socket of this.sockets.splice(0)) socket.close();
  }
}

/** @typedef {{ socket: dgram.Socket, to: { address: string, port: number } | undefined }} End */
