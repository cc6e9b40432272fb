import { describe, expect, it } from 'vitest';
import { ceiling } from './chart';

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
