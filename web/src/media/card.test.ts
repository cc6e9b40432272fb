import { describe, expect, it } from 'vitest';
import { titleOf, wrap } from './card';

const letters = (text: string): number => [...text].length;

describe('wrap', () => {
  it.each([
    ['one line', 20, ['one line']],
    ['two words here', 9, ['two words', 'here']],
    ['', 9, []],
    ['  spaces   only between  ', 30, ['spaces only between']],
    ['Donaudampfschifffahrt', 8, ['Donauda…']],
    ['a b c d e f g', 3, ['a b', 'c …']],
  ])('%j in %i', (text, width, lines) => {
    expect(wrap(text, width, 2, letters)).toEqual(lines);
  });

  it('never makes a line that is too long', () => {
    for (let width = 2; width < 12; width++) {
      for (const line of wrap('Über den Dächern 🎺🎺🎺🎺🎺🎺🎺 von Köln', width, 3, letters)) {
        expect(letters(line)).toBeLessThanOrEqual(width);
      }
    }
  });
});

describe('titleOf', () => {
  it.each([
    ['Holiday.webm', 'Holiday'],
    ['v1.2 final.mp4', 'v1.2 final'],
    ['.mp4', '.mp4'],
    ['No ending', 'No ending'],
  ])('%s is %s', (name, title) => expect(titleOf(name)).toBe(title));
});
