import { describe, expect, it } from 'vitest';
import { EDGE, LiveEdge } from './edge';

const at = (position: number, start: number, end: number) => ({ position, start, end });

describe('a player near the end of what grows', () => {
  it('plays on where it should be, hurries when it is behind, and jumps when it is far behind', () => {
    const edge = new LiveEdge();
    expect(edge.advise(at(9.75, 5, 10), 0)).toEqual({ rate: 1 });
    expect(edge.advise(at(9.5, 5, 10), 0).rate).toBeGreaterThan(1);
    expect(edge.advise(at(6, 5, 10), 0).jump).toBeCloseTo(9.8);
  });

  it('begins at the end of what there is, and not before its start', () => {
    const edge = new LiveEdge();
    expect(edge.advise(at(0, 100, 103), 0).jump).toBeCloseTo(102.8);
    expect(edge.advise(at(0, 100, 100.1), 0).jump).toBe(100);
  });

  it('keeps more distance after it has run dry, within bounds, and comes nearer again', () => {
    const edge = new LiveEdge();
    for (let i = 0; i < 100; i++) edge.dry(0);
    expect(edge.target).toBe(EDGE.most);
    for (let i = 0; i < 100; i++) edge.advise(at(1, 0, 1), i * (EDGE.calm + 1));
    expect(edge.target).toBe(EDGE.least);
  });

  it('forgets what was long ago', () => {
    const edge = new LiveEdge();
    expect(edge.advise(at(30, 0, 30.2), 0).forget).toBe(25);
    expect(edge.advise(at(6, 0, 6.2), 0)).not.toHaveProperty('forget');
  });
});
