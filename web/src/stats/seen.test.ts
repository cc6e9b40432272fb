import { describe, expect, it } from 'vitest';
import { SeenMeter } from './seen';

const rest = { stalls: { count: 2, time: 600.4 }, join: 412.6, dropped: 3 };
const picture = (byStrip: number, error?: number) => ({ at: 0, byStrip, ...(error === undefined ? {} : { error }) });

describe('what a page has seen', () => {
  it('is told in whole numbers, delays once', () => {
    const meter = new SeenMeter();
    meter.observe(picture(140.4, 5.2));
    meter.observe(undefined);
    meter.observe(picture(151.6, 3));
    const told = { pictures: 3, dropped: 3, stalls: 2, stalled: 600, join: 413 };
    expect(meter.take('sfu', rest)).toEqual({ route: 'sfu', ...told, error: 6, delays: [140, 152] });
    expect(meter.take('http', { ...rest, join: undefined })).toEqual({
      route: 'http',
      pictures: 3,
      dropped: 3,
      stalls: 2,
      stalled: 600,
      delays: [],
    });
  });

  it('stays within what the server takes', () => {
    const meter = new SeenMeter();
    for (let i = 0; i < 100; i++) meter.observe(picture(i));
    meter.observe(picture(-70_000));
    const seen = meter.take('sfu', { ...rest, dropped: 5e9 });
    expect([seen.delays.length, seen.pictures, seen.dropped]).toEqual([64, 101, 1e9]);
  });

  it('has no error where that of one picture is not known', () => {
    const meter = new SeenMeter();
    meter.observe(picture(100, 4));
    meter.observe(picture(100));
    expect(meter.take('sfu', rest).error).toBeUndefined();
  });

  it('forgets delays of another way', () => {
    const meter = new SeenMeter();
    meter.observe(picture(100, 4));
    meter.forget();
    expect(meter.take('star', rest)).toMatchObject({ pictures: 1, delays: [] });
  });
});
