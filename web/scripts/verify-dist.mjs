// Builds the pages anew into a folder of its own and compares every byte with web/dist.
// Exit code 1, with the list of files that differ, when the committed build is not that of the sources.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const web = fileURLToPath(new URL('..', import.meta.url));

/** @param {string} folder @returns {Promise<Map<string, string>>} relative path → digest */
async function digests(folder) {
  const out = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    out.set(
      relative(folder, path),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return out;
}

const fresh = await mkdtemp(join(tmpdir(), 'fanfare-dist-'));
try {
  await build({
    configFile: join(web, 'vite.config.ts'),
    root: join(web, 'src'),
    logLevel: 'warn',
    build: { outDir: fresh, emptyOutDir: true },
  });
  const [want, got] = [await digests(fresh), await digests(join(web, 'dist'))];
  const names = [...new Set([...want.keys(), ...got.keys()])].sort();
  const differ = names.filter((name) => want.get(name) !== got.get(name));
  for (const name of differ) {
    const word = !got.has(name) ? 'missing' : !want.has(name) ? 'left over' : 'differs';
    process.stderr.write(`web/dist/${name}: ${word}\n`);
  }
  if (differ.length > 0) {
    process.stderr.write(
      'web/dist is not the build of web/src: run npm --prefix web run build and commit the result\n',
    );
    process.exitCode = 1;
  }
} finally {
  await rm(fresh, { recursive: true, force: true });
}
