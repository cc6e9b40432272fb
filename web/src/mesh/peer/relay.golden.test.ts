// The relay is held to mesh/testdata/relay.json, which the Go half makes: every message is sealed to the
// same bytes here, and what does not open there does not open here.

import { describe, expect, it } from 'vitest';
import { type Bytes, hex } from '../bytes';
import { golden, privateKey, unhex } from '../golden.fixture';
import { helloMac, type Pair, pairKeys } from '../keys';
import { RELAY_LANE, Relay, relayKeys } from './relay';
import { Wire } from './relay.fixture';

type Side = 'low' | 'high';

const file = golden<{
  attempt: string;
  up: string;
  down: string;
  messages: { sender: Side; channel: number; frame: string; sealed: string }[];
  hello: { sender: Side; lane: number; offerer: string; answerer: string; mac: string };
  bad: { name: string; sealed: string }[];
}>('relay.json');

const known = golden<Record<Side, { private: string; public: string }> & { secret: string; room: string }>('pair.json');

const attempt = unhex(file.attempt);
const SIDES: readonly Side[] = ['low', 'high'];
const otherOf = (side: Side): Side => (side === 'low' ? 'high' : 'low');

async function pair(own: Side): Promise<Pair> {
  const { private: scalar, public: point } = known[own];
  const agreement = { privateKey: await privateKey('ECDH', unhex(scalar), unhex(point)), dh: unhex(point) };
  return pairKeys(agreement, unhex(known[otherOf(own)].public), unhex(known.secret), known.room);
}

/** One end of the relay, what it has given to the server, and what has come out of it. */
async function end(own: Side) {
  const wire = new Wire();
  const sent: string[] = [];
  wire.change = (message) => {
    sent.push(hex(new Uint8Array(message)));
    return [];
  };
  const opening = Relay.open(wire, await relayKeys(await pair(own), attempt), { token: '', attempt, to: 'peer' });
  wire.onopen?.();
  wire.say({ type: 'relayed', peer: 'peer' });
  const relay = await opening;
  const came: { channel: number; frame: string }[] = [];
  const note = (channel: number) => (message: Bytes) => came.push({ channel, frame: hex(message) });
  relay.control.listen(note(0));
  relay.lane.listen(note(1));
  return { wire, relay, sent, came };
}

const over = (relay: Relay): Promise<void> => new Promise((resolve) => relay.onGone(resolve));

describe('the golden relay', () => {
  it.each(SIDES)('seals what the %s side sends to the same bytes', async (side) => {
    const { relay, sent } = await end(side);
    const mine = file.messages.filter(({ sender }) => sender === side);
    for (const { channel, frame } of mine) relay.send(channel, unhex(frame));
    await expect.poll(() => sent).toEqual(mine.map(({ sealed }) => sealed));
  });

  it.each(SIDES)('opens what comes to the %s side', async (side) => {
    const { wire, came } = await end(side);
    const theirs = file.messages.filter(({ sender }) => sender !== side);
    for (const { sealed } of theirs) wire.onmessage?.({ data: unhex(sealed).buffer });
    await expect.poll(() => came).toEqual(theirs.map(({ channel, frame }) => ({ channel, frame })));
  });

  it.each(file.bad)('ends at $name', async ({ sealed }) => {
    const { wire, relay, came } = await end('high');
    const gone = over(relay);
    wire.onmessage?.({ data: unhex(sealed).buffer });
    await gone;
    expect(came).toEqual([]);
  });

  it('has the golden keys', async () => {
    // They cannot be taken out, but what they seal opens by the golden bytes only.
    const { out, back } = await relayKeys(await pair('low'), attempt);
    const how = { name: 'AES-GCM', iv: new Uint8Array(12) };
    for (const [key, bytes] of [
      [out, file.up],
      [back, file.down],
    ] as const) {
      const open = await crypto.subtle.importKey('raw', unhex(bytes), 'AES-GCM', false, ['decrypt']);
      const sealed = await crypto.subtle.encrypt(how, key, attempt);
      expect(hex(new Uint8Array(await crypto.subtle.decrypt(how, open, sealed)))).toBe(file.attempt);
    }
  });

  it('says HELLO with the golden mac', async () => {
    const { sender, offerer, answerer, mac, lane } = file.hello;
    expect(lane).toBe(RELAY_LANE);
    const facts = { attempt, lane: RELAY_LANE, offerer: unhex(offerer), answerer: unhex(answerer) };
    expect(hex(await helloMac(await pair(sender), facts))).toBe(mac);
  });
});
