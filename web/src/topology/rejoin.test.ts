import { describe, expect, it } from 'vitest';
import { failureOf } from './failure';
import { HttpProblem } from './http';
import type { LegState } from './leg';
import { REJOIN, Rejoin, type RejoinInput, type RejoinOutput } from './rejoin';

/** The failure of a session that the server refuses with that status. */
const refusal = (status: number, retryAfter?: number) => failureOf(new HttpProblem(status, 'No.', retryAfter));

/** Writes outputs as short words, so that a story can be compared line by line. */
function brief(out: RejoinOutput[]): string {
  return out
    .map((o) => (o.kind === 'status' ? o.status : o.kind === 'greet' ? 'greet' : `${o.kind} ${o.id}`))
    .join(', ');
}

class Script {
  now = 0;
  readonly rejoin = new Rejoin(() => 0.5);

  feed(input: RejoinInput): string {
    return brief(this.rejoin.step(input, this.now));
  }

  is(id: number, state: LegState): string {
    return this.feed({ kind: 'state', id, state });
  }

  tick(): string {
    this.now = this.rejoin.deadline() ?? this.now;
    return this.feed({ kind: 'tick' });
  }

  playing(): this {
    this.feed({ kind: 'want', want: true });
    this.feed({ kind: 'opened', id: 1 });
    this.is(1, 'connected');
    this.feed({ kind: 'shown', id: 1 });
    return this;
  }
}

describe('the first path', () => {
  it('is used as soon as the server took it', () => {
    const s = new Script();
    expect(s.feed({ kind: 'want', want: true })).toBe('open 1, connecting');
    expect(s.feed({ kind: 'opened', id: 1 })).toBe('use 1');
    expect(s.is(1, 'connecting')).toBe('');
    expect(s.is(1, 'connected')).toBe('connected');
    expect(s.feed({ kind: 'shown', id: 1 })).toBe('');
    expect(s.rejoin.deadline()).toBeUndefined();
  });

  it('is not opened twice', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    expect(s.feed({ kind: 'want', want: true })).toBe('');
  });

  it('is closed when it is not wanted any more', () => {
    const s = new Script().playing();
    expect(s.feed({ kind: 'want', want: false })).toBe('close 1, none');
    expect(s.is(1, 'failed')).toBe('');
    expect(s.rejoin.deadline()).toBeUndefined();
  });
});

describe('a lost network', () => {
  it('is waited for, then restarted, then a new path is made beside the old one', () => {
    const s = new Script().playing();
    expect(s.is(1, 'disconnected')).toBe('reconnecting');
    expect(s.rejoin.deadline()).toBe(REJOIN.patience);
    expect(s.tick()).toBe('restart 1');
    expect(s.tick()).toBe('open 2');
    expect(s.feed({ kind: 'opened', id: 2 })).toBe('');
    expect(s.is(2, 'connected')).toBe('connected');
    expect(s.feed({ kind: 'shown', id: 2 })).toBe('use 2, close 1');
  });

  it('that comes back by itself needs nothing', () => {
    const s = new Script().playing();
    s.is(1, 'disconnected');
    expect(s.is(1, 'connected')).toBe('connected');
    expect(s.rejoin.deadline()).toBeUndefined();
  });

  it('that comes back after the restart needs no new path', () => {
    const s = new Script().playing();
    s.is(1, 'disconnected');
    s.tick();
    expect(s.is(1, 'connected')).toBe('connected');
  });

  it('whose old path comes back first drops the new one', () => {
    const s = new Script().playing();
    s.is(1, 'disconnected');
    s.tick();
    expect(s.feed({ kind: 'restartFailed', id: 1 })).toBe('open 2');
    expect(s.is(1, 'connected')).toBe('');
  });

  it('is restarted at once when the system says that it is back', () => {
    const s = new Script().playing();
    s.is(1, 'disconnected');
    expect(s.feed({ kind: 'hurry' })).toBe('restart 1');
  });

  it('that has failed needs a new path', () => {
    const s = new Script().playing();
    expect(s.is(1, 'failed')).toBe('open 2, reconnecting');
    expect(s.is(1, 'closed')).toBe('');
  });
});

describe('a page that is being left', () => {
  it('opens nothing when the browser ends its path before the page is gone', () => {
    const s = new Script().playing();
    expect(s.feed({ kind: 'leaving' })).toBe('');
    expect(s.is(1, 'failed')).toBe('reconnecting');
    expect(s.feed({ kind: 'want', want: false })).toBe('close 1, none');
    expect(s.rejoin.deadline()).toBeUndefined();
  });

  it('gets its path back when no other page came', () => {
    const s = new Script().playing();
    s.feed({ kind: 'leaving' });
    s.is(1, 'failed');
    expect(s.rejoin.deadline()).toBe(REJOIN.leaving);
    expect(s.tick()).toBe('open 2');
  });

  it('has forgotten it after a while', () => {
    const s = new Script().playing();
    s.feed({ kind: 'leaving' });
    s.now = REJOIN.leaving;
    expect(s.is(1, 'failed')).toBe('open 2, reconnecting');
  });
});

