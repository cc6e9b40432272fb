// Runs the browser tests under a deadline, and ends every process that they started, by its id.
//
//   node run.mjs [main.mjs | screenshots.mjs | measure.mjs]
//
// A driver that hangs, or is killed, leaves its browsers behind. All that a run starts inherits
// a mark in its environment; what still carries the mark at the end is ended.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";

// A measurement moves gigabytes. All stories take some 25 minutes on two cores; this ends drivers that hang.
const MINUTES = process.argv[2] === "measure.mjs" ? 60 : 45;
const mark = `FANFARE_E2E_RUN=${randomUUID()}`;
const script = new URL(process.argv[2] ?? "main.mjs", import.meta.url).pathname;

// What an earlier run kept of its failures is of no use any more.
await rm(new URL("out/", import.meta.url), { recursive: true, force: true });

const [name, value] = mark.split("=");
const child = spawn("timeout", ["-k", "10", `${MINUTES}m`, process.execPath, "--test-reporter=spec", script], {
  stdio: "inherit",
  env: { ...process.env, [name]: value },
});
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => child.kill(signal));

child.on("exit", async (code, signal) => {
  await sweep();
  if (code === 124 || code === 137) console.error(`the browser tests did not end within ${MINUTES} minutes`);
  process.exit(code ?? (signal ? 1 : 0));
});

/** Ends what still carries the mark. Only Linux shows environments; elsewhere the drivers' own clean-up must do. */
async function sweep() {
  const ids = (await readdir("/proc").catch(() => [])).filter((id) => /^\d+$/.test(id));
  for (const id of ids) {
    const environment = await readFile(`/proc/${id}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(mark)) continue;
    try {
      process.kill(Number(id), "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}
