import { describe, expect, it } from 'vitest';
import { FLOW, Flow } from './flow';

/** After how many ms of looking pictures are said to flow, where so many have been decoded at each time. */
function flowsAfter(decoded: (now: number) => number): number {
  const flow = new Flow();
  for (let now = 0; ; now += FLOW.look) {
    if (flow.observe(decoded(now), now)) return now;
  }
}

describe('pictures flow', () => {
  it.each([
    ['a film', 30, 300],
    ['a slow film', 15, 300],
    ['five a second', 5, 600],
    ['three a second', 3, 1_000],
    ['those that are sent while nobody needs them', 1, FLOW.atLatest],
  ])('%s', (_, rate, after) => {
    expect(flowsAfter((now) => 1 + Math.floor((now * rate) / 1_000))).toBe(after);
  });

  it('not by those that have waited', () => {
    expect(flowsAfter((now) => Math.min(1 + now / 40, 6) + Math.floor(now / 1_000))).toBe(FLOW.atLatest);
  });

  it('when they begin to, and at the latest when there may be no more', () => {
    expect(flowsAfter((now) => 1 + Math.max(0, Math.floor((now - 700) / 66)))).toBe(1_100);
    expect(flowsAfter(() => 1)).toBe(FLOW.atLatest);
  });
});
