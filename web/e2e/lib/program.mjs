// The program's own clients, as a person would start them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fixture } from "./fixtures.mjs";
import { build, KEY } from "./server.mjs";

/**
 * `fanfare publish` with a clip in a loop, until the test ends.
 * @param {import("node:test").TestContext} t @param {import("./server.mjs").Server} server
 * @param {string} stream @param {keyof typeof import("./fixtures.mjs").clips} clip
 */
export async function publishClip(t, server, stream, clip) {
  const child = spawn(await build(), ["publish", fixture(clip), "--to", server.url, "--stream", stream, "--loop"], {
    env: { ...process.env, FANFARE_KEY: KEY },
    stdio: "ignore",
  });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  });
}
