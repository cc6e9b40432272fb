import { describe, expect, it } from 'vitest';
import type { PeerStatus, Status } from '../mesh/peer/config';
import { type Event, initial, isSafe, type State, step } from './state';

const run = (events: readonly Event[], from: State = initial): State => events.reduce(step, from);

const chosen: Event = {
  kind: 'chosen',
  entries: [{ path: 'a', size: 9, mtime: 0 }],
  leftOut: [],
  text: '',
  link: 'https://x/f/r#v1.a.b',
};
const opened: Event = { kind: 'mesh', event: { kind: 'opened', server: 'https://files.example.org' } };
const admitted = (key: string): Event => ({ kind: 'mesh', event: { kind: 'admitted', key, name: 'Anna' } });

function peer(key: string, complete: boolean): PeerStatus {
  const figures = { held: 1, up: 0, down: 0, sent: 0, taken: 0, rate: 0, relayed: false };
  return { key, name: '', uploader: false, complete, state: complete ? 'complete' : 'running', ...figures };
}

function status(peers: readonly PeerStatus[], safe = false): Event {
  const figures = { total: 9, held: 9, sent: 0, up: 0, down: 0, pieces: 1 };
  const whole: Status = { online: true, peers, ...figures, safe, stall: undefined, finished: false };
  return { kind: 'status', status: whole };
}

