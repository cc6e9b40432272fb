import { describe, expect, it } from 'vitest';
import { dropKey, type Keeps, keepKey, keyInFragment, keyInText, takeKey } from './key';

function storage() {
  const map = new Map<string, string>();
  return {
    map,
    getItem: (name: string) => map.get(name) ?? null,
    setItem: (name: string, value: string) => void map.set(name, value),
    removeItem: (name: string) => void map.delete(name),
  };
}

const page = (hash: string) => {
  const seen: string[] = [];
  const location = { hash, pathname: '/studio', search: '' } as Location;
  const history = {
    state: null,
    replaceState: (_: unknown, __: string, url: string) => seen.push(url),
  } as unknown as History;
  return { location, history, seen };
};

describe('the key in the address', () => {
  it.each([
    ['#key=abc', 'abc'],
    ['#a=1&key=abc', 'abc'],
    ['#key=', undefined],
    ['#key=a b', undefined],
    ['', undefined],
    [`#key=${'x'.repeat(513)}`, undefined],
  ])('%s holds %s', (fragment, key) => expect(keyInFragment(fragment)).toBe(key));

  it.each([
    ['abc', 'abc'],
    ['  abc\n', 'abc'],
    ['http://192.0.2.7:8080/studio#key=abc', 'abc'],
    ['http://192.0.2.7:8080/studio', 'http://192.0.2.7:8080/studio'],
    ['', undefined],
    ['two words', undefined],
  ])('text %j holds %s', (text, key) => expect(keyInText(text)).toBe(key));

  it('is taken out of the address bar, and kept once it is known to be good', () => {
    const keep: Keeps = { tab: storage(), device: storage() };
    keepKey('old', false, keep);
    const { location, history, seen } = page('#key=abc');
    expect(takeKey(location, history, keep)).toBe('abc');
    expect(seen).toEqual(['/studio']);
    expect(takeKey(page('').location, history, keep)).toBe('old');
    keepKey('abc', false, keep);
    expect(takeKey(page('').location, history, keep)).toBe('abc');
    expect(keep.device?.getItem('fanfare.key')).toBeNull();
  });

  it('is kept longer only when asked, and forgotten everywhere', () => {
    const keep: Keeps = { tab: storage(), device: storage() };
    keepKey('abc', true, keep);
    expect(takeKey(page('').location, page('').history, { ...keep, tab: undefined })).toBe('abc');
    dropKey(keep);
    expect(takeKey(page('').location, page('').history, keep)).toBeUndefined();
  });

  it('works without storage', () => {
    const { location, history } = page('#key=abc');
    expect(takeKey(location, history, { tab: undefined, device: undefined })).toBe('abc');
  });
});
