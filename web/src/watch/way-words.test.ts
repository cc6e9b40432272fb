import { describe, expect, it } from 'vitest';
import type { Route } from '../signal/msg.gen';
import type { Shown } from '../topology/switch';
import { wayWords } from './way-words';

describe('the way of the picture', () => {
  const relayed = (relays: number): Shown => ({ at: 'peer', facts: { way: 1, via: 'relayed', from: 'v', relays } });
  const direct: Shown = { at: 'peer', facts: { way: 1, via: 'direct', from: 'u', relays: 0 } };

  it.each<[Shown, string]>([
    [{ at: 'nothing' }, '–'],
    [{ at: 'server' }, 'from the server'],
    [direct, 'straight from the uploader'],
    [relayed(1), 'relayed by 1 viewer'],
    [relayed(2), 'relayed by 2 viewers'],
  ])('%j: %s', (shown, words) => expect(wayWords(shown, false)).toBe(words));

  it('is plain HTTP where that is on the screen, whatever lies below it', () => {
    for (const shown of [{ at: 'nothing' } as const, { at: 'server' } as const, direct, relayed(1)])
      expect(wayWords(shown, true)).toBe('from the server, by plain HTTP');
  });

  it('has words of its own for every route of the protocol', () => {
    const seen: Record<Route, Parameters<typeof wayWords>> = {
      sfu: [{ at: 'server' }, false],
      star: [direct, false],
      tree: [relayed(1), false],
      http: [{ at: 'nothing' }, true],
    };
    const words = Object.values(seen).map((of) => wayWords(...of));
    expect(words).not.toContain('–');
    expect(new Set(words).size).toBe(words.length);
  });
});
