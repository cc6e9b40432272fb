import { describe, expect, it } from 'vitest';
import {
  add,
  afterEnd,
  current,
  difference,
  emptyQueue,
  type Item,
  MAX_ITEMS,
  move,
  neighbour,
  pick,
  refuse,
  remove,
  surplus,
} from './queue';

const item = (id: string): Item => ({ id, name: `${id}.webm`, size: 10, modified: 5_000 });
const abc = add(emptyQueue, ['a', 'b', 'c'].map(item));
const ids = (q: typeof abc): string => q.items.map((i) => i.id).join('');

describe('the list', () => {
  it('starts with its first file and keeps it when more come', () => {
    expect(abc.current).toBe('a');
    expect(add(pick(abc, 'b'), [item('d')]).current).toBe('b');
    expect(add(emptyQueue, []).current).toBeUndefined();
  });

  it('has an upper bound', () => {
    const many = Array.from({ length: MAX_ITEMS + 5 }, (_, i) => item(String(i)));
    expect(add(emptyQueue, many).items).toHaveLength(MAX_ITEMS);
    expect(surplus(emptyQueue, many.length)).toBe(5);
    expect(surplus(abc, 2)).toBe(0);
  });

  it.each([
    ['a', 'bc', 'b'],
    ['c', 'ab', 'a'],
    ['x', 'abc', 'a'],
  ])('without %s is %s with %s on', (id, left, on) => {
    const q = remove(abc, id);
    expect([ids(q), q.current]).toEqual([left, on]);
  });

  it('goes on with the one before when the last is removed, and with none when all are', () => {
    expect(remove(pick(abc, 'c'), 'c').current).toBe('b');
    expect(remove(remove(remove(abc, 'a'), 'b'), 'c')).toEqual(emptyQueue);
  });

  it.each([
    ['a', 1, 'bac'],
    ['c', -1, 'acb'],
    ['a', -1, 'abc'],
    ['b', 9, 'acb'],
    ['x', 1, 'abc'],
  ])('moves %s by %i: %s', (id, by, order) => {
    const q = move(abc, id, by);
    expect([ids(q), q.current]).toEqual([order, 'a']);
  });
});

describe('neighbour', () => {
  const next = (q: typeof abc) => neighbour(q, 1)?.id;
  const previous = (q: typeof abc) => neighbour(q, -1)?.id;

  it('ends at the ends, unless it loops', () => {
    expect([next(abc), previous(abc)]).toEqual(['b', undefined]);
    expect(next(pick(abc, 'c'))).toBeUndefined();
    const round = { ...abc, loop: true };
    expect([next(pick(round, 'c')), previous(round)]).toEqual(['a', 'c']);
  });

  it('passes over what cannot be played', () => {
    const q = refuse(abc, 'b', 'no');
    expect(next(q)).toBe('c');
    expect(next(refuse(q, 'c', 'no'))).toBeUndefined();
    expect(current(pick(q, 'b'))?.refused).toBe('no');
  });

  it('lets a single file follow itself', () => {
    const one = { ...add(emptyQueue, [item('a')]), loop: true };
    expect(next(one)).toBe('a');
    expect(next(refuse(one, 'a', 'no'))).toBeUndefined();
    expect(next({ ...emptyQueue, loop: true })).toBeUndefined();
  });
});

describe('afterEnd', () => {
  it('is what is new, else the first that can be played', () => {
    const over = pick(abc, 'c');
    expect(afterEnd(over)?.id).toBe('a');
    expect(afterEnd(add(over, ['d', 'e'].map(item)))?.id).toBe('d');
    expect(afterEnd(refuse(over, 'a', 'no'))?.id).toBe('b');
    expect(afterEnd(emptyQueue)).toBeUndefined();
  });
});

describe('difference', () => {
  it('forgives file systems that keep whole seconds', () => {
    expect(difference(item('a'), { name: 'a.webm', size: 10, modified: 5_999 })).toBeUndefined();
  });

  it.each([
    [{ name: 'b.webm', size: 10, modified: 5_000 }, /This is “b.webm”/],
    [{ name: 'a.webm', size: 11, modified: 5_000 }, /another size/],
    [{ name: 'a.webm', size: 10, modified: 9_000 }, /has been changed/],
  ])('says what is another: %o', (file, words) => {
    expect(difference(item('a'), file)).toMatch(words);
  });
});
