import { expect, it } from 'vitest';
import { hex } from '../bytes';
import type { Config } from './config';
import { Door } from './door';
import type { Introduction } from './introduce';
import { Reception } from './reception';

it('keeps nothing of those whom the door has forgotten', async () => {
  const door = new Door({ approve: false, password: 'right', most: 0 }, 1e15, () => 41);
  const intro = { members: new Map(), memberWith: () => undefined, tell: async () => undefined };
  const cfg = { tell: () => undefined } as unknown as Config;
  const reception = new Reception(cfg, door, intro as unknown as Introduction, async () => undefined);
  const guests = Array.from({ length: 1_100 }, (_, i) => Uint8Array.of(i >> 8, i));
  for (const dh of guests) {
    await reception.asked('endpoint', dh, { type: 'ask', name: '', password: 'wrong', fingerprint: dh });
  }
  expect(door.guests.size).toBe(1_000);
  for (const dh of guests) {
    const { dh: known } = reception.whereabouts(hex(dh));
    expect(known !== undefined).toBe(door.guests.has(hex(dh)));
  }
});
