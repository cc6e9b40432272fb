import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeConnection, stubConnections } from '../topology/connection.fixture';
import { UNNAMED } from '../topology/serving';
import { passing } from './direct';
import { PassOn } from './pass-on';

let made: FakeConnection[];
const open = (): boolean[] => made.map((c) => c.connectionState !== 'closed');

function passOn(): PassOn {
  return new PassOn({
    send: () => undefined,
    signal: () => undefined,
    passing,
    path: () => undefined,
    stun: () => undefined,
    viewers: () => 0,
    roundTrip: () => undefined,
    figures: () => undefined,
    clock: () => ({ time: 0, error: 0 }),
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => undefined });
  vi.stubGlobal('window', {});
  vi.stubGlobal('navigator', { userAgent: 'X11', maxTouchPoints: 0 });
  made = stubConnections();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('ways of a viewer who passes the picture on', () => {
  it('end soon after the server is back, as it has sent those who had them elsewhere', () => {
    const p = passOn();
    p.welcome();
    p.hear({ type: 'serve', way: 1, to: 'ann' });
    p.welcome();
    p.hear({ type: 'serve', way: 2, to: 'ann' });
    vi.advanceTimersByTime(UNNAMED);
    expect(open()).toEqual([false, true]);
    expect(p.served.value).toBe(1);
  });

  it('end at once when it may not watch any more, or the stream is over', () => {
    const p = passOn();
    p.hear({ type: 'serve', way: 1, to: 'ann' });
    p.stop();
    expect(open()).toEqual([false]);
  });
});
