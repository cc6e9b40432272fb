import { describe, expect, it } from 'vitest';
import type { Code, State } from '../signal/msg.gen';
import { canInvite, type Facts, hasControls, isKnown, type SceneKind, sceneOf, spoken } from './scene';

const stream = (state: State['state'], over: Partial<State> = {}): Omit<State, 'type'> => ({
  state,
  since: 1,
  video: 'VP8',
  audio: 'opus',
  ...over,
});

const playing: Facts = {
  missing: false,
  link: { phase: 'open' },
  welcomed: true,
  stream: stream('live'),
  path: 'connected',
  shown: true,
  flowing: true,
  stopped: false,
  playBlocked: false,
  playable: true,
  byHttp: false,
  passwordWrong: false,
};

const refused = (code: Code, text = ''): Partial<Facts> => ({ link: { phase: 'refused', code, text } });
const away = (attempt: number, code: Code | 'network' = 'network'): Partial<Facts> => ({
  link: { phase: 'waiting', retryAt: 0, attempt, code },
});

const table: [what: string, facts: Partial<Facts>, kind: SceneKind][] = [
  ['all is well', {}, 'playing'],
  ['no WebRTC', { missing: true, path: 'blocked', shown: false, flowing: false }, 'no-webrtc'],
  [
    'no WebRTC, before it is live',
    { missing: true, path: 'blocked', stream: stream('idle'), shown: false, flowing: false },
    'no-webrtc',
  ],
  [
    'no WebRTC, but plain HTTP',
    { missing: true, path: 'blocked', byHttp: true, shown: false, flowing: false },
    'by-http',
  ],
  ['no WebRTC, and a password', { missing: true, path: 'none', ...refused('password') }, 'password'],
  ['no WebRTC, and it is over', { missing: true, path: 'none', stream: stream('ended') }, 'ended'],
  [
    'just opened',
    { link: { phase: 'connecting' }, welcomed: false, stream: undefined, path: 'none', shown: false, flowing: false },
    'connecting',
  ],
  ['welcomed, no picture yet', { path: 'connecting', shown: false, flowing: false }, 'connecting'],
  ['not live', { stream: stream('idle'), shown: false, flowing: false }, 'idle'],
  ['paused by the uploader', { stream: stream('paused') }, 'paused'],
  ['seeking', { stream: stream('seeking') }, 'seeking'],
  ['publisher gone', { stream: stream('away') }, 'away'],
  ['over', { stream: stream('ended'), path: 'none' }, 'ended'],
  ['removed', refused('removed'), 'removed'],
  ['password', refused('password'), 'password'],
  ['link changed', refused('not-found', 'The owner has changed the link.'), 'not-found'],
  ['old page', refused('version'), 'version'],
  ['not allowed', refused('unauthorised'), 'refused'],
  ['no decoder', { playable: false }, 'codec'],
  ['no decoder, but it is sound only', { playable: false, stream: stream('live', { video: '' }) }, 'sound-only'],
  ['plain HTTP where UDP is blocked', { path: 'blocked', byHttp: true, shown: false, flowing: false }, 'by-http'],
  ['UDP blocked', { path: 'blocked', shown: false, flowing: false }, 'blocked'],
  [
    'UDP blocked before it is live',
    { path: 'blocked', stream: stream('idle'), shown: false, flowing: false },
    'blocked',
  ],
  ['path lost', { path: 'reconnecting', flowing: false }, 'reconnecting'],
  ['path lost, picture still runs', { path: 'reconnecting' }, 'playing'],
  ['offer refused', { path: 'refused', flowing: false }, 'refused'],
  ['server busy', { path: 'busy', flowing: false, shown: false }, 'busy'],
  ['first lost try', { ...away(1), flowing: false }, 'playing'],
  ['server away', { ...away(2), flowing: false }, 'server-away'],
  ['server restarting', { ...away(3, 'shutdown'), flowing: false, path: 'reconnecting' }, 'server-away'],
  ['server away, picture runs', away(5), 'playing'],
  ['too fast', { ...away(1, 'rate'), flowing: false }, 'busy'],
  ['sound only', { stream: stream('live', { video: '' }) }, 'sound-only'],
  ['stopped by the viewer', { stopped: true }, 'stopped'],
  ['play needs a gesture', { playBlocked: true, shown: false }, 'press-play'],
];

describe('sceneOf', () => {
  it.each(table)('%s', (_, facts, kind) => {
    expect(sceneOf({ ...playing, ...facts }).kind).toBe(kind);
  });

  it('says the words of the server when the link was changed', () => {
    const s = sceneOf({ ...playing, ...refused('not-found', 'The owner has changed the link.') });
    expect(s.text).toBe('The owner has changed the link.');
  });

  it('says that a password was wrong only after one was given', () => {
    expect(sceneOf({ ...playing, ...refused('password') }).text).not.toMatch(/not the right/);
    expect(sceneOf({ ...playing, ...refused('password'), passwordWrong: true }).text).toMatch(/not the right/);
  });

  it('names the format that cannot be played', () => {
    expect(sceneOf({ ...playing, playable: false, stream: stream('live', { video: 'H264' }) }).text).toContain('H.264');
  });

  it('says why the picture comes by plain HTTP', () => {
    const byHttp: Facts = { ...playing, path: 'blocked', byHttp: true, shown: false, flowing: false };
    expect(sceneOf(byHttp).text).toMatch(/^This network /);
    expect(sceneOf({ ...byHttp, missing: true }).text).toMatch(/^This browser has no WebRTC/);
  });

  it('keeps the last picture in sight when it is paused, and has words where there was none', () => {
    expect(sceneOf({ ...playing, stream: stream('paused') }).form).toBe('note');
    expect(sceneOf({ ...playing, stream: stream('paused'), shown: false }).form).toBe('card');
  });

  it('has words for every scene that covers the picture', () => {
    for (const [, facts] of table) {
      const s = sceneOf({ ...playing, ...facts });
      if (s.form === 'card' && s.action !== 'play') expect(s.title).not.toBe('');
      expect(spoken(s)).toMatch(/\.$|^[^.]+$/);
      expect(spoken(s)).not.toBe('');
    }
  });

  it('tells a wrong password as a mistake, beside the field', () => {
    expect(sceneOf({ ...playing, ...refused('password') }).mistake).toBe(false);
    expect(sceneOf({ ...playing, ...refused('password'), passwordWrong: true }).mistake).toBe(true);
  });

  it('invites nobody to where nothing is', () => {
    expect(canInvite(sceneOf({ ...playing, ...refused('not-found') }))).toBe(false);
    expect(canInvite(sceneOf({ ...playing, ...refused('removed') }))).toBe(false);
    expect(canInvite(sceneOf({ ...playing, stream: stream('ended') }))).toBe(true);
  });

  it('has no controls where there is nothing to control', () => {
    expect(hasControls(sceneOf({ ...playing, ...refused('removed') }))).toBe(false);
    expect(hasControls(sceneOf(playing))).toBe(true);
  });

  it('calls nothing live while the server is away', () => {
    const alone = sceneOf({ ...playing, ...away(2), flowing: false });
    expect([alone.kind, isKnown(alone)]).toEqual(['server-away', false]);
    expect(isKnown(sceneOf(playing))).toBe(true);
  });
});
