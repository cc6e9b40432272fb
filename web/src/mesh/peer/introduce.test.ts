import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '../../signal/msg.gen';
import { toBase64 } from '../base64';
import type { Bytes } from '../bytes';
import { openPair, PAIR, sealGroup, sealPair } from '../envelope';
import { type Agreement, keyHash, newAgreement, pairKeys, random, roomKeys } from '../keys';
import { type GroupMessage, newCard } from '../messages';
import { newSigningKeys, pointOf } from '../sign';
import type { Config } from './config';
import { Introduction, type IntroductionHandlers } from './introduce';
import { MOST_MEMBERS } from './members';
import type { Room } from './room';

/** A receiver, alone with what the server and others say to it. */
async function receiver() {
  const signing = await newSigningKeys();
  const link = {
    server: 'https://x',
    room: 'room',
    secret: random(16),
    key: await keyHash(await pointOf(signing.publicKey)),
  };
  const keys = await roomKeys(link.secret, link.room);
  const agreement = await newAgreement();
  const cfg = {
    link,
    identity: { agreement, fingerprint: random(32) },
    fetch: { name: 'Anna', password: '' },
    tell: ({ kind }: { kind: string }) => told.push(kind),
  } as unknown as Config;
  const [told, moved]: [string[], string[]] = [[], []];
  const sent: { to: string; sealed: Bytes }[] = [];
  const room = { envelope: (to: string, sealed: Bytes) => sent.push({ to, sealed }), send: () => undefined };
  const on: Partial<IntroductionHandlers> = {
    changed: () => undefined,
    moved: (endpoint) => moved.push(endpoint),
    negotiate: async () => undefined,
  };
  const intro = new Introduction(cfg, keys, room as unknown as Room, undefined, on as IntroductionHandlers);
  intro.heard({
    type: 'welcome',
    endpoint: 'me',
    files: { owner: 'uploader', expires: 0, members: 64 },
    room: { kind: 'files', name: 'room' },
  } as unknown as ServerMessage);
  const deliver = (from: string, sealed: Bytes): void =>
    intro.heard({ type: 'deliver', from, sealed: toBase64(sealed) });
  return {
    ...{ intro, told, moved, signing, link },
    /** Says something to all who have the link, in its own name. */
    say: async (from: string, message: GroupMessage) =>
      deliver(from, await sealGroup(keys, { from, to: 'me' }, message)),
    card: (dh: Bytes) => newCard(signing, link.room, dh),
    /** Shows by an envelope that it has its key. */
    prove: async (from: string, own: Agreement) => {
      const pair = await pairKeys(own, agreement.dh, link.secret, link.room);
      deliver(from, await sealPair(pair, { from, to: 'me' }, { type: 'wait' }));
    },
    /** All that came before has been looked at. */
    settled: () => new Promise<void>((resolve) => intro.later(async () => resolve())),
    /** Where asks went that this key opens. */
    asked: async (own: Agreement): Promise<string[]> => {
      const pair = await pairKeys(own, agreement.dh, link.secret, link.room);
      const opened = sent.map(async ({ to, sealed }) => {
        if (sealed[0] !== PAIR) return [];
        const message = await openPair(pair, { from: 'me', to }, sealed).catch(() => undefined);
        return message?.type === 'ask' ? [to] : [];
      });
      return (await Promise.all(opened)).flat();
    },
  };
}

describe('the uploader', () => {
  it('is where the server says, whoever else sends its card', async () => {
    const r = await receiver();
    const uploader = await newAgreement();
    await r.say('uploader', await r.card(uploader.dh));
    await r.say('hostile', await r.card(uploader.dh));
    await r.say('hostile', await r.card((await newAgreement()).dh)); // an old one of the same uploader
    await r.settled();
    r.intro.askNow();
    await r.settled();
    expect(r.intro.uploaderAt).toBe('uploader');
    expect(r.intro.uploader).toEqual(uploader.dh);
    expect([...new Set(await r.asked(uploader))]).toEqual(['uploader']);
    expect(r.told).toEqual([]);
  });

  it('is known by a card that was quicker than the word of the server', async () => {
    const r = await receiver();
    const again = await newAgreement();
    await r.say('newer', await r.card(again.dh));
    await r.settled();
    expect(r.intro.uploader).toBeUndefined();
    r.intro.heard({ type: 'files', owner: 'newer', expires: 0, members: 64 } as ServerMessage);
    await r.settled();
    expect(await r.asked(again)).toEqual(['newer']);
  });

  it('is a stranger with a card that is not of the link, and nobody else is', async () => {
    const r = await receiver();
    const other = await newCard(await newSigningKeys(), r.link.room, (await newAgreement()).dh);
    await r.say('hostile', other);
    await r.settled();
    expect(r.told).toEqual([]);
    await r.say('uploader', other);
    await r.settled();
    expect(r.told).toEqual(['stranger']);
  });
});

