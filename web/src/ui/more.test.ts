import { expect, it } from 'vitest';
import { shownOf } from './more';

it('shows everything in the end, and never more than there is', () => {
  expect(shownOf(7, 300, 0)).toEqual({ shown: 7, next: 0 });
  expect(shownOf(650, 300, 0)).toEqual({ shown: 300, next: 300 });
  expect(shownOf(650, 300, 1)).toEqual({ shown: 600, next: 50 });
  expect(shownOf(650, 300, 2)).toEqual({ shown: 650, next: 0 });
  expect(shownOf(10, 300, 5)).toEqual({ shown: 10, next: 0 });
});
