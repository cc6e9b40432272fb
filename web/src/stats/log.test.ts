import { describe, expect, it } from 'vitest';
import { SampleLog } from './log';
import { emptySnapshot } from './vocabulary';

describe('the log of samples', () => {
  it('gives back what it was told, as JSON and as a table', () => {
    const log = new SampleLog();
    expect(log.empty).toBe(true);
    log.snapshot({ time: 5, what: 'sfu', snapshot: emptySnapshot });
    log.picture({ what: 'a "way"', at: 1.00049, code: 2, byStrip: 3.25 });
    const all = JSON.parse(log.json({ page: 'watch' }));
    expect(all).toMatchObject({ page: 'watch', snapshots: [{ time: 5, what: 'sfu' }], pictures: [{ at: 1.00049 }] });
    expect(log.csv().split('\n')).toEqual([
      'what,shown_at_ms,code_ms,delay_by_strip_ms,delay_by_capture_ms,clock_error_ms',
      '"a ""way""",1,2,3.25,,',
      '',
    ]);
  });

  it('keeps as much of several connections', () => {
    const log = new SampleLog(3);
    for (let i = 0; i < 2_000; i++) log.snapshot({ time: i, what: String(i % 3), snapshot: emptySnapshot });
    expect(JSON.parse(log.json({})).snapshots).toHaveLength(1_800);
  });

  it('keeps the latest', () => {
    const log = new SampleLog();
    for (let i = 0; i < 1_000; i++) log.snapshot({ time: i, what: '', snapshot: emptySnapshot });
    for (let i = 0; i < 50_000; i++) log.picture({ what: '', at: i });
    const { snapshots, pictures } = JSON.parse(log.json({}));
    expect(snapshots).toHaveLength(600);
    expect(snapshots.at(-1).time).toBe(999);
    expect(pictures.length).toBeGreaterThanOrEqual(18_000);
    expect(pictures.length).toBeLessThan(20_000);
    expect(pictures.at(-1).at).toBe(49_999);
  });
});
