import { describe, expect, it } from 'vitest';
import { derive, type Figures } from './rates';
import { sum, type Total, Uplink } from './total';
import { emptySnapshot, type Outbound, type Snapshot } from './vocabulary';

const track = (id: string, frames: number, more: Partial<Outbound> = {}): Outbound => ({
  direction: 'out',
  kind: 'video',
  id,
  packets: frames,
  bytes: frames * 1000,
  nacks: 0,
  plis: 0,
  firs: 0,
  retransmittedPackets: 0,
  framesEncoded: frames,
  framesSent: frames,
  keyFrames: 1,
  encodeTime: 0,
  remoteLost: 0,
  ...more,
});

const at = (ms: number, bytesOut: number, outbound: Outbound[], available?: number): Snapshot => ({
  ...emptySnapshot,
  at: ms,
  outbound,
  transport: { bytesIn: 0, bytesOut, ...(available === undefined ? {} : { available }) },
});

/** A connection that encodes so many pictures a second. */
const figures = (frames: number, available?: number, more: Partial<Outbound> = {}): Figures =>
  derive(at(0, 0, [track('v', 0)], available), at(1000, frames * 1000, [track('v', frames, more)], available));

describe('several connections together', () => {
  it('are nothing when there are none', () => {
    expect(sum([])).toEqual({ bitrateOut: 0, encodes: 0, available: undefined, limited: false });
  });

  it('add up, and share one line', () => {
    expect(sum([figures(15, 1e6), figures(15, 2e6, { limitedBy: 'bandwidth' })])).toEqual({
      bitrateOut: 240_000,
      encodes: 2,
      available: 2e6 + 120_000,
      limited: true,
    });
  });

  it('do not count what is not sent', () => {
    expect(sum([figures(15, 1e6), figures(0, 5e6)])).toMatchObject({ encodes: 1, available: 1e6 });
  });

  it('know the line where one of them tells', () => {
    expect(sum([figures(15, 1e6), figures(15)]).available).toBe(1e6 + 120_000);
    expect(sum([figures(15)]).available).toBeUndefined();
  });
});

describe('the line upwards', () => {
  const total = (more: Partial<Total>): Total => ({
    bitrateOut: 1,
    encodes: 1,
    available: 4e6,
    limited: false,
    ...more,
  });

  it('is believed after the first seconds only', () => {
    const uplink = new Uplink();
    expect(uplink.observe(total({}), 0).uplink).toBeUndefined();
    expect(uplink.observe(total({}), 9_999).uplink).toBeUndefined();
    expect(uplink.observe(total({}), 10_000)).toEqual({ uplink: 4e6, atLeast: true });
  });

  it('is a bound when it has kept pictures down for as long, and not when another connection begins', () => {
    const uplink = new Uplink();
    uplink.observe(total({}), 0);
    expect(uplink.observe(total({ limited: true }), 20_000).atLeast).toBe(true);
    expect(uplink.observe(total({ limited: true }), 29_999).atLeast).toBe(true);
    expect(uplink.observe(total({ limited: true }), 30_000)).toEqual({ uplink: 4e6, atLeast: false });
    expect(uplink.observe(total({}), 31_000).atLeast).toBe(true);
  });

  it('is learnt anew when nothing was sent for a while', () => {
    const uplink = new Uplink();
    uplink.observe(total({}), 0);
    uplink.observe(total({ available: undefined }), 10_000);
    expect(uplink.observe(total({}), 11_000).uplink).toBeUndefined();
  });
});
