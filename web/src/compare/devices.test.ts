import { describe, expect, it } from 'vitest';
import { Devices, devicesOf, type Told } from './devices';

const word = (number: number, second: number, delays: number[], more: Partial<Told> = {}): Told => ({
  number,
  at: 1000 * second,
  route: 'sfu',
  pictures: 100 + 15 * second,
  dropped: 2 * second,
  stalls: 1 + second,
  stalled: 250 * second,
  error: 5,
  delays,
  ...more,
});

describe('further devices', () => {
  it('have numbers in the order of coming, up to a bound', () => {
    const devices = new Devices();
    const { number: _, at: __, ...figures } = word(0, 0, []);
    const told = (endpoint: string) => devices.told({ endpoint, figures }, 7)?.number;
    expect([told('a'), told('b'), told('a')]).toEqual([0, 1, 0]);
    for (let i = 0; i < 30; i++) told(`more ${i}`);
    expect([told('too many'), told('b')]).toEqual([undefined, 1]);
  });

  it('have figures of what was told since the first word', () => {
    const all = [word(0, 0, [900]), word(1, 0, []), word(0, 1, [100, 120]), word(0, 2, [110], { error: 8 })];
    const [first, second] = devicesOf(all);
    expect(first).toMatchObject({
      number: 0,
      kind: 'device',
      pictures: 3,
      delay: { median: 110 },
      error: 8,
      rate: 15,
      dropped: 4,
      stalls: 2,
      stalled: 500,
    });
    expect(second).toMatchObject({ number: 1, pictures: 0, delay: undefined, error: undefined, rate: 0 });
  });

  it('have an error only where each word has one', () => {
    const { error: _, ...unknown } = word(0, 2, [110]);
    expect(devicesOf([word(0, 0, []), word(0, 1, [100]), unknown])[0]?.error).toBeUndefined();
  });

  it('have counts that do not run backwards when a page was loaded anew', () => {
    const again = word(0, 3, [100], { pictures: 4, stalls: 0, stalled: 0, dropped: 0 });
    expect(devicesOf([word(0, 0, []), again])[0]).toMatchObject({ rate: 0, stalls: 0, stalled: 0, dropped: 0 });
  });

  it('have figures of each way that they had', () => {
    const star = (second: number, delays: number[]): Told => word(0, second, delays, { route: 'star' });
    const all = [word(0, 0, []), word(0, 1, [100]), star(2, [50]), star(3, [20, 30, 40]), star(4, [])];
    expect(devicesOf(all)).toMatchObject([
      { route: 'sfu', pictures: 1, delay: { median: 100 }, rate: 15, dropped: 2, stalls: 1 },
      { route: 'star', pictures: 3, delay: { median: 30 }, rate: 15, dropped: 4, stalls: 2 },
    ]);
    // A way that had no time to show anything is not spoken of, unless it is the only one.
    expect(devicesOf(all.slice(0, 3)).map((d) => d.route)).toEqual(['sfu']);
    expect(devicesOf([star(0, [])]).map((d) => d.route)).toEqual(['star']);
  });

  it('are none where nobody told anything', () => expect(devicesOf([])).toEqual([]));
});
