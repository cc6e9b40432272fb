import { describe, expect, it } from 'vitest';
import { alone, inFolder, match } from './again';
import { collect } from './collect';

const file = (size = 3, lastModified = 1_700_000_000_999): File => ({ size, lastModified }) as File;

const photos = [
  { path: 'photos/b.jpg', file: file(5) },
  { path: 'photos/a.jpg', file: file(0, 1_600_000_000_000) },
  { path: 'photos/empty/', file: undefined },
];
const { entries } = collect(photos);

describe('the same files again', () => {
  it('are found by their paths, in whatever order and with others beside them', () => {
    const others = [{ path: 'photos/0.jpg', file: file(1) }, ...[...photos].reverse()];
    const files = match(entries, others) as ReadonlyMap<number, File>;
    expect([...files.keys()].map((place) => entries[place]?.path)).toEqual(['photos/a.jpg', 'photos/b.jpg']);
    expect(files.get(1)).toBe(photos[0]?.file);
  });

  it('are not the same with another size or date, or when one is missing', () => {
    const with_ = (one: File) => match(entries, [{ path: 'photos/b.jpg', file: one }, ...photos.slice(1)]);
    expect(with_(file(6))).toEqual({ path: 'photos/b.jpg', why: 'changed' });
    expect(with_(file(5, 1_700_000_001_000))).toEqual({ path: 'photos/b.jpg', why: 'changed' });
    expect(with_(file(5, 1_700_000_000_000))).toBeInstanceOf(Map); // seconds are what was signed
    expect(match(entries, photos.slice(1))).toEqual({ path: 'photos/b.jpg', why: 'missing' });
  });

  it('may be chosen a second time: the last choice, which comes first, counts', () => {
    const { entries: one } = collect([{ path: 'a.bin', file: file(9) }]);
    const again = [
      { path: 'a.bin', file: file(9) },
      { path: 'a.bin', file: file(8) },
    ];
    expect(match(one, again)).toBeInstanceOf(Map);
    expect(match(one, again.reverse())).toEqual({ path: 'a.bin', why: 'changed' });
  });

  it('of a text alone are none', () => {
    expect(match([], [])).toEqual(new Map());
  });

  it('are chosen as files or as a folder', () => {
    expect([inFolder(entries), alone(entries)]).toEqual([true, false]);
    expect([inFolder([{ path: 'a', size: 0, mtime: 0 }]), alone([{ path: 'a', size: 0, mtime: 0 }])]).toEqual([
      false,
      true,
    ]);
  });
});
