import { describe, expect, it } from 'vitest';
import { Files } from './files';

const file = (name: string, size = 3) => ({ file: new File(['x'.repeat(size)], name, { lastModified: 5_000 }) });

describe('files that are chosen again', () => {
  const before = new Files();
  const [a, b] = before.take([file('a.webm'), file('b.webm')]);
  if (!a || !b) throw new Error('two files make two items');
  const match = (...names: string[]) =>
    new Files().match(
      [a, b],
      b.id,
      names.map((name) => file(name)),
    );

  it('are known again, and what is new with them is told apart', () => {
    const found = match('new.webm', 'b.webm', 'a.webm');
    expect(found.ids).toEqual([a.id, b.id]);
    expect(found.others.map((c) => c.file.name)).toEqual(['new.webm']);
    expect(found.difference).toBeUndefined();
  });

  it('are others when the one that was on is not among them', () => {
    expect(match('x.webm').difference).toBe('This is “x.webm”. The stream was showing “b.webm”.');
    expect(match('a.webm').difference).toMatch(/This is “a.webm”/);
    expect(new Files().match([b], b.id, [file('b.webm', 4)]).difference).toMatch(/another size/);
  });

  it('are there until they are taken off the list', () => {
    expect(before.get(a.id)?.name).toBe('a.webm');
    before.keep([b.id]);
    expect([before.get(a.id), before.get(b.id)?.name]).toEqual([undefined, 'b.webm']);
  });
});
