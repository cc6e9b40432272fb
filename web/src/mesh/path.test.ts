import { describe, expect, it } from 'vitest';
import { checkPath, checkPaths, foldPath, MAX_PART, PathError, type Rule } from './path';

const ruleOf = (check: () => void): Rule | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof PathError) return error.rule;
    throw error;
  }
};

const file = (path: string, size = 1) => ({ path, size });

describe('a path alone', () => {
  it.each([
    'a',
    'a/b.txt',
    'a/',
    'a/b/',
    '.hidden',
    '...x',
    'com',
    'com10',
    'console',
    'nullen.txt',
    'x.con',
    ' a',
    'größe/日本.txt',
    'a'.repeat(MAX_PART),
    '👨‍👩‍👧',
    'cıon',
  ])('%j is taken', (path) => {
    expect(ruleOf(() => checkPath(path))).toBeUndefined();
  });

  it.each<[string, Rule]>([
    ['\ud800', 'not UTF-8'],
    ['/a', 'absolute'],
    ['/', 'absolute'],
    [`${'a'.repeat(200)}/`.repeat(6), 'too long'],
    ['e\u0301', 'not NFC'],
    ['', 'empty part'],
    ['a//b', 'empty part'],
    ['a//', 'empty part'],
    ['.', 'dot part'],
    ['a/../b', 'dot part'],
    ['../', 'dot part'],
    ['é'.repeat(128), 'part too long'],
    ['a\0', 'control character'],
    ['a\u0085', 'control character'],
    ['a\u202egpj.exe', 'bidi control'],
    ['a\u2069', 'bidi control'],
    ['a\u061c', 'bidi control'],
    ['a\\b', 'forbidden character'],
    ['c:', 'forbidden character'],
    ['a|b', 'forbidden character'],
    ['a.', 'dot or space at the end'],
    ['a ', 'dot or space at the end'],
    ['a /b', 'dot or space at the end'],
    ['CON', 'device name'],
    ['a/nul.txt', 'device name'],
    ['Com1', 'device name'],
    ['lpt¹.x', 'device name'],
    ['aux .txt', 'device name'],
    ['conin$', 'device name'],
    ['CONOUT$.a.b', 'device name'],
  ])('%j is refused: %s', (path, rule) => {
    expect(ruleOf(() => checkPath(path))).toBe(rule);
  });
});

describe('paths together', () => {
  it.each([[['a/b', 'a/c', 'a-b']], [['a/', 'a/b']], [['a', 'b']], [['ı', 'i']], [[]]])('%j are taken', (paths) => {
    expect(ruleOf(() => checkPaths(paths.map((path) => file(path, path.endsWith('/') ? 0 : 1))))).toBeUndefined();
  });

  it.each<[string[], Rule]>([
    [['a', 'a'], 'duplicate'],
    [['A', 'b', 'a'], 'duplicate'],
    [['straße', 'STRASSE'], 'duplicate'],
    [['ΣΑΣ', 'σας'], 'duplicate'],
    [['a', 'a/'], 'duplicate'],
    [['K', 'k'], 'duplicate'],
    [['a', 'a/b'], 'file as folder'],
    [['A/b', 'a'], 'file as folder'],
    [['a', 'a-b', 'a/b/c'], 'file as folder'],
  ])('%j are refused: %s', (paths, rule) => {
    expect(ruleOf(() => checkPaths(paths.map((path) => file(path, path.endsWith('/') ? 0 : 1))))).toBe(rule);
  });

  it('a folder has no size', () => {
    expect(ruleOf(() => checkPaths([file('a/')]))).toBe('folder with a size');
  });
});

it('folding keeps the dotless i apart and is the same when done twice', () => {
  expect(foldPath('ıIİ')).toBe('ıii̇');
  for (const path of ['ẞ', 'ΰ', 'ŉ', 'ᾼ', 'Ꭰ', 'ꭰ', 'ǰ']) expect(foldPath(foldPath(path))).toBe(foldPath(path));
});
