import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../media/settings';
import { canGoLive, phaseOf, shownTitle, wordsOf } from './select';
import type { Event } from './state';
import { both, inside, item, live, play, up } from './step.fixture';

describe('camera and screen', () => {
  const on: Event = { kind: 'deviceOn', source: 'camera', device: both, devices: { camera: 'c', microphone: 'm' } };
  const camera = play(inside, { kind: 'chooseCamera' }, on).state;

  it('are shown when they are allowed', () => {
    expect(play(inside, { kind: 'chooseCamera' }).kinds).toEqual(['openDevice']);
    expect([phaseOf(camera), canGoLive(camera), shownTitle(camera)]).toEqual(['ready', true, 'Camera']);
  });

  it('leave what was on as it was when they are refused', () => {
    const trouble = { title: 'No.', advice: '' };
    const refused = play(live, { kind: 'chooseScreen' }, { kind: 'deviceRefused', trouble }).state;
    expect([refused.kind, phaseOf(refused), refused.note?.title]).toEqual(['file', 'live', 'No.']);
    expect(
      play(live, { kind: 'chooseScreen' }, { kind: 'deviceRefused', trouble: undefined }).state.note,
    ).toBeUndefined();
  });

  it('stay paused and without sound when another device is chosen, or the first one is gone', () => {
    const quiet = play(camera, { kind: 'deviceSound', on: false }, { kind: 'toggle' }).state;
    for (const before of [quiet, play(quiet, { kind: 'deviceGone' }).state]) {
      const other = play(before, { kind: 'chooseCamera' }, on);
      expect(other.state.device).toMatchObject({ phase: 'on', paused: true, soundOn: false });
      expect(other.effects).toContainEqual({ kind: 'pauseDevice', paused: true });
      expect(other.effects).toContainEqual({ kind: 'soundDevice', on: false });
    }
    const anew = play(quiet, { kind: 'added', items: [item('a')] }, { kind: 'chooseCamera' }, on).state;
    expect(anew.device).toMatchObject({ paused: false, soundOn: true });
  });

  it('can be switched off one by one, and stay off for the next camera and not for a screen', () => {
    const onAir = play(camera, { kind: 'goLive' }, up).state;
    const dark = play(onAir, { kind: 'devicePicture', on: false });
    expect(dark.effects).toEqual([{ kind: 'pictureDevice', on: false }]);
    expect([phaseOf(dark.state), wordsOf(dark.state).detail]).toEqual([
      'live',
      expect.stringMatching(/camera is off.*microphone hears/),
    ]);
    const mute = play(dark.state, { kind: 'deviceSound', on: false }).state;
    expect(wordsOf(mute).detail).toMatch(/camera is off, and hear nothing/);
    const next = play(dark.state, { kind: 'chooseCamera' }, on);
    expect(next.effects[0]).toEqual({ kind: 'pictureDevice', on: false });
    const screen = play(dark.state, { kind: 'chooseScreen' }, { ...on, source: 'screen' });
    expect(screen.effects[0]).toEqual({ kind: 'pictureDevice', on: true });
    expect(wordsOf(screen.state).detail).toBe('Viewers see what you see here.');
    expect(play(dark.state, { kind: 'devicePicture', on: true }).effects).toEqual([
      { kind: 'pictureDevice', on: true },
    ]);
  });

  it('go on air without a microphone that is blocked, and it can be tried again', () => {
    const silent = { title: 'Blocked.', advice: 'Allow it.' };
    const first = play(inside, { kind: 'chooseCamera' }, { ...on, device: { sound: false, picture: true, silent } });
    expect(first.state.note).toEqual({ tone: 'warn', ...silent, action: 'microphone' });
    expect([canGoLive(first.state), first.state.device.silent]).toEqual([true, silent]);
    const again = play(first.state, { kind: 'chooseCamera' }, on).state;
    expect([again.note, again.device.silent, again.device.sound]).toEqual([undefined, undefined, true]);
  });

  it.each([
    [{}, { kind: 'toggle' }, /black picture, hear nothing/],
    [{ source: 'screen' }, { kind: 'toggle' }, /black picture, hear nothing/],
    [{ device: { sound: true, picture: false } }, { kind: 'toggle' }, /^Viewers hear nothing/],
    [{}, { kind: 'devicePicture', on: false }, /camera is off.*hear nothing/],
  ] as const)('say what viewers see of a pause: %j, %j', (change, then, words) => {
    const onAir = play(inside, { kind: 'chooseCamera' }, { ...on, ...change } as Event, { kind: 'goLive' }, up).state;
    expect(
      wordsOf({ ...play(onAir, then).state, device: { ...play(onAir, then).state.device, paused: true } }).detail,
    ).toMatch(words);
  });

  it('can be paused, and say when they are gone', () => {
    const onAir = play(camera, { kind: 'goLive' }, up).state;
    const paused = play(onAir, { kind: 'toggle' });
    expect(paused.effects[0]).toEqual({ kind: 'pauseDevice', paused: true });
    expect(phaseOf(paused.state)).toBe('paused');
    const gone = play(onAir, { kind: 'deviceGone' });
    expect([gone.kinds[0], gone.state.note?.title]).toEqual(['unload', 'The camera is gone.']);
    expect([phaseOf(gone.state), wordsOf(gone.state).title]).toEqual(['paused', 'Nothing to show']);
    expect(phaseOf(play(gone.state, { kind: 'chooseCamera' }, on).state)).toBe('live');
  });
});

describe('another codec', () => {
  const settings = { ...DEFAULTS, codec: 'VP9' } as const;
  const changing = play(live, { kind: 'settings', settings }, { kind: 'path', status: 'reconnecting' });

  it('is no lost connection', () => {
    expect(play(live, { kind: 'settings', settings }).effects).toEqual([{ kind: 'renew' }]);
    expect([phaseOf(changing.state), wordsOf(changing.state).title]).toEqual(['recoding', 'Changing how it is sent …']);
    expect(phaseOf(play(changing.state, up).state)).toBe('live');
  });

  it('is not blamed for what happens later, or for something else', () => {
    const lost = play(changing.state, up, { kind: 'path', status: 'reconnecting' }).state;
    expect(phaseOf(lost)).toBe('reconnecting');
    const away = play(
      changing.state,
      { kind: 'path', status: 'unreachable' },
      { kind: 'path', status: 'reconnecting' },
    );
    expect(phaseOf(away.state)).toBe('reconnecting');
    const down = play(live, { kind: 'path', status: 'reconnecting' }, { kind: 'settings', settings }).state;
    expect(phaseOf(down)).toBe('reconnecting');
  });
});
