import { describe, expect, it } from 'vitest';
import { hex } from './bytes';
import { golden, unhex } from './golden.fixture';
import { formatLink, type Link, LinkError, type LinkFault, parseFragment, parseLink } from './link';

const { links } = golden<{
  links: {
    good: { text: string; server: string; room: string; secret: string; key: string }[];
    bad: { text: string; error: LinkFault }[];
  };
}>('keys.json');

const faultOf = (text: string): LinkFault | undefined => {
  try {
    parseLink(text);
    return undefined;
  } catch (error) {
    if (error instanceof LinkError) return error.fault;
    throw error;
  }
};

describe('the golden links', () => {
  it.each(links.good)('$text', ({ text, server, room, secret, key }) => {
    const link: Link = { server, room, secret: unhex(secret), key: unhex(key) };
    expect(parseLink(text)).toEqual(link);
    expect(formatLink(link)).toBe(text.trim());
  });

  it.each(links.bad)('$error: $text', ({ text, error }) => {
    expect(faultOf(text)).toBe(error);
  });
});

const whole = 'https://files.example.org/f/q1fWtdUkFzvGxmW8mVQnDg#v1.AAECAwQFBgcICQoLDA0ODw.8PHy8_T19vf4-fr7_P3-_w';

it('no change of one character is taken for the same link', () => {
  const others = ['\0', '\n', ...' #%&+-./0129:=?@AZ_afz~é'];
  const same = (text: string): boolean => {
    try {
      const link = parseLink(text);
      return formatLink(link) === whole;
    } catch (error) {
      expect(error).toBeInstanceOf(LinkError);
      return false;
    }
  };
  for (let i = 0; i < whole.length; i++) {
    for (const other of others) {
      for (const text of [whole.slice(0, i) + other + whole.slice(i + 1), whole.slice(0, i) + other + whole.slice(i)]) {
        if (text.trim() !== whole && same(text)) throw new Error(`${JSON.stringify(text)} is taken for the whole link`);
      }
    }
    expect(same(whole.slice(0, i) + whole.slice(i + 1))).toBe(false);
  }
});

it('the fragment alone can be read', () => {
  const { secret, key } = parseFragment('v1.AAECAwQFBgcICQoLDA0ODw.8PHy8_T19vf4-fr7_P3-_w');
  expect([hex(secret), hex(key)]).toEqual(['000102030405060708090a0b0c0d0e0f', 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff']);
  expect(() => parseFragment('')).toThrow(LinkError);
});
