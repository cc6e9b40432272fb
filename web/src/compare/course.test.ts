import { describe, expect, it } from 'vitest';
import { Course, leftOutWords } from './course';

const NO_HTTP = 'This server does not take plain HTTP.';

describe('the course of a run', () => {
  it('leaves a way out that cannot be had, once, and is no less valid for it', () => {
    const c = new Course(['sfu', 'http'], 1);
    c.befall('http', 'never', NO_HTTP);
    c.befall('http', 'over', 'It is over.');
    expect(c.ways).toEqual(['sfu']);
    expect(c.notes).toEqual({ troubles: [], leftOut: [{ way: 'http', why: NO_HTTP }] });
    expect(c.notes.leftOut.map(leftOutWords)).toEqual([`“Plain HTTP” is left out. ${NO_HTTP}`]);
    expect([c.awaited('sfu', 0), c.awaited('http', 0)]).toEqual([true, false]);
    expect(c.nothing).toBeUndefined();
  });

  it('has one that breaks and comes back for a trouble, in the words of the page', () => {
    const c = new Course(['sfu', 'tree'], 2);
    for (const viewer of [1, 1]) c.befall('tree', 'broke', 'The connection broke off.', viewer);
    c.befall('sfu', 'broke', 'The upload broke off.');
    expect(c.notes.troubles).toEqual([
      'Passed on by viewers, viewer 2: The connection broke off.',
      'By the server: The upload broke off.',
    ]);
    expect([c.awaited('sfu', 0), c.awaited('tree', 1)]).toEqual([true, true]);
    expect(c.ways).toEqual(['sfu', 'tree']);
  });

  it('does not number a viewer who is the only one', () => {
    const c = new Course(['star'], 1);
    c.befall('star', 'broke', 'It broke off.', 0);
    expect(c.notes.troubles).toEqual(['Straight from here: It broke off.']);
  });

  it('waits for no way that is over, and has nothing to measure when all are', () => {
    const c = new Course(['sfu', 'http'], 1);
    c.befall('sfu', 'over', 'It was lost.');
    expect([c.awaited('sfu', 0), c.awaited('http', 0)]).toEqual([false, true]);
    expect(c.nothing).toBeUndefined();
    c.befall('http', 'never', NO_HTTP);
    expect(c.nothing).toBe(`“Plain HTTP” is left out. ${NO_HTTP} By the server: It was lost.`);
  });

  it('goes on waiting for the others of a way when one viewer is lost', () => {
    const c = new Course(['star'], 3);
    const awaited = (): boolean[] => [0, 1, 2].map((viewer) => c.awaited('star', viewer));
    c.befall('star', 'over', 'It was lost.', 1);
    expect(awaited()).toEqual([true, false, true]);
    expect(c.nothing).toBeUndefined();
    for (const viewer of [0, 2]) c.befall('star', 'over', 'It was lost.', viewer);
    expect(awaited()).toEqual([false, false, false]);
    expect(c.nothing).toBe([2, 1, 3].map((n) => `Straight from here, viewer ${n}: It was lost.`).join(' '));
  });

  it('waits for nobody behind the first one of the tree when that one is lost', () => {
    const c = new Course(['tree', 'star'], 2);
    for (const way of ['tree', 'star'] as const) c.befall(way, 'over', 'It was lost.', 0);
    expect([c.awaited('tree', 1), c.awaited('star', 1)]).toEqual([false, true]);
  });

  it('waits for no viewer of a way that is over as a whole', () => {
    const c = new Course(['sfu'], 2);
    c.befall('sfu', 'over', 'It was lost.');
    expect([c.awaited('sfu', 0), c.awaited('sfu', 1)]).toEqual([false, false]);
    expect(c.nothing).toBe('By the server: It was lost.');
  });

  it('leaves nothing out once it is measured', () => {
    const c = new Course(['sfu', 'http'], 1);
    c.measure();
    c.befall('http', 'never', NO_HTTP);
    expect(c.ways).toEqual(['sfu', 'http']);
    expect(c.notes).toEqual({ troubles: [`Plain HTTP: ${NO_HTTP}`], leftOut: [] });
  });
});
