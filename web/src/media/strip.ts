// The time in the picture: a strip of black and white cells over its top, which a viewer reads from the
// decoded frame, whatever way it has come and however often it was encoded. The picture itself says when
// it was drawn, so the time until it is on another screen can be told. What is drawn and what is read is
// a pure value here; reading from a video element is watch/frames.ts.
//
//	|1 0 1 0| time, 24 bits: 0.25 ms, modulo 2^24 | count, 4 | error, 4 | check, 4 |

/** Cells of the strip, each a bit. */
export const CELLS = 40;
/** The strip's height, as a share of the picture's. */
const HEIGHT = 1 / 16;
/** What is read of that height: what lies off its edges, which encoders blur. */
export const READ = { from: 0.015, height: 0.03 } as const;

const MARKS = 0b1010;
const UNIT = 0.25; // ms
const TIMES = 2 ** 24;
/** ms after which the time in the strip begins anew: 70 minutes. */
export const WRAP = TIMES * UNIT;
const UNKNOWN = 15;

/** What the strip says. */
export interface Stamp {
  /** ms since the epoch by the clock of the strip; once read, modulo WRAP. */
  time: number;
  /** Counts pictures, modulo 16. */
  count: number;
  /** How wrong the clock of the strip may be against that of the server, ms; undefined: not known. */
  error: number | undefined;
}

/** The cells of a strip: true is white. */
export function cellsOf(stamp: Stamp): boolean[] {
  const time = Math.round(stamp.time / UNIT) % TIMES;
  const bits = [...bitsOf(MARKS, 4), ...bitsOf(time, 24), ...bitsOf(stamp.count & 15, 4), ...bitsOf(classOf(stamp), 4)];
  return [...bits, ...bitsOf(check(bits), 4)];
}

/** Errors are told by their order of size: a class is twice the one before it. */
function classOf({ error }: Stamp): number {
  if (error === undefined) return UNKNOWN;
  return Math.min(UNKNOWN - 1, Math.max(0, Math.ceil(Math.log2(Math.max(error, UNIT) / UNIT))));
}

/** Reads cells by their brightness, 0…255 each; undefined when this is no strip. */
export function stampOf(light: ArrayLike<number>): Stamp | undefined {
  const bits = bitsIn(light);
  if (!bits || numberOf(bits, 0, 4) !== MARKS) return undefined;
  if (numberOf(bits, 36, 4) !== check(bits.slice(0, 36))) return undefined;
  const error = numberOf(bits, 32, 4);
  return {
    time: numberOf(bits, 4, 24) * UNIT,
    count: numberOf(bits, 28, 4),
    error: error === UNKNOWN ? undefined : UNIT * 2 ** error,
  };
}

/** The whole time of a strip that was drawn near `near`, ms since the epoch. */
export function wholeTime(time: number, near: number): number {
  return time + WRAP * Math.round((near - time) / WRAP);
}

/** How far black and white must lie apart, and how near to one of them a cell must be. */
const CONTRAST = 80;
const NEAR = 0.35;

function bitsIn(light: ArrayLike<number>): boolean[] | undefined {
  const all = Array.from({ length: CELLS }, (_, i) => light[i] ?? 0);
  const dark = Math.min(...all);
  const range = Math.max(...all) - dark;
  if (range < CONTRAST) return undefined;
  const shares = all.map((l) => (l - dark) / range);
  if (shares.some((s) => s > NEAR && s < 1 - NEAR)) return undefined;
  return shares.map((s) => s > 0.5);
}

function bitsOf(n: number, width: number): boolean[] {
  return Array.from({ length: width }, (_, i) => Math.floor(n / 2 ** (width - 1 - i)) % 2 === 1);
}

function numberOf(bits: readonly boolean[], from: number, width: number): number {
  return bits.slice(from, from + width).reduce((n, bit) => n * 2 + (bit ? 1 : 0), 0);
}

/** A cyclic check of four bits (x^4 + x + 1), so that one wrong cell and most others are noticed. */
function check(bits: readonly boolean[]): number {
  let rest = 0b1111;
  for (const bit of bits) {
    const carry = ((rest >> 3) & 1) ^ (bit ? 1 : 0);
    rest = ((rest << 1) & 15) ^ (carry ? 0b0011 : 0);
  }
  return rest;
}

/** The drawing half of a 2D canvas. */
export type Brush = Pick<CanvasRenderingContext2D, 'fillStyle' | 'fillRect'>;

/** Draws the strip over the top of a picture of this size. */
export function drawStrip(brush: Brush, width: number, height: number, stamp: Stamp): void {
  const tall = Math.ceil(height * HEIGHT);
  const edge = (i: number): number => Math.round((i * width) / CELLS);
  brush.fillStyle = '#000';
  brush.fillRect(0, 0, width, tall);
  brush.fillStyle = '#fff';
  cellsOf(stamp).forEach((white, i) => {
    if (white) brush.fillRect(edge(i), 0, edge(i + 1) - edge(i), tall);
  });
}

/** Pixels to read the strip by: what the picture's top is shrunk to. */
export const LENS = { width: CELLS * 4, height: 4 } as const;

/** The brightness of each cell in RGBA pixels of LENS: the middle of the cell. */
export function lightOf(rgba: ArrayLike<number>): number[] {
  return Array.from({ length: CELLS }, (_, cell) => {
    let sum = 0;
    for (const x of [1, 2]) {
      for (const y of [1, 2]) {
        const at = 4 * (y * LENS.width + cell * 4 + x);
        sum += 0.299 * (rgba[at] ?? 0) + 0.587 * (rgba[at + 1] ?? 0) + 0.114 * (rgba[at + 2] ?? 0);
      }
    }
    return sum / 4;
  });
}
