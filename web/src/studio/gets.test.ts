import { describe, expect, it } from 'vitest';
import type { Peer } from '../signal/msg.gen';
import { getsWords } from './gets';

const peer = (more: Partial<Peer>): Peer => ({
  endpoint: 'e',
  role: 'subscriber',
  since: 0,
  watching: true,
  ...more,
});

describe('what a viewer gets', () => {
  it.each([
    [{ watching: false, height: 540 }, 'waiting'],
    [{}, 'watching'],
    [{ height: 720, bound: 'source' }, 'watching 720p'],
    [{ height: 720, line: 4_000_000, bound: 'wish' }, 'watching 720p, line about 4.0 Mbit/s'],
    [{ height: 180, line: 310_000, bound: 'line' }, 'watching 180p, line about 310 kbit/s, too thin for more'],
  ])('%j: %s', (more, words) => {
    expect(getsWords(peer(more))).toBe(words);
  });
});
