import { describe, expect, it } from 'vitest';
import type { Welcome } from '../signal/msg.gen';
import { canName, nameFault } from './name';
import { canGoLive } from './select';
import { type Effect, type Event, initial, type Kept, type State } from './state';
import { step } from './step';

const item = { id: 'a', name: 'a.webm', size: 1, modified: 1 };
const open: Event = { kind: 'link', link: { phase: 'open' } };
const connecting: Event = { kind: 'link', link: { phase: 'connecting' } };
const taken: Event = {
  kind: 'link',
  link: { phase: 'refused', code: 'forbidden', text: 'It belongs to another key.' },
};

const welcome = (name: string): Event => ({
  kind: 'message',
  message: { type: 'welcome', room: { kind: 'stream', name }, mediaUrl: `/whip/${name}`, publicUrl: '' } as Welcome,
});

function play(state: State, ...events: Event[]): { state: State; effects: Effect[] } {
  let next: { state: State; effects: Effect[] } = { state, effects: [] };
  for (const event of events) next = step(next.state, event);
  return next;
}

const kept = (name: string): Kept => ({
  name,
  settings: initial.settings,
  topology: 'sfu',
  title: '',
  volume: 1,
  muted: false,
  owed: false,
});
const inside = play(initial, { kind: 'begin', key: 'k', kept: kept('') }, open, welcome('made')).state;
const asked = play(inside, { kind: 'name', text: ' friday ' });

describe('a name', () => {
  it.each([
    ['', undefined],
    ['friday', undefined],
    ['A_b-9', undefined],
    ['x'.repeat(64), undefined],
    ['x'.repeat(65), /too long/],
    ['two words', /Letters/],
    ['schön', /Letters/],
    ['a/b', /Letters/],
    ['..', /Letters/],
  ])('%j: %s', (text, want) => {
    if (want) expect(nameFault(text)).toMatch(want);
    else expect(nameFault(text)).toBeUndefined();
  });
});

describe('choosing the name in the link', () => {
  it('asks the server, and nothing goes live meanwhile', () => {
    expect(asked.effects).toEqual([{ kind: 'rename', name: 'friday' }]);
    const ready = { ...asked.state, kind: 'file' as const, queue: { ...initial.queue, items: [item] } };
    const loaded = { ...ready, file: { ...initial.file, phase: 'ready' as const } };
    expect([canGoLive(loaded), canName(loaded)]).toEqual([false, false]);
    expect(play(loaded, { kind: 'goLive' }).state.live).toBe(false);
  });

  it('takes what is free, and keeps it', () => {
    const named = play(asked.state, connecting, open, welcome('friday'));
    expect([named.state.room?.name, named.state.name]).toEqual(['friday', { chosen: 'friday' }]);
    expect(named.effects).toContainEqual({ kind: 'remember', name: 'friday' });
    expect(play(named.state, { kind: 'name', text: 'friday' }).effects).toEqual([]);
    expect(play(named.state, { kind: 'name', text: '' }).effects).toEqual([{ kind: 'rename', name: '' }]);
  });

  it('tells what is taken, and goes back to the name before', () => {
    const refused = play(asked.state, connecting, taken);
    expect(refused.effects).toEqual([{ kind: 'identify', change: { room: { kind: 'stream', name: 'made' } } }]);
    expect(refused.state.name).toEqual({ chosen: '', problem: '“friday” is not free. It belongs to another key.' });
    expect(refused.state.key.phase).toBe('good');
    const back = play(refused.state, open, welcome('made')).state;
    expect([back.room?.name, back.name]).toEqual(['made', refused.state.name]);
  });

  it('cuts off no other tab', () => {
    const used = play(asked.state, { kind: 'nameInUse' }).state;
    expect([used.name.asking, used.name.problem]).toEqual([undefined, expect.stringMatching(/another tab/)]);
  });

  it('is no matter while live, without the server, or with a name that cannot be one', () => {
    for (const state of [{ ...inside, live: true }, { ...inside, room: undefined }, play(inside, connecting).state]) {
      expect(play(state, { kind: 'name', text: 'friday' }).effects.map((e) => e.kind)).not.toContain('rename');
    }
    expect(play(inside, { kind: 'name', text: 'a b' }).effects).toEqual([]);
  });

  it('is forgotten with the link, or when it belongs to another key by now', () => {
    const named = play(asked.state, open, welcome('friday')).state;
    const moved = play(named, { kind: 'message', message: { type: 'moved', name: 'other', url: '' } });
    expect(moved.state.name).toEqual({ chosen: '' });
    const begun = play(initial, { kind: 'begin', key: 'k', kept: kept('friday') });
    expect(begun.state.name.chosen).toBe('friday');
    expect(play(begun.state, taken).state.name).toEqual({ chosen: '' });
  });
});
