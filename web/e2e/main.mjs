// All browser tests, in one process, one after the other: they share two browsers and the machine.
// `npm test -- --test-name-pattern=…` does not reach here; set FANFARE_E2E_ONLY to a regular
// expression to run some of them.

import { makeFixtures } from "./lib/fixtures.mjs";

await makeFixtures();
await import("./tests/browsers.mjs");
