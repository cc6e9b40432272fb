import { describe, expect, it } from 'vitest';
import type { ServerFigures } from '../signal/msg.gen';
import { bars, dropped, recent, rows, swiftness, told, within } from './relaying';

const figures = (more: Partial<ServerFigures>): ServerFigures => ({
  type: 'server-figures',
  in: 0,
  out: 0,
  repeats: 0,
  dropped: [],
  datagrams: 0,
  messages: 0,
  calls: 0,
  delays: [],
  ...more,
});

describe('what the server tells', () => {
  it('keeps the last two, and begins again with a server that did', () => {
    const [one, two, anew] = [
      figures({ in: 10, datagrams: 30 }),
      figures({ in: 20, datagrams: 60 }),
      figures({ in: 30, datagrams: 50 }),
    ];
    expect(told({}, one)).toEqual({ last: one });
    expect(told({ last: one }, two)).toEqual({ before: one, last: two });
    expect(told({ before: one, last: two }, anew)).toEqual({ last: anew });
  });

  it('tells of late what came between the two', () => {
    const before = figures({ datagrams: 100, messages: 50, calls: 10, delays: [1, 2, 0] });
    const last = figures({ datagrams: 160, messages: 80, calls: 20, delays: [1, 6, 4] });
    expect(recent({ before, last })).toEqual({ perMessage: 2, perCall: 3, delays: [0, 4, 4] });
    expect(recent({ last })).toEqual({ perMessage: undefined, perCall: undefined, delays: [] });
    expect(recent({ before: last, last })).toEqual({ perMessage: undefined, perCall: undefined, delays: [0, 0, 0] });
    expect(recent({})).toEqual({ perMessage: undefined, perCall: undefined, delays: [] });
  });
});

describe('time in the server', () => {
  it.each([
    [[], 0.5, undefined],
    [[0, 0, 0], 0.5, undefined],
    [[10, 0, 0], 0.5, 2e-6],
    [[5, 5, 0], 0.5, 2e-6],
    [[4, 6, 0], 0.5, 4e-6],
    [[98, 1, 1], 0.99, 4e-6],
    [[90, 1, 9], 0.99, undefined], // longer than all bounds
  ])('of %j, %f within %s', (delays, share, want) => {
    expect(within(delays, share)).toBe(want);
  });

  it('has words', () => {
    expect(swiftness([])).toBeUndefined();
    expect(swiftness([0, 0])).toBeUndefined();
    expect(swiftness([...Array<number>(9).fill(0), 100, 0])).toBe('99 % within 1.0 ms');
    expect(swiftness([0, 5])).toBe('slow');
  });

  it('has bars without empty ends', () => {
    expect(bars([0, 0, 0])).toEqual([]);
    expect(bars([0, 6, 0, 2, 0])).toEqual([
      { label: 'to 4 µs', share: 0.75 },
      { label: 'to 8 µs', share: 0 },
      { label: 'to 16 µs', share: 0.25 },
    ]);
    expect(bars([0, 1]).map((b) => b.label)).toEqual(['longer']);
  });
});

describe('rows', () => {
  it('are there when something was told', () => {
    expect(rows({})).toEqual([]);
    const delays = [...Array<number>(9).fill(0), 100, 0];
    const last = figures({ in: 9000, out: 26800, repeats: 14, datagrams: 30, messages: 10, calls: 4, delays });
    expect(rows({ before: figures({}), last })).toEqual([
      ['Packets from you', '9,000'],
      ['Packets to viewers', '26,800'],
      ['Of these sent again', '14'],
      ['Half go on within', '1.0 ms'],
      ['Packets in one message', '3.0'],
      ['Messages in one call', '2.5'],
    ]);
  });

  it('name reasons, the most frequent first', () => {
    const list = [
      { reason: 'layer', packets: 2 },
      { reason: 'rtcp_auth', packets: 7 },
      { reason: 'rtcp_short', packets: 2 },
      { reason: 'no_such', packets: 1 },
    ];
    expect(dropped({ last: figures({ dropped: list }) })).toEqual([
      ['Viewers’ reports, not valid', '9'],
      ['Viewer gets a lower quality', '2'],
      ['No such', '1'],
    ]);
    expect(dropped({})).toEqual([]);
  });
});
