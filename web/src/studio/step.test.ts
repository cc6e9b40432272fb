import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../media/settings';
import {
  canGoLive,
  declared,
  mustWarn,
  owesStop,
  phaseOf,
  reach,
  shownTitle,
  showsNothing,
  wantsAwake,
  watchLink,
  wordsOf,
} from './select';
import { type Event, initial } from './state';
import {
  began,
  hello,
  inside,
  item,
  live,
  loaded,
  open,
  plain,
  play,
  told,
  up,
  welcome,
  withFiles,
} from './step.fixture';

describe('the key', () => {
  it('is asked for, tried and forgotten', () => {
    expect(play(initial, began(undefined)).state.key).toEqual({ phase: 'missing' });
    const tried = play(initial, began(undefined), { kind: 'key', key: 'k', remember: true });
    expect(tried.effects).toEqual([{ kind: 'connect', key: 'k', remember: true }]);
    expect(play(tried.state, open, hello).effects[0]).toEqual({ kind: 'keyWorks' });
    expect(play(inside, { kind: 'forgetKey' }).kinds).toEqual(['unload', 'keyForget']);
  });

  it('takes the stream with it when it is forgotten', () => {
    const left = play(live, { kind: 'forgetKey' });
    expect(left.kinds).toEqual(['tell', 'want', 'pause', 'unload', 'keyForget']);
    expect(told(left.effects)).toEqual([{ type: 'stop' }]);
    expect([left.state.live, left.state.kind, mustWarn(left.state)]).toEqual([false, undefined, false]);
  });

  it('takes the source with it when it is refused while live', () => {
    const refused = play(live, { kind: 'link', link: { phase: 'refused', code: 'unauthorised', text: '' } });
    expect(refused.kinds).toEqual(['want', 'unload', 'keyWrong']);
    expect([refused.state.live, refused.state.kind]).toEqual([false, undefined]);
  });

  it('that is wrong is asked for again, in words', () => {
    const refused = play(initial, began('k'), {
      kind: 'link',
      link: { phase: 'refused', code: 'unauthorised', text: '' },
    });
    expect(refused.state.key).toEqual({ phase: 'missing', problem: 'This key is wrong, or it is not valid any more.' });
    expect(play(refused.state, { kind: 'key', key: 'l', remember: false }).kinds).toEqual(['connect']);
  });

  it('that does not own the kept link begins a new one', () => {
    const link = { phase: 'refused', code: 'forbidden', text: '' } as const;
    expect(play(initial, began('k'), { kind: 'link', link }).effects).toEqual([
      { kind: 'identify', change: { room: { kind: 'stream', name: '' } } },
    ]);
  });
});

describe('before going live', () => {
  it('the link is there as soon as the server has answered', () => {
    expect(watchLink(inside)).toBe('http://192.0.2.7:8080/w/name');
    expect([phaseOf(inside), canGoLive(inside)]).toEqual(['setup', false]);
    expect(inside.access.embed).toBe(true);
  });

  it('the first file is shown and waits', () => {
    const added = play(inside, { kind: 'added', items: [item('a')] });
    expect(added.effects[0]).toEqual({ kind: 'load', id: 'a', at: 0, play: false });
    expect(canGoLive(added.state)).toBe(false);
    expect([phaseOf(withFiles), canGoLive(withFiles), shownTitle(withFiles)]).toEqual(['ready', true, 'a']);
    expect(mustWarn(withFiles)).toBe(false);
  });

  it('tells the title once, and again when it changes', () => {
    const typed = play(withFiles, { kind: 'title', text: 'Holiday' });
    expect(told(typed.effects)).toEqual([{ type: 'set-state', state: 'live', title: 'Holiday' }]);
    expect(play(typed.state, { kind: 'dismiss' }).effects).toEqual([]);
  });
});

