import { describe, expect, it } from 'vitest';
import { ceiling, DASHES } from './chart';
import { WAYS } from './plan';

describe('the top of the drawing', () => {
  it.each([
    [0, 1],
    [1, 1],
    [1.2, 2],
    [80, 100],
    [101, 200],
    [430, 500],
    [501, 1000],
  ])('above %d is %d', (value, top) => expect(ceiling(value)).toBe(top));
});

it('tells no two ways apart by colour alone', () => {
  expect(new Set(WAYS.map((way) => DASHES[way])).size).toBe(WAYS.length);
});
