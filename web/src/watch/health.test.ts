import { describe, expect, it } from 'vitest';
import { read } from '../stats/sample';
import type { Snapshot } from '../stats/vocabulary';
import { canPlay } from './codecs';
import { HEALTH, HealthWatch } from './health';
import { IDLE_AFTER, IdleWatch } from './idle';
import { commandFor, KEYS } from './keys';

const arrived = (bytes: number, frames: number): Snapshot =>
  read([{ id: 'v', type: 'inbound-rtp', kind: 'video', bytesReceived: bytes, framesDecoded: frames }]);

describe('HealthWatch', () => {
  it('flows while bytes come', () => {
    const h = new HealthWatch();
    h.observe(arrived(0, 0), true, 0);
    expect(h.observe(arrived(1000, 30), true, 1000)).toEqual({ flowing: true, stalled: false, undecodable: false });
    expect(h.observe(arrived(1000, 30), true, 2000).flowing).toBe(true);
    expect(h.observe(arrived(1000, 30), true, 1000 + HEALTH.quiet).flowing).toBe(false);
  });

  it('is stalled only when something should come', () => {
    const h = new HealthWatch();
    h.observe(arrived(1000, 30), true, 0);
    expect(h.observe(arrived(1000, 30), true, HEALTH.stalled).stalled).toBe(true);
    expect(h.observe(arrived(1000, 30), false, 60_000).stalled).toBe(false);
    expect(h.observe(arrived(1000, 30), true, 60_000 + HEALTH.stalled - 1).stalled).toBe(false);
  });

  it('calls undecodable what comes and never becomes a picture', () => {
    const h = new HealthWatch();
    let last = h.observe(arrived(0, 0), true, 0);
    for (let t = 1; t <= 10; t++) last = h.observe(arrived(t * 1000, 0), true, t * 1000);
    expect(last.undecodable).toBe(true);
    expect(h.observe(arrived(11_000, 1), true, 11_000).undecodable).toBe(false);
  });

  it('forgets with another connection', () => {
    const h = new HealthWatch();
    h.observe(arrived(1000, 30), true, 0);
    h.reset();
    expect(h.observe(arrived(0, 0), true, 60_000).stalled).toBe(false);
  });
});

describe('canPlay', () => {
  it.each([
    ['VP8', ['video/VP8', 'video/rtx'], true],
    ['H264', ['video/VP8'], false],
    ['h264', ['video/H264'], true],
    ['AV1', undefined, true],
  ])('%s of %s', (codec, offered, want) => {
    expect(canPlay(codec, offered)).toBe(want);
  });
});

describe('IdleWatch', () => {
  it('hides after a rest, and never from someone who is using the controls', () => {
    const idle = new IdleWatch();
    const free = { playing: true, busy: false };
    idle.moved(1_000);
    expect(idle.visible(free, 1_000 + IDLE_AFTER - 1)).toBe(true);
    expect(idle.visible(free, 1_000 + IDLE_AFTER)).toBe(false);
    expect(idle.visible({ playing: true, busy: true }, 99_000)).toBe(true);
    expect(idle.visible({ playing: false, busy: false }, 99_000)).toBe(true);
    idle.moved(100_000);
    idle.left(100_001);
    expect(idle.visible(free, 100_001)).toBe(false);
    idle.moved(200_000);
    expect(idle.due(200_000)).toBe(IDLE_AFTER);
  });
});

describe('keys', () => {
  const press = (key: string, over = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...over });

  it('do what the help says', () => {
    for (const k of KEYS) for (const key of k.keys) expect(commandFor(press(key), 'none')).toBe(k.command);
    expect(commandFor(press('M'), 'none')).toBe('mute');
    expect(commandFor(press('x'), 'none')).toBeUndefined();
  });

  it('leave to the browser and to the element in focus what is theirs', () => {
    expect(commandFor(press('f', { ctrlKey: true }), 'none')).toBeUndefined();
    expect(commandFor(press('m', { metaKey: true }), 'none')).toBeUndefined();
    expect(commandFor(press(' '), 'button')).toBeUndefined();
    expect(commandFor(press('m'), 'button')).toBe('mute');
    expect(commandFor(press('m'), 'text')).toBeUndefined();
    expect(commandFor(press('ArrowUp'), 'range')).toBeUndefined();
  });
});
