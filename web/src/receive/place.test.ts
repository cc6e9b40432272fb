import { describe, expect, it } from 'vitest';
import { choosePlace, commitDue, type Facts, memoryFor, type Place } from './place';

const MB = 1024 * 1024;
const GB = 1024 * MB;

const chromium: Facts = {
  size: 100 * MB,
  single: true,
  free: 60 * GB,
  saveFile: true,
  folder: true,
  service: true,
  memory: 256 * MB,
};
const firefox: Facts = { ...chromium, free: 10 * GB, saveFile: false, folder: false };
const firefoxPrivate: Facts = { ...firefox, free: undefined, service: false };
const old: Facts = { ...firefox, free: undefined };

describe('the place for what is received', () => {
  const cases: [string, Facts, Place | undefined][] = [
    ['what fits goes to the private file system in Chromium', chromium, 'private'],
    ['and in Firefox', firefox, 'private'],
    ['nothing fits into no room', { ...firefox, free: 100 * MB }, 'memory'],
    ['what is larger than the quota goes where the person says', { ...chromium, size: 70 * GB }, 'picked'],
    ['folders, too', { ...chromium, size: 70 * GB, single: false }, 'picked'],
    ['one file, where folders cannot be chosen', { ...chromium, size: 70 * GB, folder: false }, 'picked'],
    ['not several', { ...chromium, size: 70 * GB, single: false, folder: false }, 'stream'],
    ['larger than the quota in Firefox', { ...firefox, size: 11 * GB }, 'stream'],
    ['several larger than the quota in Firefox', { ...firefox, size: 11 * GB, single: false }, 'stream'],
    ['little in a private window of Firefox', { ...firefoxPrivate, size: 256 * MB }, 'memory'],
    ['much in a private window of Firefox', { ...firefoxPrivate, size: 256 * MB + 1 }, undefined],
    ['much without a private file system', { ...old, size: GB }, 'stream'],
    ['a private window of Chromium, whose quota is small', { ...chromium, free: 10 * MB }, 'picked'],
    ['nothing at all', { ...firefoxPrivate, size: 0 }, 'memory'],
  ];
  it.each(cases)('%s', (_, facts, place) => {
    expect(choosePlace(facts)).toBe(place);
  });

  it.each([
    ['a device that is not told', undefined, 256 * MB],
    ['a large one', 8, 256 * MB],
    ['a phone', 2, 128 * MB],
    ['a small one', 0.25, 16 * MB],
  ])('memory of %s', (_, device, most) => {
    expect(memoryFor(device)).toBe(most);
  });
});

describe('commits', () => {
  it.each([
    ['little', 15 * MB, 0, false],
    ['as much as is worth it', 16 * MB, 0, true],
    ['little beside much', 256 * MB, 2 * GB, false],
    ['half of what is there', GB, 2 * GB, true],
  ])('%s', (_, pending, committed, due) => {
    expect(commitDue(pending, committed)).toBe(due);
  });

  it('copy everything three times at most', () => {
    const step = 4 * MB;
    let [pending, committed, copied] = [0, 0, 0];
    for (let written = 0; written < 100 * GB; written += step) {
      pending += step;
      if (!commitDue(pending, committed)) continue;
      copied += committed;
      committed += pending;
      pending = 0;
    }
    expect(copied / committed).toBeLessThan(3);
  });
});
