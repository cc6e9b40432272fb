import { describe, expect, it } from 'vitest';
import { type Input, type Link, type Output, SignalCore, TIMES } from './core';
import type { ServerMessage, Welcome } from './msg.gen';

const welcome = (over: Partial<Welcome> = {}): Welcome => ({
  type: 'welcome',
  endpoint: 'e1',
  room: { kind: 'stream', name: 'film' },
  role: 'subscriber',
  instance: 'one',
  resume: 'r1',
  mediaToken: 't',
  mediaUrl: '/whep/film',
  publicUrl: 'http://192.0.2.7:8080',
  viewers: 3,
  ...over,
});

/** A core with a clock of its own; a script reads like what happens. */
class Script {
  now = 1_000_000;
  readonly core: SignalCore;

  constructor(random = 0.5) {
    this.core = new SignalCore(
      { room: { kind: 'stream', name: 'film' }, role: 'subscriber', viewer: 'v' },
      () => random,
    );
  }

  feed(input: Input): Output[] {
    return this.core.step(input, this.now);
  }

  hears(message: ServerMessage): Output[] {
    return this.feed({ kind: 'received', text: JSON.stringify(message) });
  }

  /** Goes on to the deadline and ticks. */
  tick(): Output[] {
    this.now = this.core.deadline() ?? this.now;
    return this.feed({ kind: 'tick' });
  }

  open(over: Partial<Welcome> = {}): Output[] {
    this.feed({ kind: 'start' });
    this.feed({ kind: 'opened' });
    return this.hears(welcome(over));
  }
}

const sent = (out: Output[]): Record<string, unknown>[] =>
  out.flatMap((o) => (o.kind === 'transmit' ? [JSON.parse(o.text) as Record<string, unknown>] : []));
const link = (out: Output[]): Link | undefined => out.flatMap((o) => (o.kind === 'link' ? [o.link] : [])).at(-1);
const kinds = (out: Output[]): string[] => out.map((o) => o.kind);

describe('greeting', () => {
  it('connects, says hello and is open after the welcome', () => {
    const s = new Script();
    expect(kinds(s.feed({ kind: 'start' }))).toEqual(['link', 'connect']);
    expect(sent(s.feed({ kind: 'opened' }))).toEqual([
      { type: 'hello', version: 1, room: { kind: 'stream', name: 'film' }, role: 'subscriber', viewer: 'v' },
    ]);
    const out = s.hears(welcome());
    expect(kinds(out)).toEqual(['link', 'message', 'transmit']);
    expect(link(out)).toEqual({ phase: 'open' });
    expect(sent(out)[0]).toEqual({ type: 'ping', sent: s.now });
  });

  it('leaves out what it does not have and sends what it has', () => {
    const core = new SignalCore(
      { room: { kind: 'stream', name: '' }, role: 'publisher', token: 'key', password: '' },
      () => 0,
    );
    core.step({ kind: 'start' }, 0);
    expect(sent(core.step({ kind: 'opened' }, 0))[0]).toEqual({
      type: 'hello',
      version: 1,
      room: { kind: 'stream', name: '' },
      role: 'publisher',
      token: 'key',
    });
  });

  it('gives up a greeting that takes too long', () => {
    const s = new Script();
    s.feed({ kind: 'start' });
    expect(s.core.deadline()).toBe(s.now + TIMES.greeting);
    const out = s.tick();
    expect(kinds(out)).toEqual(['drop', 'link']);
    expect(link(out)).toMatchObject({ phase: 'waiting', attempt: 1, code: 'network' });
  });

  it('takes the name that the server made, and resumes with it', () => {
    const s = new Script();
    s.open({ room: { kind: 'stream', name: 'made' }, resume: 'r9' });
    s.feed({ kind: 'lost' });
    s.tick();
    expect(sent(s.feed({ kind: 'opened' }))[0]).toMatchObject({ room: { name: 'made' }, resume: 'r9' });
  });
});

