import { defineConfig } from 'vitest/config';

const page = (name: string): string => new URL(`./src/${name}.html`, import.meta.url).pathname;

// The build must give the same bytes everywhere: no time, path or host name goes into it, and
// the versions of all tools are pinned. web/dist is committed, so that Go alone is enough to run.
export default defineConfig({
  root: 'src',
  base: '/',
  publicDir: '../public',
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: ['chrome110', 'firefox115', 'safari16.4'],
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: true,
    // The polyfill would be an extra script for browsers that we do not serve.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        home: page('home'),
        studio: page('studio'),
        send: page('send'),
        receive: page('receive'),
        watch: page('watch'),
        compare: page('compare'),
        notfound: page('notfound'),
        'files-worker': new URL('./src/receive/files-worker.ts', import.meta.url).pathname,
      },
      output: {
        // Whoever signals has an identifier: it goes along, since a file of its own weighs more than what is in it.
        codeSplitting: { groups: [{ name: 'client', test: /\/signal\/(client|viewer-id)\.ts$/ }] },
        // A service worker is asked for by the same name for ever.
        entryFileNames: (chunk) => (chunk.name === 'files-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  worker: { format: 'es' },
  test: {
    root: '.',
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
    environment: 'node',
    // The tests are of values: no module keeps anything between them, and what a test stubs it puts back.
    // To load every module anew for every file took two thirds of the time.
    pool: 'threads',
    isolate: false,
  },
});