describe('the sending page', () => {
  it('has its link before the server has answered', () => {
    const state = run([chosen]);
    expect(state.phase).toBe('opening');
    expect(state.link).toContain('#v1.');
    expect(run([opened], state)).toMatchObject({ phase: 'open', link: 'https://files.example.org/f/r#v1.a.b' });
  });

  it('asks for the key where the server wants one, and keeps what was chosen', () => {
    const refused: Event = {
      kind: 'mesh',
      event: { kind: 'connection', connection: { phase: 'refused', code: 'unauthorised', text: '' } },
    };
    const state = run([chosen, refused]);
    expect(state.phase).toBe('key');
    expect(run([{ kind: 'key' }, opened], state)).toMatchObject({ phase: 'open', entries: state.entries });
  });

  it('shows each receiver from its question to its end', () => {
    const asked: Event = { kind: 'mesh', event: { kind: 'asked', key: 'a', name: 'Anna' } };
    const phases = [asked, { kind: 'decided', key: 'a', yes: true }, status([peer('a', false)]), status([])] as const;
    let state = run([chosen, opened]);
    const seen = phases.map((event) => {
      state = step(state, event);
      return state.receivers[0]?.phase;
    });
    expect(seen).toEqual(['waits', 'coming', 'here', 'gone']);
    expect(run([status([peer('a', true)])], state).receivers[0]).toMatchObject({ phase: 'here', complete: true });
    expect(run([asked, { kind: 'decided', key: 'a', yes: false }], run([chosen])).receivers).toEqual([]);
    expect(run([{ kind: 'removed', key: 'a', told: true }, status([peer('a', true)])], state).receivers[0]?.phase).toBe(
      'removed',
    );
  });

  it('tells who was put back from who has left, until it comes again', () => {
    const back: Event = { kind: 'mesh', event: { kind: 'putBack', key: 'a' } };
    const phases = [admitted('a'), status([peer('a', false)]), back, status([]), admitted('a'), status([])] as const;
    let state = run([chosen, opened]);
    const seen = phases.map((event) => {
      state = step(state, event);
      return state.receivers[0]?.phase;
    });
    expect(seen).toEqual(['coming', 'here', 'back', 'back', 'coming', 'coming']);
    expect(run([status([peer('a', false)])], run([back], state)).receivers[0]?.phase).toBe('here');
    const removed: Event = { kind: 'removed', key: 'a', told: true };
    expect(run([removed, back], state).receivers[0]?.phase).toBe('removed');
  });

  it('keeps saying that others cannot be told of who was removed or put back', () => {
    const untold: Event = { kind: 'mesh', event: { kind: 'untold' } };
    const open = run([chosen, opened, admitted('a')]);
    expect(open.untold).toBe(false);
    for (const event of [untold, { kind: 'removed', key: 'a', told: false } as const]) {
      const state = run([event, opened, status([]), { kind: 'removed', key: 'b', told: true }], open);
      expect(state.untold).toBe(true);
      expect(run([{ kind: 'closed' }], state).untold).toBe(false);
    }
  });

  it('is safe when the swarm has everything, or somebody left with it', () => {
    const open = run([chosen, opened, admitted('a')]);
    expect(isSafe(run([status([peer('a', false)])], open))).toBe(false);
    expect(isSafe(run([status([peer('a', true)], true)], open))).toBe(true);
    expect(isSafe(run([status([peer('a', true)], true), status([])], open))).toBe(true);
    expect(isSafe(run([status([peer('a', false)]), status([])], open))).toBe(false);
    const two = run([admitted('b'), status([peer('a', true), peer('b', false)]), status([peer('b', false)])], open);
    expect(isSafe(two)).toBe(false); // the one who has left gives the other nothing
  });

  it('knows that a text alone was taken, also by one who has left in the same moment', () => {
    const text: Event = { ...chosen, entries: [], text: 'hello' };
    const state = run([text, opened, admitted('a'), { kind: 'mesh', event: { kind: 'complete', key: 'a' } }]);
    expect(state.receivers[0]?.complete).toBe(true);
    const left = run(
      [{ kind: 'mesh', event: { kind: 'complete', key: 'a' } }, status([])],
      run([status([peer('a', false)])], state),
    );
    expect(left.receivers[0]).toMatchObject({ phase: 'gone', complete: true });
    expect(isSafe(left)).toBe(true);
  });

  it('goes on after a reload with those who were let in, and who were not removed', () => {
    const guest = { wrong: 0, waiting: false, refused: undefined, took: true, out: false };
    const guests = [
      { ...guest, key: 'a', name: 'Anna', serial: 7 },
      { ...guest, key: 'b', name: 'Ben', serial: 8, refused: 'removed' as const },
      { ...guest, key: 'c', name: 'Cem', serial: 0 },
      { ...guest, key: 'd', name: 'Dora', serial: 9, took: false, out: true },
    ];
    const rule = { approve: true, password: 'x', most: 3 };
    const state = run([chosen, { kind: 'continued', rule, rate: 5, guests }, opened]);
    expect(state).toMatchObject({ phase: 'open', rule, rate: 5 });
    expect(state.receivers.map((r) => [r.name, r.phase])).toEqual([
      ['Anna', 'away'],
      ['Dora', 'back'],
    ]);
    expect(run([status([])], state).receivers[0]?.phase).toBe('away');
    expect(isSafe(run([status([])], state))).toBe(false);
    expect(run([status([peer('a', false)])], state).receivers[0]?.phase).toBe('here');
  });

  it('says of what was shared before why it cannot go on, and keeps it', () => {
    const one = { room: 'r', entries: [], text: 'x', expires: 9, guests: 0, ready: true, problem: undefined };
    const state = run([
      { kind: 'earlier', earlier: [one] },
      { kind: 'continuing', room: 'r' },
    ]);
    expect(state.continuing).toBe('r');
    const failed = run([{ kind: 'cannotContinue', room: 'r', problem: 'no' }], state);
    expect(failed).toMatchObject({ phase: 'empty', continuing: undefined, earlier: [{ room: 'r', problem: 'no' }] });
    expect(run([{ kind: 'continuing', room: 'r' }], failed).earlier[0]?.problem).toBeUndefined();
  });

  it('shows check words beside who waits and who was let in', () => {
    const asked: Event = { kind: 'mesh', event: { kind: 'asked', key: 'a', name: 'Anna' } };
    const state = run([chosen, opened, asked, { kind: 'words', key: 'a', words: 'acorn piano' }, admitted('a')]);
    expect(state.receivers).toMatchObject([{ phase: 'coming', words: 'acorn piano' }]);
  });

  it('ends with its time, but not before those who are receiving have everything', () => {
    const refused = { phase: 'refused', code: 'expired', text: 'The time of this room is over.' } as const;
    const over: Event = { kind: 'mesh', event: { kind: 'connection', connection: refused } };
    const open = run([chosen, opened, { kind: 'mesh', event: { kind: 'expires', at: 77 } }, admitted('a')]);
    expect(open.expires).toBe(77);
    expect(run([over], open)).toMatchObject({ phase: 'ended', problem: expect.stringMatching(/time is over/) });
    const receiving = run([status([peer('a', false)]), over], open);
    expect(receiving).toMatchObject({ phase: 'open', over: true });
    expect(run([status([peer('a', true)])], receiving).phase).toBe('ended');
    expect(run([status([])], receiving).phase).toBe('ended');
  });

  it('tells how a code and the link end', () => {
    const code: Event = { kind: 'mesh', event: { kind: 'code', text: '7-a-b-c', until: 5 } };
    const state = run([chosen, opened, code, { kind: 'mesh', event: { kind: 'codeEnded', guessed: true } }]);
    expect(state).toMatchObject({ code: undefined, codeEnded: 'guessed' });
    expect(run([{ kind: 'mesh', event: { kind: 'ended', end: { kind: 'changed' } } }], state).phase).toBe('ended');
    expect(run([{ kind: 'closed' }], state)).toEqual(initial);
  });
});
