import { describe, expect, it } from 'vitest';
import { PATIENCE, Switch, type SwitchInput, type SwitchOutput } from './switch';

/** Writes outputs as short words, so that a story can be compared line by line. */
function brief(out: SwitchOutput[]): string {
  return out
    .map((o) => {
      switch (o.kind) {
        case 'server':
          return o.want ? 'want server' : 'drop server';
        case 'open':
          return `open ${o.facts.way}`;
        case 'close':
        case 'use':
          return `${o.kind} ${o.way}`;
        case 'tell':
          return `${o.message.way} ${o.message.state}`;
        default:
          return o.kind;
      }
    })
    .join(', ');
}

class Script {
  now = 0;
  readonly ways = new Switch();

  feed(input: SwitchInput): string {
    return brief(this.ways.step(input, this.now));
  }

  server = (way: number) => this.feed({ kind: 'way', facts: { way, via: 'sfu', relays: 0 } });
  direct = (way: number) => this.feed({ kind: 'way', facts: { way, via: 'direct', from: 'up', relays: 0 } });
  relayed = (way: number, relays = 1) => this.feed({ kind: 'way', facts: { way, via: 'relayed', from: 'v', relays } });
  shown = (way: number | 'server') => this.feed({ kind: 'shown', way });
  lost = (way: number) => this.feed({ kind: 'lost', way });
  end = (way: number) => this.feed({ kind: 'end', way });

  /** A viewer who shows the picture by the server. */
  byServer(): this {
    this.feed({ kind: 'want', want: true });
    this.feed({ kind: 'server' });
    this.shown('server');
    return this;
  }

  /** A viewer who shows it by a direct way, number 1. */
  byPeer(): this {
    this.byServer();
    this.direct(1);
    this.shown(1);
    return this;
  }
}

describe('by the server', () => {
  it('is where everybody begins, without being told', () => {
    const s = new Script();
    expect(s.feed({ kind: 'want', want: true })).toBe('want server');
    expect(s.feed({ kind: 'server' })).toBe('use server, changed');
    expect(s.shown('server')).toBe('');
    expect(s.ways.shown).toEqual({ at: 'server' });
    expect(s.feed({ kind: 'want', want: true })).toBe('');
  });

  it('is shown again when its session is another one', () => {
    expect(new Script().byServer().feed({ kind: 'server' })).toBe('use server');
  });

  it('ends with the stream', () => {
    const s = new Script().byServer();
    expect(s.feed({ kind: 'want', want: false })).toBe('drop server, changed');
    expect(s.direct(1)).toBe('');
    expect(s.shown('server')).toBe('');
  });

  it('is told of at once where the picture is there already', () => {
    expect(new Script().byServer().server(5)).toBe('5 ready');
  });
});

describe('to a direct way', () => {
  it('changes when that has shown a picture, and not before', () => {
    const s = new Script().byServer();
    expect(s.direct(1)).toBe('open 1');
    expect(s.feed({ kind: 'server' })).toBe('use server');
    expect(s.shown(1)).toBe('use 1, 1 ready, drop server, changed');
    expect(s.ways.shown).toEqual({ at: 'peer', facts: { way: 1, via: 'direct', from: 'up', relays: 0 } });
    expect(s.end(5)).toBe('');
  });

  it('changes even before the server has shown one', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    s.relayed(2);
    expect(s.shown(2)).toBe('use 2, 2 ready, drop server, changed');
  });

  it('and on to another one', () => {
    const s = new Script().byPeer();
    expect(s.relayed(2)).toBe('open 2');
    expect(s.shown(2)).toBe('use 2, 2 ready, close 1, changed');
    expect(s.relayed(2, 2)).toBe('changed');
    expect(s.ways.shown).toMatchObject({ facts: { relays: 2 } });
  });

  it('stays with the server when it does not come up, and says so', () => {
    const s = new Script().byServer();
    s.direct(1);
    s.now = PATIENCE - 1;
    expect(s.feed({ kind: 'tick' })).toBe('');
    s.now = s.ways.deadline() ?? 0;
    expect(s.feed({ kind: 'tick' })).toBe('1 failed, close 1, changed');
    expect(s.ways.inVain).toBe(true);
    expect([s.shown(1), s.lost(1), s.ways.deadline()]).toEqual(['', '', undefined]);
    s.direct(2);
    s.shown(2);
    expect(s.ways.inVain).toBe(false);
  });

  it('is called off', () => {
    const s = new Script().byServer();
    s.direct(1);
    expect(s.end(1)).toBe('close 1');
    expect(s.lost(1)).toBe('');
  });
});

describe('back to the server', () => {
  it('when it says so, with the picture kept until then', () => {
    const s = new Script().byPeer();
    expect(s.server(2)).toBe('want server');
    expect(s.feed({ kind: 'server' })).toBe('');
    expect(s.shown('server')).toBe('');
    expect(s.feed({ kind: 'flows' })).toBe('use server, close 1, 2 ready, changed');
  });

  it('at its first picture when no new one comes by the way', () => {
    const s = new Script().byPeer();
    s.server(2);
    expect(s.feed({ kind: 'silent', way: 1, ms: 600 })).toBe('1 silent');
    expect(s.shown('server')).toBe('use server, close 1, 2 ready, changed');
    expect(s.feed({ kind: 'flows' })).toBe('');
  });

  it('when the way falls silent before pictures flow by the server', () => {
    const s = new Script().byPeer();
    s.server(2);
    s.shown('server');
    expect(s.feed({ kind: 'silent', way: 1, ms: 600 })).toBe('1 silent, use server, close 1, 2 ready, changed');
  });

  it.each(['lost', 'end'] as const)('when the way is %s, without waiting for a word', (how) => {
    const s = new Script().byPeer();
    expect(how === 'lost' ? s.lost(1) : s.end(1)).toBe(how === 'lost' ? '1 failed, want server' : 'want server');
    expect(s.server(2)).toBe('');
    expect(s.shown('server')).toBe('use server, close 1, 2 ready, changed');
    expect(s.ways.inVain).toBe(false);
  });

  it('when its word comes late', () => {
    const s = new Script().byPeer();
    s.lost(1);
    s.shown('server');
    expect(s.server(2)).toBe('2 ready');
  });

  it('when the server has greeted the page anew: its word of before is void, the picture stays', () => {
    const s = new Script().byPeer();
    s.relayed(2);
    expect(s.feed({ kind: 'welcome' })).toBe('close 2, want server');
    expect(s.lost(1)).toBe('');
    expect(s.feed({ kind: 'silent', way: 1, ms: 600 })).toBe('');
    expect(s.shown('server')).toBe('use server, close 1, changed');
  });

  it('and not for a session that nobody has asked for', () => {
    const s = new Script().byPeer();
    s.feed({ kind: 'welcome' });
    s.direct(3);
    expect(s.shown(3)).toBe('use 3, 3 ready, close 1, drop server, changed');
    expect(s.shown('server')).toBe('');
  });
});

describe('a silent way', () => {
  it('is told of while it is on the screen', () => {
    const s = new Script().byPeer();
    expect(s.feed({ kind: 'silent', way: 1, ms: 600 })).toBe('1 silent');
    expect(s.feed({ kind: 'silent', way: 1, ms: 0 })).toBe('1 alive');
    expect(s.feed({ kind: 'silent', way: 7, ms: 600 })).toBe('');
  });
});