describe('rooms of files', () => {
  const entry = { expires: 1, members: 9, owner: 'up', entry: true };
  const byNumber = (): SignalCore => {
    const core = new SignalCore({ room: { kind: 'files', name: '' }, role: 'subscriber', code: '7' }, () => 0);
    core.step({ kind: 'start' }, 0);
    return core;
  };
  const hear = (core: SignalCore, message: ServerMessage): Output[] =>
    core.step({ kind: 'received', text: JSON.stringify(message) }, 0);

  it('opens with its terms', () => {
    const core = new SignalCore(
      { room: { kind: 'files', name: 'a' }, role: 'publisher', files: { members: 9 } },
      () => 0,
    );
    core.step({ kind: 'start' }, 0);
    expect(sent(core.step({ kind: 'opened' }, 0))[0]).toMatchObject({ room: { name: 'a' }, files: { members: 9 } });
  });

  it('comes back to an antechamber by the number, and not by the name', () => {
    const core = byNumber();
    expect(sent(core.step({ kind: 'opened' }, 0))[0]).toMatchObject({ room: { name: '' }, code: '7' });
    hear(core, welcome({ room: { kind: 'files', name: 'a' }, resume: '', files: entry }));
    core.step({ kind: 'lost' }, 0);
    core.step({ kind: 'tick' }, TIMES.longestPause);
    const again = sent(core.step({ kind: 'opened' }, TIMES.longestPause))[0];
    expect(again).toMatchObject({ room: { name: '' }, code: '7' });
    expect(again).not.toHaveProperty('resume');
  });

  it.each(['password', 'not-found', 'expired'] as const)('%s puts it out of the antechamber for good', (code) => {
    const core = byNumber();
    core.step({ kind: 'opened' }, 0);
    hear(core, welcome({ room: { kind: 'files', name: 'a' }, files: entry }));
    expect(link(hear(core, { type: 'error', code, text: 'no' }))).toMatchObject({ phase: 'refused', code });
  });

  it.each(['expired', 'closed'] as const)('%s ends a room for good', (code) => {
    const s = new Script();
    s.open();
    expect(link(s.hears({ type: 'goodbye', code, text: 'over' }))).toMatchObject({ phase: 'refused', code });
  });
});

describe('being refused', () => {
  it.each(['bad-message', 'version', 'unauthorised', 'password', 'forbidden', 'removed', 'not-found'] as const)(
    '%s is final',
    (code) => {
      const s = new Script();
      s.feed({ kind: 'start' });
      s.feed({ kind: 'opened' });
      const out = s.hears({ type: 'error', code, text: 'no' });
      expect(kinds(out)).toEqual(['drop', 'link']);
      expect(link(out)).toEqual({ phase: 'refused', code, text: 'no' });
      expect(s.core.deadline()).toBeUndefined();
      expect(s.feed({ kind: 'hurry' })).toEqual([]);
    },
  );

  it.each([
    ['rate', 7],
    ['full', 3],
    ['internal', 1],
    ['shutdown', 2],
  ] as const)('%s waits as long as it was asked to', (code, retryAfter) => {
    const s = new Script();
    s.feed({ kind: 'start' });
    s.feed({ kind: 'opened' });
    const out = s.hears({ type: 'error', code, text: '', retryAfter });
    expect(link(out)).toMatchObject({ phase: 'waiting', code, retryAt: s.now + retryAfter * 1000 * 1.125 });
  });

  it('a password brings it back', () => {
    const s = new Script();
    s.feed({ kind: 'start' });
    s.feed({ kind: 'opened' });
    s.hears({ type: 'error', code: 'password', text: '' });
    expect(kinds(s.feed({ kind: 'identify', change: { password: 'swordfish' } }))).toEqual(['link', 'connect']);
    expect(sent(s.feed({ kind: 'opened' }))[0]).toMatchObject({ password: 'swordfish' });
  });

  it('a refused command is only a message', () => {
    const s = new Script();
    s.open();
    expect(kinds(s.hears({ type: 'error', code: 'forbidden', text: 'no' }))).toEqual(['message']);
    expect(kinds(s.hears({ type: 'error', code: 'removed', text: 'no' }))).toEqual(['drop', 'link']);
  });

  it('one who was replaced does not come back', () => {
    const s = new Script();
    s.open();
    expect(link(s.hears({ type: 'replaced' }))).toEqual({ phase: 'replaced' });
    expect(s.feed({ kind: 'lost' })).toEqual([]);
    expect(s.core.deadline()).toBeUndefined();
  });
});

