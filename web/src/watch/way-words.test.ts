import { describe, expect, it } from 'vitest';
import type { Shown } from '../topology/switch';
import { wayWords } from './way-words';

describe('the way of the picture', () => {
  const relayed = (relays: number): Shown => ({ at: 'peer', facts: { way: 1, via: 'relayed', from: 'v', relays } });

  it.each<[Shown, string]>([
    [{ at: 'nothing' }, '–'],
    [{ at: 'server' }, 'from the server'],
    [{ at: 'peer', facts: { way: 1, via: 'direct', from: 'u', relays: 0 } }, 'straight from the uploader'],
    [relayed(1), 'relayed by 1 viewer'],
    [relayed(2), 'relayed by 2 viewers'],
  ])('%j: %s', (shown, words) => expect(wayWords(shown)).toBe(words));
});
