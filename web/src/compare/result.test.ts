import { describe, expect, it } from 'vitest';
import { emptySnapshot, type Inbound } from '../stats/vocabulary';
import type { Gathered } from './experiment';
import type { Sample } from './figures';
import { csvOf, hopWords, htmlOf, jsonOf, ms, pairedWords, resultOf } from './result';

const pictures = (way: Sample['way'], delay: number): Sample[] =>
  Array.from({ length: 150 }, (_, i) => ({ way, viewer: 0, code: i * 66, at: i * 66 + delay + (i % 5) }));

const gathered: Gathered = {
  ways: ['sfu', 'star'],
  leftOut: [],
  viewers: 1,
  source: 'a <film>.webm',
  seconds: 10,
  began: '2026-11-26T09:00:00.000Z',
  measured: { from: 0, to: 10_000 },
  samples: [...pictures('sfu', 120), ...pictures('star', 100)],
  joins: [{ way: 'sfu', viewer: 0, join: 400, stalls: { count: 0, time: 0 } }],
  snapshots: [0, 10_000].map((time) => ({
    time,
    what: 'sfu uploader',
    snapshot: { ...emptySnapshot, transport: { bytesIn: 0, bytesOut: time * 100 } },
  })),
  devices: [0, 1].map((i) => ({
    number: 0,
    at: 1000 * i,
    device: 'phone' as const,
    route: 'sfu' as const,
    pictures: 100 + 15 * i,
    dropped: i,
    stalls: i,
    stalled: 300 * i,
    join: 500,
    error: 4,
    delays: [140, 160, 150],
  })),
  lateness: 3,
  troubles: [],
};
const about = { browser: 'a browser', cores: 2, page: '0' };