describe('coming back', () => {
  it('waits longer each time, up to a limit, and starts anew after a welcome', () => {
    const s = new Script(0.999999);
    s.open();
    s.feed({ kind: 'lost' });
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      pauses.push(Math.round((s.core.deadline() ?? 0) - s.now));
      expect(kinds(s.tick())).toEqual(['connect']);
      s.feed({ kind: 'lost' });
    }
    expect(pauses).toEqual([300, 600, 1200, 2400, 4800, 5000, 5000, 5000]);
    s.tick();
    s.feed({ kind: 'opened' });
    s.hears(welcome());
    s.feed({ kind: 'lost' });
    expect(Math.round((s.core.deadline() ?? 0) - s.now)).toBe(300);
  });

  it('spreads by chance between half and all of the pause', () => {
    const s = new Script(0);
    s.open();
    s.feed({ kind: 'lost' });
    expect((s.core.deadline() ?? 0) - s.now).toBe(150);
  });

  it('tells a restarted server before its welcome', () => {
    const s = new Script();
    s.open();
    s.hears({ type: 'goodbye', code: 'shutdown', text: '', retryAfter: 1 });
    expect(link(s.feed({ kind: 'lost' }))).toMatchObject({ phase: 'waiting', code: 'shutdown' });
    s.tick();
    s.feed({ kind: 'opened' });
    expect(kinds(s.hears(welcome({ instance: 'two' })))).toEqual(['link', 'restarted', 'message', 'transmit']);
  });

  it('does not call the same server restarted', () => {
    const s = new Script();
    s.open();
    s.feed({ kind: 'lost' });
    s.tick();
    s.feed({ kind: 'opened' });
    expect(kinds(s.hears(welcome()))).not.toContain('restarted');
  });

  it('does not wait when the network is back', () => {
    const s = new Script();
    s.open();
    s.feed({ kind: 'lost' });
    expect(kinds(s.feed({ kind: 'hurry' }))).toEqual(['connect']);
  });

  it('asks for the new name after the link was changed, and resumes nothing', () => {
    const s = new Script();
    s.open();
    s.hears({ type: 'moved', name: 'fresh', url: '' });
    s.feed({ kind: 'lost' });
    s.tick();
    const [hello] = sent(s.feed({ kind: 'opened' }));
    expect(hello).toMatchObject({ room: { name: 'fresh' } });
    expect(hello).not.toHaveProperty('resume');
  });

  it('a goodbye without return is final', () => {
    const s = new Script();
    s.open();
    expect(link(s.hears({ type: 'goodbye', code: 'not-found', text: 'moved' }))).toEqual({
      phase: 'refused',
      code: 'not-found',
      text: 'moved',
    });
  });
});

describe('pings', () => {
  it('follow each other while the clock is wanted well, and then come at their pace', () => {
    const s = new Script();
    s.open();
    expect(sent(s.feed({ kind: 'clock' }))).toEqual([]); // one is on its way
    let pings = 0;
    for (let more = 1; more > 0; ) {
      const asked = s.now;
      s.now += 10 + pings;
      pings += more;
      more = sent(s.hears({ type: 'pong', sent: asked, server: s.now + 500 })).length;
    }
    expect(pings).toBe(8);
    expect(s.core.clock()?.roundTrip).toBe(10);
    s.now = s.core.deadline() ?? 0;
    s.tick();
    s.hears({ type: 'pong', sent: s.now, server: s.now });
    expect(sent(s.feed({ kind: 'clock' }))).toHaveLength(1);
  });

  it('measure the clock and keep a dead connection from looking alive', () => {
    const s = new Script();
    s.open();
    const asked = s.now;
    s.now += 40;
    s.hears({ type: 'pong', sent: asked, server: asked + 1020 });
    expect(s.core.clock()).toEqual({ offset: 1000, roundTrip: 40 });
    for (let i = 0; i < 5; i++) {
      const [ping] = sent(s.tick());
      expect(ping).toEqual({ type: 'ping', sent: s.now });
      s.hears({ type: 'pong', sent: s.now, server: s.now });
    }
  });

  it('drop a connection that does not answer', () => {
    const s = new Script();
    s.open();
    s.now += TIMES.ping;
    s.feed({ kind: 'tick' });
    const out = s.tick();
    expect(s.now).toBeGreaterThanOrEqual(1_000_000 + TIMES.dead);
    expect(kinds(out)).toEqual(['drop', 'link']);
  });
});

describe('rubbish', () => {
  it.each(['', '{', '[]', 'null', '7', '{"type":7}', '{"kind":"welcome"}'])('%s is ignored', (text) => {
    const s = new Script();
    s.open();
    expect(s.feed({ kind: 'received', text })).toEqual([]);
  });

  it('nothing is sent while not connected', () => {
    const s = new Script();
    expect(s.feed({ kind: 'send', message: { type: 'stop' } })).toEqual([]);
    s.open();
    expect(sent(s.feed({ kind: 'send', message: { type: 'stop' } }))).toEqual([{ type: 'stop' }]);
  });

  it('stops once and for all', () => {
    const s = new Script();
    s.open();
    expect(kinds(s.feed({ kind: 'stop' }))).toEqual(['drop', 'link']);
    expect(s.feed({ kind: 'lost' })).toEqual([]);
    expect(s.core.deadline()).toBeUndefined();
  });
});