describe('a key', () => {
  it('that somebody only claims to have stays with who has proven it', async () => {
    const r = await receiver();
    const victim = await newAgreement();
    const claim = { type: 'key', dh: victim.dh } as const;
    await r.say('hostile', claim);
    await r.say('victim', claim);
    await r.settled();
    await r.prove('victim', victim);
    await r.settled();
    expect(r.intro.memberOf(victim.dh)?.endpoint).toBe('victim');
    expect(r.moved).toEqual(['hostile']);
    await r.say('hostile', claim);
    await r.settled();
    expect(r.intro.members.get('hostile')?.dh).toBeUndefined();
  });

  it('goes to another endpoint with who proves it there', async () => {
    const r = await receiver();
    const one = await newAgreement();
    await r.prove('before', one);
    await r.prove('now', one);
    await r.settled();
    expect(r.intro.memberOf(one.dh)?.endpoint).toBe('now');
    expect(r.moved).toEqual(['before']);
  });

  it('gives no new turn to one that claims others again and again', async () => {
    const r = await receiver();
    await r.say('hostile', { type: 'key', dh: (await newAgreement()).dh });
    await r.settled();
    const member = r.intro.members.get('hostile');
    Object.assign(member ?? {}, { next: 1e9, pause: 8_000 });
    await r.say('hostile', { type: 'key', dh: (await newAgreement()).dh });
    await r.settled();
    expect(member).toMatchObject({ next: 1e9, pause: 8_000 });
  });
});

describe('those who come and go before the server names them', () => {
  const joined = (...names: string[]) =>
    names.map((endpoint, order) => ({ endpoint, role: 'subscriber', order, near: '' }) as const);

  it('fill no list, and are forgotten with its next word', async () => {
    const r = await receiver();
    const [ghost, bob] = [(await newAgreement()).dh, (await newAgreement()).dh];
    r.intro.heard({ type: 'members', all: true, joined: joined('eve'), neighbours: [] });
    for (let i = 0; i < 2 * MOST_MEMBERS; i++) await r.say(`ghost-${i}`, { type: 'key', dh: ghost });
    await r.say('bob', { type: 'key', dh: bob });
    await r.settled();
    const { members } = r.intro;
    expect(members.size).toBe(MOST_MEMBERS);
    expect(members.get('bob')?.dh).toEqual(bob);
    r.intro.heard({ type: 'members', joined: joined('bob'), neighbours: [] });
    expect([...members.keys()]).toEqual(['eve', 'bob']);
    expect(members.get('bob')?.dh).toEqual(bob);
    const named = Array.from({ length: MOST_MEMBERS }, (_, i) => `named-${i}`);
    r.intro.heard({ type: 'members', joined: joined(...named), neighbours: [] });
    await r.say('late', { type: 'key', dh: ghost });
    await r.settled();
    expect(members.size).toBe(MOST_MEMBERS);
    expect(members.has('late')).toBe(false);
  });

  it('make room for those whom it names, but not who is among these', async () => {
    const r = await receiver();
    const [ghost, bob] = [(await newAgreement()).dh, (await newAgreement()).dh];
    const named = Array.from({ length: MOST_MEMBERS - 2 }, (_, i) => `named-${i}`);
    r.intro.heard({ type: 'members', all: true, joined: joined(...named), neighbours: [] });
    await r.say('bob', { type: 'key', dh: bob });
    await r.say('ghost', { type: 'key', dh: ghost });
    await r.settled();
    r.intro.heard({ type: 'members', joined: joined('eve', 'bob'), neighbours: [] });
    const { members } = r.intro;
    expect(members.get('bob')?.dh).toEqual(bob);
    expect([members.has('eve'), members.has('ghost')]).toEqual([true, false]);
  });
});
