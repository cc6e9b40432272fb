// What a page's process holds in memory, as the system counts it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

/** Resident bytes of a process (Linux: proc_pid_status(5)). @param {number} pid */
export async function resident(pid) {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"));
  assert.ok(found, "the system does not tell the memory of the page");
  return Number(found[1]) * 1024;
}
