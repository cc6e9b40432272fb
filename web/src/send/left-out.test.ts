import { describe, expect, it } from 'vitest';
import type { LeftOut } from './collect';
import { leftOutWords } from './left-out';

const left = (why: LeftOut['why'], ...paths: string[]): LeftOut[] => paths.map((path) => ({ path, why }));

describe('what was left out', () => {
  it('is said by its reason, and only names are to be changed', () => {
    expect(leftOutWords([])).toEqual([]);
    expect(leftOutWords(left('device name', 'CON'))).toEqual([
      'Not every system could store its name: “CON”. Rename it, and share again.',
    ]);
    const [many] = leftOutWords(left('too many', 'z'));
    expect(many).toMatch(/10,000 files at most.*“z”/);
    const [large] = leftOutWords(left('too large', 'film.mkv'));
    expect(large).toMatch(/1\.1 TB in all.*“film\.mkv”/);
    const [unread] = leftOutWords(left('unread', 'locked'));
    expect(unread).toMatch(/could not read “locked”/);
    for (const words of [many, large, unread]) expect(words).not.toMatch(/[Rr]ename|name/);
  });

  it('has a sentence for each reason, with some of the names', () => {
    const all = [...left('forbidden character', 'a:b', 'c?d'), ...left('too many', '1', '2', '3', '4', '5', '6', '7')];
    const [names, many, ...none] = leftOutWords(all);
    expect(none).toEqual([]);
    expect(names).toBe('Not every system could store their names: “a:b”, “c?d”. Rename them, and share again.');
    expect(many).toMatch(/“5” and 2 others\.$/);
  });
});
