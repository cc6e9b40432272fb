import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Bytes } from '../bytes';
import { utf8 } from '../bytes';
import { exportText, newAgreement, type Pair, pairKeys, random } from '../keys';
import { BETTER_EVERY, relayDue } from './attempts';
import { triesBetter } from './links';
import { Counter, RELAY_LARGEST, Relay, relayKeys } from './relay';
import { Wire } from './relay.fixture';

const attempt = random(16);

async function pairs(): Promise<[Pair, Pair]> {
  const [a, b] = [await newAgreement(), await newAgreement()];
  const secret = random(16);
  return [await pairKeys(a, b.dh, secret, 'room'), await pairKeys(b, a.dh, secret, 'room')];
}

async function end(pair: Pair, wire: Wire): Promise<Relay> {
  const opening = Relay.open(wire, await relayKeys(pair, attempt), { token: 'token', attempt, to: 'peer' });
  wire.onopen?.();
  wire.say({ type: 'relayed', peer: 'peer' });
  return opening;
}

async function ends() {
  const [mine, theirs] = await pairs();
  const [near, far] = [new Wire(), new Wire()];
  [near.other, far.other] = [far, near];
  return { near, far, here: await end(mine, near), there: await end(theirs, far) };
}

/** The messages that come, once there are so many. */
function heard(relay: Relay, count: number): Promise<string[]> {
  const all: string[] = [];
  return new Promise((resolve) => {
    const note = (channel: string) => (message: Bytes) => {
      all.push(`${channel} ${new TextDecoder().decode(message)}`);
      if (all.length === count) resolve(all);
    };
    relay.control.listen(note('control'));
    relay.lane.listen(note('lane'));
  });
}

const ended = (relay: Relay): Promise<void> => new Promise((resolve) => relay.onGone(resolve));

