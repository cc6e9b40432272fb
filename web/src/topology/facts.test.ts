import { describe, expect, it, vi } from 'vitest';
import { compact, deviceOf, type Facts, type Hints, hints, isMetered, Teller, whole } from './facts';

const of = (userAgent: string, more: Partial<Hints> = {}): Hints => ({ userAgent, touchPoints: 0, ...more });

describe('the kind of machine', () => {
  it.each<[string, Hints, string | undefined]>([
    [
      'Windows',
      of('Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0 Safari/537.36', { mobile: false }),
      'desktop',
    ],
    ['Windows with a touch screen', of('Mozilla/5.0 (Windows NT 10.0) Firefox/153.0', { touchPoints: 10 }), 'desktop'],
    ['a Mac', of('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15'), 'desktop'],
    ['Linux', of('Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0'), 'desktop'],
    ['a Chromebook', of('Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/156.0'), 'desktop'],
    ['an iPhone', of('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148'), 'phone'],
    ['an iPad that says so', of('Mozilla/5.0 (iPad; CPU OS 12_0 like Mac OS X) Mobile/15E148'), 'tablet'],
    [
      'an iPad that says it is a Mac',
      of('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15)', { touchPoints: 5 }),
      'tablet',
    ],
    ['an Android phone', of('Mozilla/5.0 (Linux; Android 10; K) Chrome/156.0 Mobile Safari/537.36'), 'phone'],
    ['an Android tablet', of('Mozilla/5.0 (Linux; Android 10; K) Chrome/156.0 Safari/537.36'), 'tablet'],
    [
      'an Android phone that shows the desktop’s site',
      of('Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36', { mobile: false, touchPoints: 5, coarse: true }),
      'tablet',
    ],
    [
      'Linux with a touch screen and a mouse',
      of('Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0', { touchPoints: 10, coarse: false }),
      'desktop',
    ],
    ['another telephone', of('Mozilla/5.0 (Mobile; rv:48.0) KAIOS/2.5'), 'phone'],
    ['nothing known', of('curl/8'), undefined],
  ])('%s', (_, given, want) => expect(deviceOf(given)).toBe(want));
});

describe('a line that is paid by the byte', () => {
  it.each<[Partial<Hints>, boolean]>([
    [{}, false],
    [{ saveData: false, line: 'wifi' }, false],
    [{ saveData: true }, true],
    [{ line: 'cellular' }, true],
  ])('%j: %s', (more, want) => expect(isMetered(of('x', more))).toBe(want));

  it('is read from what the browser has', () => {
    vi.stubGlobal('matchMedia', (query: string) => ({ matches: query === '(pointer: coarse)' }));
    const from = { userAgent: 'x', maxTouchPoints: 3, connection: { saveData: true, type: 'wifi' } };
    expect(hints(from as unknown as Navigator)).toEqual({
      userAgent: 'x',
      mobile: undefined,
      coarse: true,
      touchPoints: 3,
      saveData: true,
      line: 'wifi',
    });
    vi.unstubAllGlobals();
  });
});

describe('telling', () => {
  const plain: Facts = { device: 'desktop', roundTrip: 20 };

  it('says everything at first, and again to a server that has forgotten', () => {
    const teller = new Teller();
    expect(teller.take(plain, 1, 0)).toEqual({ type: 'facts', device: 'desktop', roundTrip: 20 });
    expect(teller.take(plain, 1, 60_000)).toBeUndefined();
    teller.reset();
    expect(teller.take(plain, 1, 60_001)).toBeDefined();
  });

  it.each<Partial<Facts>>([{ hidden: true }, { metered: true }, { refuses: true }, { device: 'phone' }])(
    'says at once what bars passing on: %j',
    (change) => {
      const teller = new Teller();
      teller.take(plain, 1_000, 0);
      expect(teller.take({ ...plain, ...change }, 1_000, 1)).toMatchObject(change);
    },
  );

  it('says numbers when they are others, and not often', () => {
    const teller = new Teller();
    teller.take(plain, 1, 0);
    expect(teller.take({ ...plain, roundTrip: 90 }, 1, 4_999)).toBeUndefined();
    expect(teller.take({ ...plain, roundTrip: 24 }, 1, 5_000)).toBeUndefined();
    expect(teller.take({ ...plain, roundTrip: 90 }, 100, 5_000)).toBeUndefined();
    expect(teller.take({ ...plain, roundTrip: 90 }, 1, 5_000)).toBeDefined();
    expect(teller.take({ ...plain, roundTrip: 90, uplink: 5_000_000 }, 100, 65_000)).toBeDefined();
  });
});

describe('members', () => {
  it('that say nothing are left out', () => {
    expect(compact({ device: undefined, hidden: false, metered: true, roundTrip: 0, leg: 12 })).toEqual({
      metered: true,
      leg: 12,
    });
  });

  it('are whole numbers within bounds', () => {
    expect([whole(12.6), whole(-5), whole(undefined), whole(Number.NaN), whole(9e12), whole(9, 5)]).toEqual([
      13,
      undefined,
      undefined,
      undefined,
      2_000_000_000,
      5,
    ]);
  });
});
