// Seeded damage for tests: the same bytes are spoilt in the same way in every run.

import { type Bytes, concat } from './bytes';

/** Numbers from 0 to below, by a linear congruence (Numerical Recipes) whose high bits are used. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  below(limit: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * limit);
  }

  bytes(length: number): Bytes {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** The bytes with one to three faults: a flipped bit, another byte, an end cut off, bytes lost, doubled or added. */
export function spoil(bytes: Bytes, chance: Chance): Bytes {
  let out = bytes.slice();
  for (let faults = 1 + chance.below(3); faults > 0; faults--) out = fault(out, chance);
  return out;
}

function fault(bytes: Bytes, chance: Chance): Bytes {
  if (bytes.length === 0) return chance.bytes(1);
  const at = chance.below(bytes.length);
  const until = at + 1 + chance.below(Math.min(16, bytes.length - at));
  switch (chance.below(7)) {
    case 0:
      bytes[at] = chance.below(256);
      return bytes;
    case 1:
      return bytes.slice(0, at);
    case 2:
      return concat(bytes.slice(0, at), bytes.slice(until));
    case 3:
      return concat(bytes.slice(0, until), bytes.slice(at));
    case 4:
      return concat(bytes.slice(0, at), chance.bytes(1 + chance.below(4)), bytes.slice(at));
    default:
      // Single bits are what parsers get wrong most: lengths, flags, the high bit of a number.
      bytes[at] = (bytes[at] as number) ^ (1 << chance.below(8));
      return bytes;
  }
}
