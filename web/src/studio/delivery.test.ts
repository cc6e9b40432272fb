import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientMessage, ServerMessage, Welcome } from '../signal/msg.gen';
import type { Snapshot } from '../stats/vocabulary';
import { type FakeConnection, stubConnections } from '../topology/connection.fixture';
import { UNNAMED } from '../topology/serving';
import { Delivery } from './delivery';

let made: FakeConnection[];
const open = (): boolean[] => made.map((c) => c.connectionState !== 'closed');

function delivery(
  said: ClientMessage[] = [],
  recorded: () => number | undefined = () => undefined,
  direct: (viewer: number, snapshot: Snapshot) => void = () => undefined,
): Delivery {
  return new Delivery({
    topology: () => 'star',
    send: (message) => said.push(message),
    stun: () => undefined,
    tracks: () => ({ video: null, audio: null }),
    limits: () => ({ maxBitrate: 1_000_000 }),
    codecs: () => [],
    connection: () => undefined,
    recorded,
    viewers: () => 0,
    roundTrip: () => undefined,
    clock: () => ({ time: 0, error: 0 }),
    direct,
    spared: () => undefined,
  });
}

const welcome = { type: 'welcome' } as Welcome;
const serve = (way: number): ServerMessage => ({ type: 'serve', way, to: `v${way}` });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => undefined });
  made = stubConnections();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('direct ways of the studio', () => {
  it('end at once when the link is changed', () => {
    const d = delivery();
    for (const message of [welcome, serve(1), serve(2)]) d.hear(message);
    d.hear({ type: 'server-copy', wanted: false });
    d.hear({ type: 'moved', name: 'new', url: 'https://host/w/new' });
    expect(open()).toEqual([false, false]);
    expect(d.spared.value).toBe(false);
  });

  it('end soon after it is back, but for those that the server names anew', () => {
    const d = delivery();
    for (const message of [welcome, serve(1), serve(2), welcome, serve(2)]) d.hear(message);
    expect(open()).toEqual([true, true]);
    vi.advanceTimersByTime(UNNAMED);
    expect(open()).toEqual([false, true]);
  });
});

describe('what the studio sends', () => {
  it('is told of each direct connection, by the number of the viewer', async () => {
    const told: [number, number][] = [];
    const d = delivery([], undefined, (viewer, { at }) => told.push([viewer, at]));
    d.begin();
    d.hear(serve(1));
    d.hear(serve(2));
    made.forEach((one, i) => {
      Object.assign(one, { getStats: async () => new Map([['t', { id: 't', type: 'transport', timestamp: i + 10 }]]) });
    });
    await vi.advanceTimersByTimeAsync(1_000);
    d.hear({ type: 'way-end', way: 1 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual([
      [1, 10],
      [2, 11],
      [2, 11],
    ]);
  });

  it('is what goes by plain HTTP, too', async () => {
    let sent: number | undefined;
    const d = delivery([], () => sent);
    d.begin();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(d.total.value).toMatchObject({ bitrateOut: 0, encodes: 0 });
    sent = 1_000;
    await vi.advanceTimersByTimeAsync(1_000);
    sent += 50_000;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(d.total.value.encodes).toBe(1);
    expect(d.total.value.bitrateOut).toBeCloseTo(400_000, -3);
    sent = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(d.total.value).toMatchObject({ bitrateOut: 0, encodes: 0 });
  });
});
