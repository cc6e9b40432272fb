import { describe, expect, it } from 'vitest';
import { phaseOf } from './select';
import { type Event, initial, type Remembered } from './state';
import { began, both, hello, item, loaded, open, plain, play, told, up } from './step.fixture';

describe('after a reload while live', () => {
  const kept = (how: Remembered['how'], kind: Remembered['kind'] = 'file'): Remembered => ({
    live: true,
    kind,
    queue: { items: [item('a'), item('b')], current: 'b', loop: true },
    position: 12,
    playing: true,
    devices: { camera: 'c', microphone: 'm' },
    paused: false,
    soundOn: true,
    pictureOn: true,
    how,
  });
  const back = play(initial, began('k', kept('click')), open, hello).state;

  it('keeps how viewers get it, and tells the server what is chosen from then on', () => {
    const begun = { ...began('k', kept('click')), kept: { ...plain, topology: 'tree' } } as const;
    expect(play(initial, begun, open, hello).state.topology).toBe('tree');
    const changed = play(back, { kind: 'topology', topology: 'auto' });
    expect(changed.state.topology).toBe('auto');
    expect(told(changed.effects)).toEqual([{ type: 'set-topology', topology: 'auto' }]);
  });

  it('says nothing to viewers before the person has decided', () => {
    expect(back.resume).toMatchObject({ name: 'b.webm', how: 'click' });
    expect(back.told).toBeUndefined();
    expect(phaseOf(back)).toBe('returning');
  });

  it('goes on with one click at the same place', () => {
    expect(play(back, { kind: 'continue' }).effects).toEqual([{ kind: 'reopen' }]);
    const on = play(back, { kind: 'continue' }, { kind: 'restored', ids: ['a', 'b'] });
    expect(on.effects.slice(0, 2)).toEqual([
      { kind: 'load', id: 'b', at: 12, play: true },
      { kind: 'want', want: true },
    ]);
    expect([on.state.live, on.state.queue.loop, on.state.resume]).toEqual([true, true, undefined]);
  });

  it('goes on before the rest of the list is opened, and marks what is not there', () => {
    const on = play(back, { kind: 'continue' }, { kind: 'restored', ids: ['b'], pending: ['a'] });
    expect(on.effects[0]).toEqual({ kind: 'load', id: 'b', at: 12, play: true });
    expect(on.state.queue.items.map((i) => i.id)).toEqual(['a', 'b']);
    const missing = play(on.state, { kind: 'missing', ids: ['a'] }).state;
    expect(missing.queue.items[0]?.refused).toMatch(/could not be opened/);
    expect(phaseOf(play(missing, loaded, up).state)).toBe('live');
  });

  it('greets the server anew when another page has taken over before the person went on', () => {
    const replaced = play(back, { kind: 'link', link: { phase: 'replaced' } }).state;
    expect(play(replaced, { kind: 'restored', ids: ['b'] }).kinds).toEqual(['load', 'identify']);
  });

  it('asks for the file when its handle is of no use, and drops what is not there', () => {
    expect(play(back, { kind: 'continue' }, { kind: 'restored', ids: [] }).state.resume?.how).toBe('choose');
    const on = play(back, { kind: 'restored', ids: ['b'] }).state;
    expect(on.queue.items.map((i) => i.id)).toEqual(['b']);
  });

  it('says when it is another file, and takes it when told to', () => {
    const other = play(back, { kind: 'restored', ids: [], difference: 'This is “x”.' });
    // The handle of the one that was on is still there.
    expect(other.state.resume).toMatchObject({ how: 'click', difference: 'This is “x”.', busy: false });
    expect(play(other.state, { kind: 'continue' }).state.resume?.difference).toBeUndefined();
    const on = play(other.state, { kind: 'instead', items: [item('x')] });
    expect(on.effects[0]).toEqual({ kind: 'load', id: 'x', at: 0, play: true });
    expect([on.state.live, on.state.queue.loop]).toEqual([true, true]);
  });

  it('ends the stream when the person does not want to go on', () => {
    const over = play(back, { kind: 'discard' });
    expect(told(over.effects)[0]).toEqual({ type: 'stop' });
    expect([over.state.resume, over.state.owed, phaseOf(over.state)]).toEqual([undefined, true, 'setup']);
  });

  it('brings the same camera back, paused and without sound as it was', () => {
    const quiet = { ...kept('auto', 'camera'), paused: true, soundOn: false, pictureOn: false };
    const first = play(initial, began('k', quiet), open, hello);
    const devices = { camera: 'c', microphone: 'm' };
    expect(first.effects).toContainEqual({ kind: 'openDevice', source: 'camera', devices });
    const again = play(first.state, { kind: 'deviceOn', source: 'camera', device: both, devices });
    expect(again.state.device).toEqual({ ...both, phase: 'on', paused: true, soundOn: false, pictureOn: false });
    expect(told(again.effects)).toEqual([{ type: 'set-state', state: 'paused', title: 'Camera' }]);
    expect(play(initial, began('k', quiet), { kind: 'discard' }).state.device).toEqual(initial.device);
  });

  it('opens the camera by itself where it is still allowed, and asks where it is not', () => {
    const first = play(initial, began('k', kept('auto', 'camera')), open, hello);
    expect(first.kinds).toContain('openDevice');
    const on: Event = { kind: 'deviceOn', source: 'camera', device: both, devices: { camera: '', microphone: '' } };
    const again = play(first.state, on);
    expect([again.state.live, again.kinds]).toEqual([
      true,
      ['pictureDevice', 'pauseDevice', 'soundDevice', 'limits', 'want', 'tell'],
    ]);
    const refused = play(first.state, { kind: 'deviceRefused', trouble: { title: 'No.', advice: '' } }).state;
    expect(refused.resume).toMatchObject({ how: 'click', busy: false });
  });
});