describe('the result', () => {
  it('has figures, pairs and uploads of what was gathered', () => {
    const r = resultOf(gathered);
    expect(r.invalid).toEqual([]);
    expect(r.ways.map((w) => [w.way, w.median])).toEqual([
      ['sfu', 122],
      ['star', 102],
    ]);
    expect(r.paired).toMatchObject([
      { base: 'sfu', other: 'star', pairs: 150, mean: -20, median: -20, low: -20, high: -20 },
    ]);
    expect(r.uploads[0]).toEqual({ way: 'sfu', bitrate: 800_000, encodes: 1 });
    expect(pairedWords(r.paired[0] as NonNullable<(typeof r.paired)[0]>)).toMatch(
      /^Straight from here, against by the server, by 150 pictures that both showed: 20 ms sooner/,
    );
  });

  it.each<[string, Partial<Gathered>, RegExp]>([
    ['a machine that is late', { lateness: 10.1 }, /timers/],
    ['a machine of which nothing is known', { lateness: undefined }, /timers/],
    ['a way without pictures', { samples: pictures('sfu', 1) }, /Straight from here: no pictures/],
    ['trouble', { troubles: ['It was ended early.'] }, /ended early/],
  ])('is invalid after %s', (_, change, words) => {
    const changed = { ...gathered, ...change };
    expect(resultOf(changed).invalid.join(' ')).toMatch(words);
    expect(htmlOf(changed, about)).toContain('Invalid');
  });

  it('is as valid without a way that was left out, and says why it was', () => {
    const without = {
      ...gathered,
      leftOut: [{ way: 'http' as const, why: 'This server does not <take> plain HTTP.' }],
    };
    expect(resultOf(without).invalid).toEqual([]);
    expect(htmlOf(without, about)).toContain(
      '<p>“Plain HTTP” is left out. This server does not &lt;take&gt; plain HTTP.</p>',
    );
    expect(JSON.parse(jsonOf(without, about))).toMatchObject({ leftOut: without.leftOut });
    expect(htmlOf(gathered, about)).not.toContain('left out');
  });

  it('says that nothing was measured, and of no way that it had no pictures', () => {
    const words = 'It was ended before anything was measured.';
    const ended = { ...gathered, measured: undefined, samples: [], joins: [], lateness: undefined, troubles: [words] };
    expect(resultOf(ended)).toMatchObject({ ways: [], paired: [], invalid: [words] });
  });

  const until = (way: Sample['way'], end: number): Sample[] => pictures(way, 100).filter((s) => s.at < end);

  const at = (viewer: number, list: Sample[]): Sample[] => list.map((s) => ({ ...s, viewer }));
  const both = (list: Sample[]): Sample[] => [...list, ...at(1, list)];

  it.each<[string, Partial<Gathered>, RegExp]>([
    ['has none', { samples: pictures('sfu', 1) }, /Straight from here: no pictures\./],
    [
      'has hardly any',
      { samples: [...pictures('sfu', 1), ...pictures('star', 1).filter((_, i) => i % 5 === 0)] },
      /Straight from here: hardly any pictures, 30 where another viewer had 150\./,
    ],
    [
      'stops in the middle',
      { samples: [...pictures('sfu', 1), ...until('star', 6_000)] },
      /Straight from here: the picture stood still for 4\.\d seconds\./,
    ],
    [
      'stops at one of two viewers',
      { viewers: 2, samples: [...both(pictures('sfu', 1)), ...pictures('star', 1), ...at(1, until('star', 900))] },
      /Straight from here, viewer 2: hardly any pictures/,
    ],
  ])('has a reason and no figure of a way that %s', (_, change, words) => {
    const r = resultOf({ ...gathered, ...change });
    expect(r.invalid.join(' ')).toMatch(words);
    expect(r.ways.map((w) => w.way)).toEqual(['sfu']);
    expect(r.paired).toEqual([]);
  });

  it('has no hop of a tree that stood still', () => {
    const tree = [...pictures('tree', 60), ...at(1, until('tree', 5_000))];
    const r = resultOf({ ...gathered, viewers: 2, ways: ['tree'], samples: tree });
    expect(r.invalid.join(' ')).toMatch(/Passed on by viewers, viewer 2: the picture stood still/);
    expect(r).toMatchObject({ hop: undefined, ways: [] });
  });

  it('says what a viewer who passes on adds, and how large the picture came', () => {
    const late = pictures('tree', 60).map((s) => ({ ...s, viewer: 1, at: s.at + 48 }));
    const came = (time: number) => ({
      time,
      what: 'sfu viewer 1',
      snapshot: {
        ...emptySnapshot,
        inbound: [{ kind: 'video', width: 320, height: 180 } as Inbound],
        transport: { bytesIn: time * 50, bytesOut: 0 },
      },
    });
    const snapshots = [...gathered.snapshots, came(0), came(10_000)];
    const html = htmlOf(
      { ...gathered, snapshots, samples: [...gathered.samples, ...pictures('tree', 60), ...late] },
      about,
    );
    expect(html).toContain('adds 48 ms on average and 48 ms in the median');
    expect(html).toContain('--hop-ms 48');
    expect(html).toContain('<td>320 × 180</td><td>400 kbit/s</td><td>800 kbit/s</td><td>1</td><td>150</td>');
  });

  it.each<[number, string]>([
    [0, '0 ms'],
    [-0, '0 ms'],
    [-0.04, '0 ms'],
    [0.04, '0 ms'],
    [-0.4, '-0.4 ms'],
    [3.21, '3.2 ms'],
    [-14.4, '-14 ms'],
    [120.4, '120 ms'],
  ])('tells %d as %s', (value, words) => expect(ms(value)).toBe(words));

  it.each<[number, RegExp]>([
    [1, /\(by one second alone, too little for an interval\)/],
    [
      3,
      /\(by 3 seconds alone, whose medians lie between 20 ms sooner and 20 ms sooner, which is worth 75 % of confidence\)/,
    ],
    [5, /worth 93 % of confidence\)/],
    [6, /\(with at least 95 % of confidence between 20 ms sooner and 20 ms sooner\)/],
  ])('says what the interval of %d seconds is', (blocks, words) => {
    const samples = gathered.samples.filter((s) => s.code < 1000 * blocks);
    const paired = resultOf({ ...gathered, samples, measured: { from: 0, to: 1000 * blocks } }).paired[0];
    expect(paired?.blocks).toBe(blocks);
    expect(pairedWords(paired as NonNullable<typeof paired>)).toMatch(words);
    const hop = { pairs: 10, mean: 20, median: 33, low: -0.01, high: 33, blocks, confidence: paired?.confidence ?? 0 };
    if (blocks > 1) expect(hopWords(hop, 6)).toContain('between 0 ms and 33 ms');
    expect(hopWords(hop, 6)).toContain('--hop-ms 20 --hop-cpu 6');
    expect(hopWords(hop, 6)).toMatch(blocks < 6 ? /alone/ : /at least 95 %/);
  });

  it('can be computed again from its own file', () => {
    const { result, ...rest } = JSON.parse(jsonOf(gathered, about)) as Gathered & { result: unknown };
    expect(JSON.parse(JSON.stringify(resultOf(rest)))).toEqual(result);
  });

  it('is a table of pictures, and a page that is safe to open', () => {
    expect(csvOf(gathered).split('\n')).toHaveLength(308);
    expect(csvOf(gathered).split('\n')[1]).toBe('sfu,1,0,120,120');
    expect(csvOf(gathered).split('\n')[301]).toBe('sfu,device 1,,0,140');
    const html = htmlOf(gathered, about);
    expect(html).toContain('a &lt;film&gt;.webm');
    expect(html).not.toContain('<film>');
    expect(html).toContain('20 ms sooner');
    expect(html).toContain('The interval is that of this run alone.');
    expect(html).toContain('<th scope="row">Device 1, phone</th><td>By the server</td><td>150 ms</td>');
    expect(htmlOf({ ...gathered, devices: [] }, about)).not.toContain('Further devices');
  });
});
