import { expect, it } from 'vitest';
import { hex } from '../bytes';
import { newSigningKeys } from '../sign';
import type { Config, Event } from './config';
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

it('tells of one who was put back when it is let in again', async () => {
  const told: Event[] = [];
  const answers: string[] = [];
  const share = { keys: await newSigningKeys(), expires: 1e15 };
  const cfg = { share, link: { room: 'room' }, tell: (event: Event) => told.push(event) } as unknown as Config;
  const intro = {
    memberWith: () => undefined,
    members: new Map([['there', {}]]),
    tell: async (_: unknown, __: unknown, { type }: { type: string }) => void answers.push(type),
  } as unknown as Introduction;
  let serial = 0;
  const door = new Door({ approve: false, password: '', most: 1 }, 1e15, () => ++serial);
  const reception = new Reception(cfg, door, intro, async () => undefined);
  const dh = new Uint8Array(65);
  const key = '00'.repeat(65);
  const asks = () => reception.asked('there', dh, { type: 'ask', fingerprint: new Uint8Array(32), name: 'Anna' });
  const admitted = () => told.filter(({ kind }) => kind === 'admitted').length;
  await asks();
  await asks();
  expect(admitted()).toBe(1);
  door.ask('another', '', '', 0);
  expect(door.takes('another', 2)).toEqual([key]);
  await reception.putBack(key);
  await asks();
  expect(admitted()).toBe(1);
  door.free('another');
  await asks();
  expect(admitted()).toBe(2);
  expect(answers).toEqual(['token', 'token', 'refused', 'refused', 'token']);
});
