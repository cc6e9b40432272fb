// A UDP relay that plays the part of a home router: it has one port towards the server for each
// client port, and can change it, as routers do when they restart.

import dgram from "node:dgram";
import { once } from "node:events";

/** @param {"udp4" | "udp6"} family */
async function socket(family, address = "0.0.0.0") {
  const one = dgram.createSocket(family);
  one.bind(0, address);
  await once(one, "listening");
  return one;
}

export class Router {
  /** Towards the server, one a client: "address:port" → socket. @type {Map<string, dgram.Socket>} */
  outside = new Map();
  /** How many packets came from the server by the ports in use now. */
  delivered = 0;

  /** @param {dgram.Socket} inside @param {{ address: string, port: number }} server */
  constructor(inside, server) {
    this.inside = inside;
    this.server = server;
    inside.on("message", (data, from) => void this.#send(data, from));
  }

  get port() { return this.inside.address().port; }

  /** @param {Buffer} data @param {dgram.RemoteInfo} from */
  async #send(data, from) {
    const client = `${from.address}:${from.port}`;
    let out = this.outside.get(client);
    if (!out) {
      out = dgram.createSocket("udp4");
      this.outside.set(client, out); // before any wait: packets come in bursts
      const mine = out;
      out.on("message", (answer) => {
        if (this.outside.get(client) !== mine) return;
        this.delivered++;
        this.inside.send(answer, from.port, from.address);
      });
      out.on("error", () => undefined);
    }
    out.send(data, this.server.port, this.server.address);
  }

  /** From now on every client has a new port towards the server, and nothing reaches the old one. */
  newPorts() {
    const old = [...this.outside.values()];
    this.outside.clear();
    this.delivered = 0;
    for (const one of old) one.close();
  }

  close() {
    this.newPorts();
    this.inside.close();
  }
}

/**
 * @param {import("node:test").TestContext} t @param {{ address: string, port: number }} server where media go
 */
export async function router(t, server) {
  const one = new Router(await socket("udp4"), server);
  t.after(() => one.close());
  return one;
}
