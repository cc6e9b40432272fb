// The source of chance of the Go half's tests (math/rand/v2: PCG with DXSM, IntN by Lemire's
// multiplication), so that both halves decide the same in the same script.

import type { Chance } from './peers';

const MASK = 2n ** 64n - 1n;
const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;
const INCREMENT = (6364136223846793005n << 64n) | 1442695040888963407n;
const CHEAP = 0xda942042e4dd58b5n;

export function pcg(seed1: number, seed2: number): Chance {
  let state = (BigInt(seed1) << 64n) | BigInt(seed2);
  const next = (): bigint => {
    state = (state * MULTIPLIER + INCREMENT) & (2n ** 128n - 1n);
    let high = state >> 64n;
    high ^= high >> 32n;
    high = (high * CHEAP) & MASK;
    high ^= high >> 48n;
    return (high * ((state & MASK) | 1n)) & MASK;
  };
  return (below) => Number(reduce(next, BigInt(below)));
}

function reduce(next: () => bigint, below: bigint): bigint {
  if ((below & (below - 1n)) === 0n) return next() & (below - 1n);
  let product = next() * below;
  const least = 2n ** 64n % below;
  while ((product & MASK) < least) product = next() * below;
  return product >> 64n;
}
