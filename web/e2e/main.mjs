// All browser tests, in one process. One after the other, in the same two browsers, but for those that mostly
// wait: they are told beside each other.
// FANFARE_E2E_ONLY is a regular expression for the names of those that should run (make e2e E2E=…).

import { makeFixtures } from "./lib/fixtures.mjs";
import { tellWaiting } from "./lib/run.mjs";
import { build } from "./lib/server.mjs";

try {
  await Promise.all([makeFixtures(), build()]);
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exit(1);
}
for (const suite of ["browsers", "connection", "accessible", "watch", "late", "publish", "uploader", "return", "devices", "access", "viewer", "layers", "parity", "ways", "files", "received", "swarm", "comeback", "interrupted", "glass", "compare", "report"]) await import(`./tests/${suite}.mjs`);
// Two at a time lost a tab, and read statistics of a moment before, on a busy machine; it saves four minutes.
tellWaiting(1);
