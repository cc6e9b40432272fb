import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeConnection, stubConnections } from './connection.fixture';
import { Serving, UNNAMED } from './serving';

let made: FakeConnection[];
const open = (): boolean[] => made.map((c) => c.connectionState !== 'closed');

function serving(): Serving {
  return new Serving({
    stun: () => undefined,
    tracks: () => ({ video: null, audio: null }),
    limits: () => ({}),
    audioBitrate: 1,
    codecs: () => [],
    send: () => undefined,
    failed: () => undefined,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  made = stubConnections();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('ways that a page serves, when the server has let it in anew', () => {
  it('go on where the server names them, and end soon where it does not', () => {
    const s = serving();
    s.serve(1, 'ann');
    s.serve(2, 'bob');
    s.welcome();
    s.serve(2, 'bob');
    s.serve(3, 'cem');
    expect(open()).toEqual([true, true, true]);
    vi.advanceTimersByTime(UNNAMED);
    expect(open()).toEqual([false, true, true]);
    expect(s.size).toBe(2);
  });

  it('have their time from the latest welcome', () => {
    const s = serving();
    s.serve(1, 'ann');
    s.welcome();
    vi.advanceTimersByTime(UNNAMED - 1);
    s.welcome();
    vi.advanceTimersByTime(UNNAMED - 1);
    expect(open()).toEqual([true]);
    vi.advanceTimersByTime(1);
    expect(open()).toEqual([false]);
  });

  it('end at once when nothing is to be sent any more', () => {
    const s = serving();
    s.serve(1, 'ann');
    s.welcome();
    s.close();
    expect(open()).toEqual([false]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are made anew where a number leads to somebody else', () => {
    const s = serving();
    s.serve(1, 'ann');
    s.serve(1, 'bob');
    expect(open()).toEqual([false, true]);
  });
});
