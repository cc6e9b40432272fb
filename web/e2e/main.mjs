// All browser tests, in one process, one after the other in the same two browsers: two at a time lose tabs and
// read statistics of a moment before, on a busy machine.
// FANFARE_E2E_ONLY is a regular expression for the names of those that should run (make e2e E2E=…).

import { makeFixtures } from "./lib/fixtures.mjs";
import { build } from "./lib/server.mjs";

try {
  await Promise.all([makeFixtures(), build()]);
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exit(1);
}
for (const suite of ["browsers", "connection", "accessible", "watch", "late", "publish", "uploader", "return", "devices", "access", "viewer", "layers", "parity", "ways", "files", "received", "swarm", "comeback", "interrupted", "glass", "compare", "report"]) await import(`./tests/${suite}.mjs`);
