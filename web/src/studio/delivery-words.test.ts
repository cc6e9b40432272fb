import { describe, expect, it } from 'vitest';
import { delayWords, depthWords, OPTIONS, placeWords, showsAddresses } from './delivery-words';

const names = (endpoint: string): string => `viewer ${endpoint}`;

describe('the ways to viewers', () => {
  it('are four, and all but the first show addresses', () => {
    expect(OPTIONS.map((o) => [o.topology, showsAddresses(o.topology)])).toEqual([
      ['sfu', false],
      ['star', true],
      ['tree', true],
      ['auto', true],
    ]);
  });

  it('are told for each viewer', () => {
    expect(placeWords({ endpoint: '1', via: 'sfu', relays: 0 }, names)).toBe('from the server');
    expect(placeWords({ endpoint: '1', via: 'direct', relays: 0 }, names)).toBe('straight from you');
    expect(placeWords({ endpoint: '3', via: 'relayed', from: '2', relays: 2 }, names)).toBe(
      'from viewer 2, relayed by 2 viewers',
    );
  });

  it('have a delay that is measured, reckoned or not known', () => {
    const place = { endpoint: '1', via: 'sfu', relays: 0 } as const;
    expect(delayWords(place)).toBe('not known yet');
    expect(delayWords({ ...place, delay: 120 })).toBe('about 120 ms');
    expect(delayWords({ ...place, delay: 120, measured: true })).toBe('120 ms');
  });

  it('have a depth', () => {
    expect([0, 1, 2, 3].map((depth) => depthWords({ depth }))).toEqual([
      'all by the server',
      '1 step',
      '2 steps, over 1 viewer',
      '3 steps, over 2 viewers',
    ]);
  });
});