describe('live', () => {
  it('begins with the file, and is warned about and kept awake', () => {
    expect(play(withFiles, { kind: 'goLive' }).effects).toEqual([{ kind: 'want', want: true }, { kind: 'play' }]);
    expect(phaseOf(play(withFiles, { kind: 'goLive' }).state)).toBe('connecting');
    expect([phaseOf(live), mustWarn(live), wantsAwake(live)]).toEqual(['live', true, true]);
  });

  it('pauses, seeks and goes on, and viewers are told', () => {
    expect(play(live, { kind: 'toggle' }).kinds).toEqual(['pause']);
    const paused = play(live, { kind: 'paused' });
    expect(told(paused.effects)).toEqual([{ type: 'set-state', state: 'paused', title: 'a' }]);
    expect([phaseOf(paused.state), wantsAwake(paused.state)]).toEqual(['paused', false]);
    const seeking = play(live, { kind: 'seekTo', seconds: 9 }, { kind: 'seeking' });
    expect(declared(seeking.state)).toBe('seeking');
    expect(seeking.state.file.position).toBe(9);
    expect(declared(play(seeking.state, { kind: 'seeked' }).state)).toBe('live');
  });

  it('goes from file to file', () => {
    const second = play(live, { kind: 'ended' });
    expect(second.effects[0]).toEqual({ kind: 'load', id: 'b', at: 0, play: true });
    expect(declared(second.state)).toBe('live');
    expect(play(second.state, loaded, { kind: 'previous' }).effects[0]).toMatchObject({ kind: 'load', id: 'a' });
    const far = play(second.state, loaded, { kind: 'position', seconds: 9 }, { kind: 'previous' });
    expect(far.effects[0]).toEqual({ kind: 'seek', to: 0 });
  });

  it('stands on the last picture when the list is over, and begins anew', () => {
    const over = play(live, { kind: 'picked', id: 'c' }, loaded, { kind: 'paused' }, { kind: 'ended' }).state;
    expect([phaseOf(over), over.file.over]).toEqual(['paused', true]);
    expect(wordsOf(over).title).toBe('The list is over');
    expect(play(over, { kind: 'toggle' }).kinds).toEqual(['seek', 'play']);
  });

  it('goes on with a file that was added after the list was over', () => {
    const over = play(live, { kind: 'picked', id: 'c' }, loaded, { kind: 'paused' }, { kind: 'ended' });
    const added = play(over.state, { kind: 'added', items: [item('d')] });
    expect(added.kinds).toEqual([]);
    expect(play(added.state, { kind: 'toggle' }).effects[0]).toEqual({ kind: 'load', id: 'd', at: 0, play: true });
  });

  it('goes live again with what is new on a list that is over, or from its beginning', () => {
    const over = play(
      live,
      { kind: 'picked', id: 'c' },
      loaded,
      { kind: 'ended' },
      { kind: 'stop' },
      { kind: 'paused' },
    );
    const anew = play(over.state, { kind: 'goLive' });
    expect(anew.effects.slice(0, 2)).toEqual([
      { kind: 'want', want: true },
      { kind: 'load', id: 'a', at: 0, play: true },
    ]);
    expect([declared(anew.state), anew.state.file.over]).toEqual(['live', false]);
    const more = play(over.state, { kind: 'added', items: ['d', 'e'].map(item) }, { kind: 'goLive' });
    expect(more.effects).toContainEqual({ kind: 'load', id: 'd', at: 0, play: true });
    const alone = play(inside, { kind: 'added', items: [item('x')] }, loaded, { kind: 'ended' }, { kind: 'goLive' });
    expect(alone.kinds).toEqual(['want', 'seek', 'play']);
  });

  it('says how many files a full list leaves out', () => {
    const many = Array.from({ length: 203 }, (_, i) => item(`m${i}`));
    const full = play(inside, { kind: 'added', items: many });
    expect(full.effects[0]).toMatchObject({ kind: 'load', id: 'm0' });
    expect(full.state.note?.title).toBe('The list is full: 3 files were left out.');
    const more = play(full.state, loaded, { kind: 'added', items: [item('z')] });
    expect(more.state.note?.title).toBe('The list is full: One file was left out.');
    expect(play(withFiles, { kind: 'added', items: [item('z')] }).state.note).toBeUndefined();
  });

  it('takes over how long a file is when that is found out late', () => {
    const unknown = play(inside, { kind: 'added', items: [item('a')] }, { ...loaded, duration: Infinity });
    const played = play(unknown.state, { kind: 'position', seconds: 7 }, { kind: 'position', seconds: 3 }).state;
    expect([reach(unknown.state.file), reach(played.file)]).toEqual([0, 7]);
    expect(reach(play(played, { kind: 'duration', seconds: 9 }).state.file)).toBe(9);
  });

  it('loops the list, and a list of one file without loading it again', () => {
    const round = play(live, { kind: 'loop', on: true }).state;
    expect(play(round, { kind: 'picked', id: 'c' }, loaded, { kind: 'ended' }).effects[0]).toMatchObject({ id: 'a' });
    const one = play(round, { kind: 'removed', id: 'b' }, { kind: 'removed', id: 'c' }).state;
    expect(play(one, { kind: 'ended' }).kinds).toEqual(['seek', 'play']);
  });

  it('passes over a file that cannot be played, and says why', () => {
    const trouble = { title: 'It is HEVC.', advice: 'Convert it.' };
    const next = play(live, { kind: 'next' }, { kind: 'refused', trouble });
    expect(next.effects[0]).toEqual({ kind: 'load', id: 'c', at: 0, play: true });
    expect(next.state.note?.title).toBe('It is HEVC.');
    expect(next.state.queue.items[1]?.refused).toBe('It is HEVC.');
    const none = play(inside, { kind: 'added', items: [item('x')] }, { kind: 'refused', trouble });
    expect([none.state.note?.tone, canGoLive(none.state), none.kinds]).toEqual(['bad', false, []]);
    expect([phaseOf(none.state), showsNothing(none.state)]).toEqual(['setup', true]);
    const good = play(none.state, { kind: 'added', items: [item('y')] });
    expect(good.effects[0]).toEqual({ kind: 'load', id: 'y', at: 0, play: false });
    expect(good.state.note).toBeUndefined();
    expect([phaseOf(good.state), showsNothing(good.state)]).toEqual(['ready', false]);
  });

  it('is paused when the last file breaks, and goes on with a good one', () => {
    const alone = play(inside, { kind: 'added', items: [item('x')] }, loaded, { kind: 'goLive' }, up).state;
    const broken = play(alone, { kind: 'refused', trouble: { title: 'It broke.', advice: '' } });
    expect(told(broken.effects)).toEqual([{ type: 'set-state', state: 'paused', title: 'x' }]);
    expect(wordsOf(broken.state).title).toBe('Nothing to show');
    const good = play(broken.state, { kind: 'added', items: [item('y')] }, loaded, { kind: 'playing' });
    expect(phaseOf(good.state)).toBe('live');
  });

  it('says when the sound of a file is left out', () => {
    const quiet = play(live, { kind: 'soundless', trouble: { title: 'It is AC-3.', advice: '' } }).state;
    expect([quiet.file.sound, quiet.note?.title, phaseOf(quiet)]).toEqual([false, 'It is AC-3.', 'live']);
  });

  it('goes on with the next file when the one that is on is removed', () => {
    expect(play(live, { kind: 'removed', id: 'a' }).effects[0]).toEqual({ kind: 'load', id: 'b', at: 0, play: true });
    const alone = play(inside, { kind: 'added', items: [item('x')] }, loaded, { kind: 'goLive' }).state;
    const empty = play(alone, { kind: 'removed', id: 'x' });
    expect(empty.kinds).toContain('unload');
    expect(empty.state.note?.title).toMatch(/nothing to show/);
    expect(told(empty.effects)).toEqual([{ type: 'set-state', state: 'paused' }]);
  });

  it('stops, and may go live again with the same link', () => {
    const stopped = play(live, { kind: 'stop' });
    expect(stopped.kinds.slice(0, 3)).toEqual(['tell', 'want', 'pause']);
    expect(phaseOf(stopped.state)).toBe('ended');
    expect(phaseOf(play(stopped.state, { kind: 'goLive' }).state)).toBe('connecting');
  });

  it('needs a new session for another codec or number of qualities only', () => {
    expect(play(live, { kind: 'settings', settings: { ...DEFAULTS, height: 360 } }).kinds).toEqual(['limits']);
    expect(play(live, { kind: 'settings', settings: { ...DEFAULTS, codec: 'VP9' } }).kinds).toEqual(['renew']);
    expect(play(live, { kind: 'settings', settings: { ...DEFAULTS, one: true } }).kinds).toEqual(['renew']);
    expect(play(live, { kind: 'settings', settings: { ...DEFAULTS, delay: 'least' } }).kinds).toEqual(['renew']);
    expect(play(withFiles, { kind: 'settings', settings: { ...DEFAULTS, codec: 'VP9' } }).kinds).toEqual(['limits']);
  });

  it('says that the tab was hidden, for files only', () => {
    expect(play(live, { kind: 'hidden', hidden: true }).state.note?.title).toMatch(/background/);
    expect(play(withFiles, { kind: 'hidden', hidden: true }).state.note).toBeUndefined();
  });
});

