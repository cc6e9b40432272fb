import { describe, expect, it } from 'vitest';
import type { Logged } from '../stats/log';
import { emptySnapshot, type Inbound, type Outbound } from '../stats/vocabulary';
import { workOf } from './hop';

const entry = (what: string, second: number, work: { decodeTime?: number; encodeTime?: number }): Logged => ({
  time: 1000 * second,
  what,
  snapshot: {
    ...emptySnapshot,
    inbound: work.decodeTime === undefined ? [] : [{ kind: 'video', decodeTime: work.decodeTime } as Inbound],
    outbound: work.encodeTime === undefined ? [] : [{ kind: 'video', encodeTime: work.encodeTime } as Outbound],
  },
});

describe('the work of passing on', () => {
  it('is that of the decoder and of all encoders of the one who does it', () => {
    const all = [0, 10].flatMap((second) => [
      entry('tree viewer 1', second, { decodeTime: 1 + second * 0.02 }),
      entry('tree viewer 1 to 2', second, { encodeTime: second * 0.05 }),
      entry('tree viewer 1 to 3', second, { encodeTime: second * 0.03 }),
      entry('tree uploader to 1', second, { encodeTime: second }),
      entry('tree viewer 2', second, { decodeTime: second }),
    ]);
    expect(workOf(all)).toBeCloseTo(10);
  });

  it('is not known where nobody passes on, or the browser does not tell', () => {
    expect(workOf([entry('tree viewer 1', 0, { decodeTime: 0 }), entry('tree viewer 1', 9, { decodeTime: 1 })])).toBe(
      undefined,
    );
    const silent = [0, 9].flatMap((s) => [
      entry('tree viewer 1', s, { decodeTime: 0 }),
      entry('tree viewer 1 to 2', s, { encodeTime: 0 }),
    ]);
    expect(workOf(silent)).toBeUndefined();
  });
});
