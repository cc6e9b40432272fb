import { describe, expect, it } from 'vitest';
import type { Event as MeshEvent, Status } from '../mesh/peer/config';
import { type Event, initial, type State, secondsLeft, step, wantedBytes } from './state';

const run = (events: readonly Event[], from: State = initial): State => events.reduce(step, from);
const mesh = (event: MeshEvent): Event => ({ kind: 'mesh', event });

const manifest = {
  files: [
    { path: 'a', size: 600, mtime: 0 },
    { path: 'b', size: 400, mtime: 0 },
  ],
  created: 0,
  text: '',
};
const offered = mesh({ kind: 'offered', offered: { manifest, id: new Uint8Array(32) } });
const accepted: Event = { kind: 'accepted', wanted: new Set([0, 1]), lasting: true, placed: false };

function status(held: number, down: number): Event {
  const figures = { total: 1000, held, sent: 0, up: 0, down, pieces: 1 };
  const whole: Status = { online: true, peers: [], ...figures, safe: false, stall: undefined, finished: false };
  return { kind: 'status', status: whole };
}

describe('the receiving page', () => {
  it('shows what there is and fetches nothing before it is told to', () => {
    const state = run([offered]);
    expect(state.phase).toBe('offered');
    expect(wantedBytes(state)).toBe(1000);
    expect(wantedBytes(run([{ kind: 'choose', file: 0, wanted: false }], state))).toBe(400);
    expect(run([{ kind: 'chooseAll', wanted: false }], state).wanted.size).toBe(0);
    expect(run([accepted, mesh({ kind: 'finished' })], state).phase).toBe('done');
  });

  it('asks for a password as often as it is wrong', () => {
    const state = run([mesh({ kind: 'password', wrong: false })]);
    expect(state).toMatchObject({ phase: 'password', wrongPassword: false });
    const again = run([{ kind: 'password' }, mesh({ kind: 'password', wrong: true })], state);
    expect(again).toMatchObject({ phase: 'password', wrongPassword: true });
  });

  it('goes on without a server once it has begun, and not before', () => {
    const gone = mesh({ kind: 'connection', connection: { phase: 'refused', code: 'expired', text: '' } });
    expect(run([gone]).phase).toBe('ended');
    expect(run([offered, accepted, gone]).phase).toBe('fetching');
  });

  it('keeps what is whole, whatever ends', () => {
    const end = mesh({ kind: 'ended', end: { kind: 'refused', reason: 'removed' } });
    expect(run([offered, accepted, end]).phase).toBe('ended');
    expect(run([offered, accepted, mesh({ kind: 'finished' }), end]).phase).toBe('done');
  });

  it('goes on with what was begun, and with nothing else', () => {
    const state = run([offered, { kind: 'again', wanted: new Set([1]) }]);
    expect(state).toMatchObject({ phase: 'offered', again: true, wanted: new Set([1]) });
    expect(run([accepted], state)).toMatchObject({ phase: 'fetching', again: false });
    expect(run([{ kind: 'anew' }], state)).toMatchObject({ again: false, wanted: new Set([0, 1]) });
  });

  it('has nothing to save where the files are placed already', () => {
    const placed: Event = { kind: 'accepted', wanted: new Set([1]), lasting: true, placed: true };
    expect(run([offered, placed, mesh({ kind: 'finished' })]).saved).toEqual(new Set([1]));
    expect(run([offered, accepted, mesh({ kind: 'finished' })]).saved.size).toBe(0);
  });

  it('goes on where a part of what it had is not as it was, and says what has to be saved again', () => {
    const spoilt = (files: readonly number[]): Event => ({ kind: 'spoilt', files });
    const done = run([offered, accepted, mesh({ kind: 'finished' }), { kind: 'saved', files: [0, 1] }]);
    const state = run([spoilt([1])], done);
    expect(state).toMatchObject({ phase: 'fetching', saved: new Set([0]) });
    expect(state.problem).toMatch(/is fetched again\. Save “b” again then\.$/u);
    expect(run([mesh({ kind: 'finished' })], state).phase).toBe('done');
    expect(run([offered, accepted, spoilt([0, 1])]).problem).toMatch(/is fetched again\.$/u);
  });

  it('can be told again to begin after a dialog was closed', () => {
    const state = run([offered, { kind: 'opening', opening: true }, { kind: 'opening', opening: false }]);
    expect(state).toMatchObject({ phase: 'offered', opening: false });
  });

  it('tells the time that is left only while something comes', () => {
    const state = run([offered, accepted, status(500, 100)]);
    expect(secondsLeft(state)).toBe(5);
    expect(secondsLeft(run(new Array(20).fill(status(500, 0)), state))).toBeUndefined();
    expect(secondsLeft(run([{ kind: 'pause', paused: true }], state))).toBeUndefined();
    expect(secondsLeft(run([status(500, 0)]))).toBeUndefined();
  });
});
