// Measurements that need real browsers; `make prove` runs them and judges what they print. Each is a
// story: FANFARE_E2E_ONLY chooses by name.

import { build } from "./lib/server.mjs";

await build();
for (const suite of ["pair", "lanes", "memory"]) await import(`./measure/${suite}.mjs`);