describe('the connection', () => {
  it.each([
    ['reconnecting', 'reconnecting'],
    ['unreachable', 'reconnecting'],
    ['blocked', 'blocked'],
    ['refused', 'refused'],
  ] as const)('%s reads %s once it was up', (status, phase) => {
    expect(phaseOf(play(live, { kind: 'path', status }).state)).toBe(phase);
  });

  it('comes back after a restart of the server', () => {
    const waiting = { phase: 'waiting', retryAt: 0, attempt: 1, code: 'network' } as const;
    const back = play(live, { kind: 'link', link: waiting }, open, { kind: 'restarted' }, hello);
    expect(back.kinds).toEqual(['keyWorks', 'remember', 'renew', 'tell']);
    expect(back.state.stale).toBe(false);
  });

  it('keeps a session that holds while the control connection was away', () => {
    expect(play(live, open, hello).effects).toContainEqual({ kind: 'want', want: true });
  });

  it('gives way to a newer publisher, and comes back only when asked to', () => {
    const gone = play(live, { kind: 'link', link: { phase: 'replaced' } });
    expect(gone.kinds).toEqual(['want', 'pause']);
    expect([phaseOf(gone.state), mustWarn(gone.state)]).toEqual(['replaced', false]);
    const back = play(gone.state, { kind: 'takeBack' });
    expect(back.kinds).toEqual(['identify', 'play']);
    expect(play(back.state, open, hello).kinds).toContain('renew');
  });

  it('does not take a stream over with nothing to show', () => {
    const empty = play(inside, { kind: 'link', link: { phase: 'replaced' } }, { kind: 'takeBack' });
    expect([empty.kinds, empty.state.live]).toEqual([[], false]);
    expect(empty.state.note?.title).toMatch(/Choose something to show first/);
    expect(wordsOf(empty.state).detail).toMatch(/choose something/);
    const opening = play(empty.state, { kind: 'added', items: [item('a')] });
    expect(play(opening.state, { kind: 'takeBack' }).kinds).toEqual([]);
    const on = play(opening.state, loaded, { kind: 'takeBack' });
    expect([on.kinds, on.state.live, on.state.file.playing]).toEqual([['identify', 'play'], true, true]);
  });

  it('says a stop again that was said while the server was away, until the stream has ended', () => {
    const waiting: Event = { kind: 'link', link: { phase: 'waiting', retryAt: 0, attempt: 1, code: 'network' } };
    const welcomed = (state: 'away' | 'live' | 'ended'): Event => ({
      kind: 'message',
      message: { ...welcome, stream: { state, since: 0 } },
    });
    const says = (state: 'away' | 'live' | 'ended'): Event => ({
      kind: 'message',
      message: { type: 'state', state, since: 0 },
    });
    const stop = { type: 'stop' };
    const away = play(live, waiting, { kind: 'stop' }).state;
    expect([owesStop(away), mustWarn(away)]).toEqual([true, true]);
    expect(wordsOf(away).detail).toMatch(/do not know it yet/);

    const back = play(away, open, welcomed('away'));
    expect(told(back.effects)[0]).toEqual(stop);
    expect([owesStop(back.state), back.state.owed]).toEqual([false, true]);
    expect(play(back.state, says('ended')).state.owed).toBe(false);
    // The server has not noticed yet that the publisher is gone.
    const soon = play(away, open, welcomed('live'));
    expect(told(soon.effects)).not.toContainEqual(stop);
    expect(told(play(soon.state, says('away')).effects)).toEqual([stop]);
    expect(play(away, open, welcomed('ended')).state.owed).toBe(false);
    expect(play(away, { kind: 'link', link: { phase: 'replaced' } }).state.owed).toBe(false);
    expect(play(away, { kind: 'goLive' }).state.owed).toBe(false);

    const owing: Event = { kind: 'begin', key: 'k', kept: { ...plain, owed: true } };
    const reloaded = play(initial, owing, open, welcomed('away'));
    expect(told(reloaded.effects)[0]).toEqual(stop);
  });

  it('moves to a new link', () => {
    const moved = play(live, { kind: 'message', message: { type: 'moved', name: 'other', url: '' } });
    expect(moved.effects).toContainEqual({ kind: 'remember', name: 'other' });
    expect(watchLink(moved.state)).toMatch(/\/w\/other$/);
    expect(play(moved.state, open, hello).kinds).toContain('renew');
  });
});
