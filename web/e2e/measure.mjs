// Measurements that need real browsers; `make prove` runs them and judges what they print. Each is a
// story: FANFARE_E2E_ONLY chooses by name.

import { makeFixtures } from "./lib/fixtures.mjs";
import { build } from "./lib/server.mjs";

await Promise.all([makeFixtures(), build()]);
for (const suite of ["pair", "lanes", "thread", "memory", "compare"]) await import(`./measure/${suite}.mjs`);
