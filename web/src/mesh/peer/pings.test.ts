import { describe, expect, it, vi } from 'vitest';
import { Lag } from '../schedule/uplink';
import { handleFrame } from './frames';
import type { Link } from './link';
import { Links } from './links';
import { MOST_PINGS, Pings } from './pings';
import type { Peer } from './swarm';

describe('a PING', () => {
  it('is answered once, in any order', () => {
    const pings = new Pings();
    expect(pings.answer(0n)).toBe(false);
    for (const value of [7n, 8n, 8n, 9n]) pings.ask(value);
    const answers = [9n, 9n, 8n, 6n, 8n, 8n, 7n].map((value) => pings.answer(value));
    expect(answers).toEqual([true, false, true, false, true, false, true]);
  });

  it('is forgotten when too many wait, the oldest first', () => {
    const pings = new Pings();
    for (let value = 0; value < MOST_PINGS + 2; value++) pings.ask(BigInt(value));
    const answers = [0, 1, 2, MOST_PINGS + 1].map((value) => pings.answer(BigInt(value)));
    expect(answers).toEqual([false, false, true, true]);
  });
});

describe('a PONG', () => {
  it('moves neither the round trip nor the rate when it answers nothing, or again', () => {
    const answered = vi.fn();
    const said: { type: string; value: bigint }[] = [];
    const link = {
      ...{ roundTrip: 50, there: new Lag(), pings: new Pings(), further: [], conn: { relayed: async () => false } },
      say: (frame: (typeof said)[number]) => said.push(frame),
    } as unknown as Link;
    const peer = { flow: { pace: { answered } }, kick: () => undefined } as unknown as Peer;
    const pong = (value: bigint): void => handleFrame(peer, link, { type: 'pong', value, clock: 0 });
    const before = BigInt(Math.floor(performance.now() * 1000)) - 1_000n;
    pong(before);
    expect(answered).not.toHaveBeenCalled();
    expect(link.roundTrip).toBe(50);
    new Links(peer).ask(link, performance.now() - 10);
    const value = said[0]?.value ?? 0n;
    for (let i = 0; i < 3; i++) pong(value);
    expect(answered).toHaveBeenCalledOnce();
  });
});
