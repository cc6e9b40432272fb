import { afterEach, describe, expect, it, vi } from 'vitest';
import { Garbage } from './garbage';

const MIB = 1024 * 1024;

/** Sizes of the memory that is asked for, of which nothing is given. */
function asked(refuse = false): number[] {
  const sizes: number[] = [];
  vi.stubGlobal(
    'ArrayBuffer',
    class {
      constructor(size: number) {
        sizes.push(size);
        if (refuse) throw new RangeError('Array buffer allocation failed');
      }
    },
  );
  return sizes;
}

describe('garbage', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is looked for after each 16 MiB that went through', () => {
    const sizes = asked();
    const garbage = new Garbage();
    for (let leaf = 0; leaf < 255; leaf++) garbage.add(64 * 1024);
    expect(sizes).toEqual([]);
    garbage.add(64 * 1024);
    expect(sizes).toEqual([64 * MIB]);
    garbage.add(16 * MIB);
    expect(sizes).toHaveLength(2);
  });

  it('is left alone by a device that has no memory to ask for', () => {
    const sizes = asked(true);
    expect(() => new Garbage().add(16 * MIB)).not.toThrow();
    expect(sizes).toHaveLength(1);
  });
});
