// CBOR in its deterministic form (RFC 8949 section 4.2.1) by a library that is held to it: maps as
// Map, no tags, no lengths left open, no number in a longer form than it needs, no text that is not
// UTF-8. What the library does not see (keys in another order, floats) is for the caller to find by
// encoding again and comparing.

import { decode, encode, rfc8949EncodeOptions, Tokenizer, Type } from 'cborg';
import { type Bytes, text } from './bytes';
import { MeshError } from './error';

const STRICT = {
  strict: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: true,
  useMaps: true,
  retainStringBytes: true,
};

/** A list that says it has more members than are taken. */
export class LongListError extends MeshError {}

export function encodeCbor(value: unknown): Bytes {
  return new Uint8Array(encode(value, rfc8949EncodeOptions));
}

/**
 * The one value of these bytes: numbers, bigints where they are too large for numbers, texts, bytes,
 * lists, Maps, booleans and null. Throws MeshError, LongListError where a list is longer than longest.
 */
export function decodeCbor(cbor: Bytes, longest: number): unknown {
  try {
    return decode(cbor, { ...STRICT, tokenizer: new StrictTokenizer(cbor, longest) });
  } catch (error) {
    if (error instanceof MeshError) throw error;
    // Whatever the library says, also where it nests so deep that the stack ends.
    throw new MeshError('not deterministic CBOR');
  }
}

class StrictTokenizer extends Tokenizer {
  private readonly longest: number;

  constructor(cbor: Bytes, longest: number) {
    super(cbor, STRICT);
    this.longest = longest;
  }

  override next() {
    const token = super.next();
    if (Type.equals(token.type, Type.array) && token.value > this.longest) throw new LongListError('a long list');
    // The library puts up with bytes that are no UTF-8, and drops a byte order mark, which changes the text.
    if (Type.equals(token.type, Type.string) && token.byteValue) token.value = text(Uint8Array.from(token.byteValue));
    return token;
  }
}
