// Short codes: a number by which the server finds the room, and three words that it must not learn
// (docs/MESH.md section 1). It reads what people type and writes what they say.

// The one list, which the Go half embeds too.
import wordsFile from '../../../mesh/pake/words.txt?raw';
import { type Bytes, utf8 } from './bytes';
import { MeshError } from './error';

/** 1,024 in the order of the alphabet; their number is their place. */
export const WORDS: readonly string[] = wordsFile.trim().split(/\s+/u);

const PLACES: ReadonlyMap<string, number> = new Map(WORDS.map((word, place) => [word, place]));
const WORD_BITS = 10;
/** Far more bytes than a code has. */
const MAX_TEXT = 100;
const MAX_NUMBER = 0xffff_ffff;
/** How many wrong letters still suggest a word. */
const MAX_SLIPS = 3;

export interface Code {
  /** What the server is asked for. */
  number: number;
  /** The places of three words in the list. */
  words: readonly [number, number, number];
}

/** A text that is no code. */
export class CodeError extends MeshError {
  /** A word that no code has, as typed but in small letters, and the word of the list that is nearest, if any is. */
  readonly word: string | undefined;
  readonly nearest: string | undefined;

  constructor(word?: string, nearest?: string) {
    super('a code is a number and three words, like 7-acorn-piano-zebra');
    this.word = word;
    this.nearest = nearest;
  }
}

/** The word for a number of ten bits; only those count. */
export const wordOf = (place: number): string => WORDS[place & ((1 << WORD_BITS) - 1)] as string;

/** What people compare: the numbers of keys.ts's checkNumbers, as words. */
export const checkText = (numbers: readonly number[]): string => numbers.map(wordOf).join(' ');

/** A code with words from four random bytes. */
export function newCode(number: number, random: Bytes): Code {
  const bits = new DataView(random.buffer, random.byteOffset, 4).getUint32(0);
  const word = (place: number): number => (bits >>> (32 - WORD_BITS * place)) & ((1 << WORD_BITS) - 1);
  return { number, words: [word(1), word(2), word(3)] };
}

/** The code as people say it: number-word-word-word. */
export const formatCode = (code: Code): string => `${code.number}-${passwordOf(code)}`;

/** What the other side has to know besides the number. */
export const passwordOf = (code: Code): string => code.words.map(wordOf).join('-');

/**
 * Reads a code as people type it: in any case, with spaces, dashes of any kind, dots or commas
 * between its parts. Throws CodeError.
 */
export function parseCode(text: string): Code {
  if (utf8(text).length > MAX_TEXT) throw new CodeError();
  const parts = text.toLowerCase().split(/[\p{White_Space}\p{Dash_Punctuation}−_.,]+/u);
  const [digits = '', a = '', b = '', c = '', ...more] = parts.filter((part) => part !== '');
  if (c === '' || more.length > 0 || !/^[0-9]+$/u.test(digits)) throw new CodeError();
  const number = Number(digits);
  if (number > MAX_NUMBER) throw new CodeError();
  return { number, words: [placeOf(a), placeOf(b), placeOf(c)] };
}

function placeOf(word: string): number {
  const place = PLACES.get(word);
  if (place === undefined) throw new CodeError(word, nearest(word));
  return place;
}

/** The first of the words with the fewest wrong letters. */
function nearest(typed: string): string | undefined {
  let best: string | undefined;
  let fewest = MAX_SLIPS + 1;
  for (const word of WORDS) {
    const count = slips(utf8(typed), utf8(word));
    if (count < fewest) [best, fewest] = [word, count];
  }
  return best;
}

/** The bytes to put in, to leave out or to change (Levenshtein's distance). */
function slips(a: Bytes, b: Bytes): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) {
      const changed = (row[j] as number) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (next[j] as number) + 1, (row[j + 1] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
