import { describe, expect, it } from 'vitest';
import type { Logged } from '../stats/log';
import { emptySnapshot, type Inbound } from '../stats/vocabulary';
import { receivedOf } from './received';

const track = { kind: 'video', direction: 'in' } as Inbound;
const at = (what: string, second: number, bytesIn: number, width: number, height: number): Logged => ({
  time: 1000 * second,
  what,
  snapshot: {
    ...emptySnapshot,
    inbound: [{ ...track, width, height }],
    transport: { bytesIn, bytesOut: 0 },
  },
});

describe('what came', () => {
  it('is the rate of the median viewer and the smallest picture of all', () => {
    const all = [
      at('sfu viewer 1', 0, 0, 0, 0),
      at('sfu viewer 2', 0, 5_000, 320, 180),
      at('star viewer 1', 0, 0, 64, 36),
      at('sfu viewer 1', 10, 250_000, 320, 180),
      at('sfu viewer 2', 10, 130_000, 160, 90),
      at('sfu viewer 3', 10, 9_000_000, 320, 180),
    ];
    expect(receivedOf('sfu', all)).toEqual({ bitrate: 100_000, width: 160, height: 90 });
  });

  it('is not known of a way without viewers, nor by what an end sends', () => {
    const sends = { ...at('tree viewer 1 to 2', 0, 0, 0, 0), snapshot: emptySnapshot };
    expect(receivedOf('tree', [sends])).toBeUndefined();
    expect(receivedOf('tree', [])).toBeUndefined();
  });
});
