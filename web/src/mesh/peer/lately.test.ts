import { expect, it } from 'vitest';
import { Lately } from './lately';

it('keeps what was used last, and tells of what it lets go', async () => {
  const gone: number[] = [];
  const made: number[] = [];
  const some = new Lately<string>(2, (key) => gone.push(key));
  const get = (key: number): Promise<string> =>
    some.get(key, async () => {
      made.push(key);
      return `of ${key}`;
    });
  expect(await Promise.all([get(1), get(1), get(2), get(1), get(3)])).toEqual(['of 1', 'of 1', 'of 2', 'of 1', 'of 3']);
  expect([made, gone]).toEqual([[1, 2, 3], [2]]);
  expect([some.has(1), some.has(2)]).toEqual([true, false]);
});

it('keeps nothing that fails, nor lets go of what came in its place', async () => {
  const gone: number[] = [];
  const some = new Lately<number>(1, (key) => gone.push(key));
  let fail: (error: Error) => void = () => undefined;
  const first = some.get(1, () => new Promise((_, reject) => (fail = reject)));
  void some.get(2, async () => 2);
  expect(await some.get(1, async () => 3)).toBe(3);
  fail(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  expect(some.has(1)).toBe(true);
  await expect(some.get(4, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect([some.has(4), gone]).toEqual([false, [1, 2, 1, 4]]);
});