describe('a restarted server', () => {
  it('gets a new path; the last picture stays until there is a new one', () => {
    const s = new Script().playing();
    expect(s.feed({ kind: 'renew' })).toBe('open 2, reconnecting');
    s.feed({ kind: 'opened', id: 2 });
    expect(s.is(2, 'connected')).toBe('connected');
    expect(s.is(1, 'failed')).toBe('');
    expect(s.feed({ kind: 'shown', id: 2 })).toBe('use 2, close 1');
  });

  it('renews only what is wanted', () => {
    expect(new Script().feed({ kind: 'renew' })).toBe('');
  });

  it('replaces a path that is being made', () => {
    const s = new Script().playing();
    s.feed({ kind: 'renew' });
    expect(s.feed({ kind: 'renew' })).toBe('close 2, open 3');
    expect(s.feed({ kind: 'opened', id: 2 })).toBe('');
  });
});

describe('refusals', () => {
  it.each([
    [401, 'close 1, greet'],
    [403, 'close 1, greet'],
    [400, 'close 1, refused'],
    [406, 'close 1, refused'],
    [415, 'close 1, refused'],
    [429, 'close 1, busy'],
    [503, 'close 1, busy'],
    [0, 'close 1, unreachable'],
  ])('%i → %s', (status, want) => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    expect(s.feed({ kind: 'openFailed', id: 1, failure: refusal(status) })).toBe(want);
  });

  it('waits as long as the server asks', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    s.feed({ kind: 'openFailed', id: 1, failure: refusal(429, 4) });
    expect(s.rejoin.deadline()).toBe(4_500);
    expect(s.tick()).toBe('open 2');
  });

  it('waits longer each time by itself', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    const pauses: number[] = [];
    for (let id = 1; id <= 7; id++) {
      s.feed({ kind: 'openFailed', id, failure: refusal(0) });
      pauses.push((s.rejoin.deadline() ?? 0) - s.now);
      expect(s.tick()).toBe(`open ${id + 1}`);
    }
    expect(pauses).toEqual([300, 600, 1200, 2400, 4800, 7500, 7500]);
  });

  it('tries again when the browser itself fails, and gives up when it keeps failing', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    const failure = failureOf(Object.assign(new Error('createOffer'), { name: 'OperationError' }));
    for (let id = 1; id < REJOIN.browserFailures; id++) {
      s.feed({ kind: 'openFailed', id, failure });
      expect(s.tick()).toBe(`open ${id + 1}`);
    }
    const last = REJOIN.browserFailures;
    expect(s.feed({ kind: 'openFailed', id: last, failure })).toBe(`close ${last}, refused`);
    expect(s.rejoin.deadline()).toBeUndefined();
    expect(s.feed({ kind: 'renew' })).toBe(`open ${last + 1}, connecting`);
  });

  it('a new token opens again, and a refusal for good does not', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    s.feed({ kind: 'openFailed', id: 1, failure: refusal(401) });
    expect(s.rejoin.deadline()).toBeUndefined();
    expect(s.feed({ kind: 'renew' })).toBe('open 2');
    expect(s.feed({ kind: 'openFailed', id: 2, failure: refusal(415) })).toBe('close 2, refused');
    expect(s.feed({ kind: 'hurry' })).toBe('');
    expect(s.rejoin.deadline()).toBeUndefined();
  });
});

describe('a network without UDP', () => {
  it('is called so after the first failure, and is tried again', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    s.feed({ kind: 'opened', id: 1 });
    expect(s.is(1, 'failed')).toBe('blocked');
    expect(s.tick()).toBe('open 2');
    s.feed({ kind: 'opened', id: 2 });
    expect(s.is(2, 'connected')).toBe('connected');
    expect(s.feed({ kind: 'shown', id: 2 })).toBe('use 2, close 1');
  });

  it('is called so when nothing comes about in time', () => {
    const s = new Script();
    s.feed({ kind: 'want', want: true });
    s.feed({ kind: 'opened', id: 1 });
    expect(s.rejoin.deadline()).toBe(REJOIN.link);
    expect(s.tick()).toBe('blocked');
  });

  it('is not called so after one failure of a network that worked', () => {
    const s = new Script().playing();
    s.is(1, 'failed');
    for (const id of [2, 3]) {
      s.feed({ kind: 'opened', id });
      expect(s.is(id, 'failed')).toBe(`close ${id}`);
      s.tick();
    }
    s.feed({ kind: 'opened', id: 4 });
    expect(s.is(4, 'failed')).toBe('close 4, blocked');
  });
});

describe('silence', () => {
  it('gets one new path, and no second one before there was a picture', () => {
    const s = new Script().playing();
    expect(s.feed({ kind: 'stalled', id: 1 })).toBe('open 2');
    s.feed({ kind: 'opened', id: 2 });
    expect(s.is(2, 'connected')).toBe('');
    expect(s.feed({ kind: 'stalled', id: 1 })).toBe('');
    expect(s.feed({ kind: 'shown', id: 2 })).toBe('use 2, close 1');
    expect(s.feed({ kind: 'stalled', id: 2 })).toBe('open 3');
  });
});