describe('the relay', () => {
  afterEach(() => vi.useRealTimers());

  it('brings messages of both channels, in order, both ways', async () => {
    const { near, here, there } = await ends();
    expect(near.texts.map((text) => JSON.parse(text))).toEqual([
      { type: 'relay', token: 'token', pair: expect.stringMatching(/^[\w-]{22}$/u) },
    ]);
    const came = [heard(there, 3), heard(here, 1)];
    expect(here.control.send(utf8('one'))).toBe(true);
    expect(here.lane.send(utf8('two'))).toBe(true);
    expect(here.control.send(utf8('three'))).toBe(true);
    expect(there.lane.send(utf8('back'))).toBe(true);
    expect(await Promise.all(came)).toEqual([['control one', 'lane two', 'control three'], ['lane back']]);
    expect(here.buffered).toBe(0);
    expect(await here.relayed()).toBe(true);
  });

  it('gives what was said before the end before the end', async () => {
    const { near, here, there } = await ends();
    near.change = (message) => {
      queueMicrotask(() => near.close());
      return [message];
    };
    const came = heard(there, 1);
    here.control.send(utf8('goodbye'));
    await ended(there);
    expect(await Promise.race([came, 'nothing'])).toEqual(['control goodbye']);
  });

  it('shows the server nothing, and never the same twice', async () => {
    const { near, here } = await ends();
    const seen: string[] = [];
    near.change = (message) => {
      seen.push(new TextDecoder('latin1').decode(message));
      return [message];
    };
    here.control.send(utf8('the same words'));
    here.control.send(utf8('the same words'));
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    expect(seen[0]).not.toContain('words');
    expect(seen[0]).not.toBe(seen[1]);
  });

  const tampered: Record<string, (message: ArrayBuffer) => unknown[]> = {
    'changes a bit': (message) => {
      new DataView(message).setUint8(3, new DataView(message).getUint8(3) ^ 1);
      return [message];
    },
    'cuts a message': (message) => [message.slice(0, 5)],
    'repeats a message': (message) => [message, message],
    'speaks text': () => ['hello'],
    'sends nothing in a message': () => [new ArrayBuffer(0)],
  };
  it.each(Object.entries(tampered))('ends when the server %s', async (_, change) => {
    const { near, here, there } = await ends();
    const over = ended(there);
    near.change = change;
    here.control.send(utf8('one'));
    await over;
    expect(there.control.open).toBe(false);
    expect(there.control.send(utf8('more'))).toBe(false);
  });

  it('ends when the server keeps a message back', async () => {
    const { near, here, there } = await ends();
    let kept = false;
    near.change = (message) => {
      const first = !kept;
      kept = true;
      return first ? [] : [message];
    };
    here.control.send(utf8('one'));
    here.control.send(utf8('two'));
    await ended(there);
  });

  it('carries no channel that is not there, and no message that is too long', async () => {
    const { here, there } = await ends();
    expect(here.lane.send(new Uint8Array(RELAY_LARGEST + 1))).toBe(false);
    here.send(2, utf8('one'));
    await ended(there);
  });

  it('goes when the other side goes, and tells a newcomer of it', async () => {
    const { here, there } = await ends();
    here.close();
    await ended(there);
    await there.lane.room();
  });

  const refusals = {
    'a refusal': { type: 'error', code: 'full', text: 'No.' },
    'somebody else': { type: 'relayed', peer: 'another' },
  };
  it.each(Object.entries(refusals))('is not opened by %s', async (_, message) => {
    const wire = new Wire();
    const [pair] = await pairs();
    const opening = Relay.open(wire, await relayKeys(pair, attempt), { token: 'token', attempt, to: 'peer' });
    wire.say(message);
    await expect(opening).rejects.toThrow();
    expect(wire.closed).toBe(true);
  });

  it('is given up when nobody comes', async () => {
    const [pair] = await pairs();
    const keys = await relayKeys(pair, attempt);
    vi.useFakeTimers();
    const opening = expect(Relay.open(new Wire(), keys, { token: '', attempt, to: 'peer' })).rejects.toThrow('nobody');
    vi.advanceTimersByTime(40_000);
    await opening;
  });

  it('has keys of its own for each attempt, and for each direction', async () => {
    const [mine] = await pairs();
    const label = Uint8Array.of(...utf8('fanfare mesh v1 relay\0'), ...attempt);
    const bytes = await exportText(mine, label, 64);
    const other = await exportText(mine, Uint8Array.of(...label.slice(0, -1), (label.at(-1) as number) ^ 1), 64);
    expect(bytes.slice(0, 32)).not.toEqual(bytes.slice(32));
    expect(bytes).not.toEqual(other);
  });

  it('counts messages in nonces', () => {
    const counter = new Counter();
    expect([...counter.next()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...counter.next()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });
});

describe('when the relay is used', () => {
  const attempts = [
    { what: 'nobody has answered', agreed: undefined, relaying: false, now: 90_000, due: false },
    { what: 'the direct path has its head start', agreed: 500, relaying: false, now: 1_499, due: false },
    { what: 'the head start is over', agreed: 500, relaying: false, now: 1_500, due: true },
    { what: 'it was opened', agreed: 500, relaying: true, now: 9_000, due: false },
  ];
  it.each(attempts)('$what', ({ agreed, relaying, now, due }) => {
    expect(relayDue({ agreed, relaying }, now)).toBe(due);
  });

  const links = [
    { what: 'a direct way needs no better one', relayed: false, lower: true, age: 9 * BETTER_EVERY, tries: false },
    { what: 'a young relayed one is left alone', relayed: true, lower: true, age: BETTER_EVERY - 1, tries: false },
    {
      what: 'after a minute the direct path is tried again',
      relayed: true,
      lower: true,
      age: BETTER_EVERY,
      tries: true,
    },
    { what: 'by one of the two', relayed: true, lower: false, age: 9 * BETTER_EVERY, tries: false },
  ];
  it.each(links)('$what', ({ relayed, lower, age, tries }) => {
    expect(triesBetter(relayed, lower, age)).toBe(tries);
  });
});
