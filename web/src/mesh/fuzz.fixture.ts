// How long tests by chance go on. Here a few rounds, the same in every run; `npm run fuzz` takes
// FANFARE_FUZZ=5000x rounds or FANFARE_FUZZ=10m each, by another chance every time.

import { env } from 'node:process';

const USUAL = '400x';
const asked = env.FANFARE_FUZZ ?? USUAL;
const [, number = '', unit] = /^(\d+)(x|s|m)$/u.exec(asked) ?? [];
if (!unit) throw new Error(`FANFARE_FUZZ=${asked} is neither like 5000x nor like 30s or 10m`);

export const hunting = env.FANFARE_FUZZ !== undefined;
export const seed = hunting ? Date.now() : 1;
export const rounds = unit === 'x' ? Number(number) : Number.POSITIVE_INFINITY;
/** In ms, of the clock as it is: a test may have another. */
export const span =
  unit === 's' ? 1_000 * Number(number) : unit === 'm' ? 60_000 * Number(number) : Number.POSITIVE_INFINITY;
export const clock = performance.now.bind(performance);
/** However many rounds were asked for (ms). */
export const WITHIN = 3_600_000;
