// A real server, started as a person would: the built program, a data folder of its own, one port.

import { execFile, spawn } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { OUT } from "./browsers.mjs";
import { until } from "./poll.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const program = path.join(OUT, process.platform === "win32" ? "fanfare.exe" : "fanfare");

/** The publish key of every server here. */
export const KEY = "fanpub_browser-tests-use-this-key-01";

/** @type {Promise<string> | undefined} */
let built;

/** Builds the program once a run, unless FANFARE_PROGRAM names one; answers its path. */
export function build() {
  built ??= (async () => {
    if (process.env.FANFARE_PROGRAM) return process.env.FANFARE_PROGRAM;
    await mkdir(OUT, { recursive: true });
    await promisify(execFile)("go", ["build", "-o", program, "./cmd/fanfare"], { cwd: root });
    return program;
  })();
  return built;
}

/**
 * This machine's first address that is not loopback. Firefox sends no check to a lone loopback
 * candidate (it pairs it with no local address), so media must be reachable here.
 * @param {"IPv4" | "IPv6"} family
 */
export function lanAddress(family = "IPv4") {
  const all = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  const found = all.find((a) => a.family === family && !a.internal && !a.address.startsWith("fe80"));
  if (!found) throw new Error(`this machine has no ${family} address besides loopback; Firefox needs one`);
  return found.address;
}

/** A port that is free for TCP and for UDP. @returns {Promise<number>} */
export async function freePort() {
  for (;;) {
    const tcp = net.createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = /** @type {net.AddressInfo} */ (tcp.address());
    const udp = dgram.createSocket("udp4");
    const free = await new Promise((done) => {
      udp.once("error", () => done(false));
      udp.bind(port, () => done(true));
    });
    tcp.close();
    udp.close();
    if (free) return port;
  }
}

export class Server {
  /** What it has written, for failures. */
  log = "";
  /** @type {import("node:child_process").ChildProcess | undefined} */ process;

  /** @param {number} port @param {string} data @param {string[]} flags */
  constructor(port, data, flags) {
    this.port = port;
    this.data = data;
    this.flags = flags;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** The address that opens the studio already authorised, as the first start prints it. */
  get studio() { return `${this.url}/studio#key=${KEY}`; }

  /** @param {string} stream */
  watch(stream) { return `${this.url}/w/${stream}`; }

  /** Starts it, again too: the same port, the same data. */
  async start() {
    const child = spawn(await build(), ["serve", "--listen", `127.0.0.1:${this.port}`, "--udp", `:${this.port}`, "--data", this.data, ...this.flags], {
      env: { ...process.env, FANFARE_PUBLISH_KEY: KEY },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => { this.log += text; });
    await until(`the server answers at ${this.url}/readyz`, async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.log}`);
      return (await fetch(`${this.url}/readyz`)).ok;
    });
  }

  /** @param {NodeJS.Signals} [signal] SIGTERM: in good order; SIGKILL: a crash */
  async stop(signal = "SIGTERM") {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** The server's own figures. @param {string} name of a metric @returns {Promise<number>} the sum over its labels */
  async metric(name) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(name) && /[ {]/.test(line[name.length] ?? ""));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }
}

/**
 * A running server that ends with the test.
 * @param {import("node:test").TestContext} t @param {...string} flags
 */
export async function serve(t, ...flags) {
  const data = await mkdtemp(path.join(os.tmpdir(), "fanfare-e2e-"));
  const server = new Server(await freePort(), data, flags);
  t.after(async () => {
    await server.stop();
    await rm(data, { recursive: true, force: true });
    if (process.env.FANFARE_E2E_LOGS) console.log(server.log);
  });
  await server.start();
  return server;
}
