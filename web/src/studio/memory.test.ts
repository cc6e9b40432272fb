import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../media/settings';
import { memoryOf, readMemory, writeMemory } from './memory';
import { initial, type State } from './state';

const items = [{ id: 'a', name: 'a.webm', size: 3, modified: 4 }];
const showing: State = {
  ...initial,
  live: true,
  kind: 'file',
  queue: { items, current: 'a', loop: true },
  file: { ...initial.file, phase: 'ready', playing: true, position: 12.5, duration: 60 },
  topology: 'tree',
  title: 'Holiday',
};

describe('memory', () => {
  it('comes back as it went', () => {
    const memory = memoryOf(showing, 'name', 1000);
    expect(readMemory(writeMemory(memory), 2000)).toEqual(memory);
    expect(memory).toMatchObject({
      live: true,
      position: 12.5,
      playing: true,
      stream: 'name',
      title: 'Holiday',
      topology: 'tree',
    });
  });

  it('keeps which camera was on, and that it was paused without sound', () => {
    const devices = { camera: 'c', microphone: 'm' };
    const device = { phase: 'on', paused: true, sound: true, soundOn: false, picture: true, pictureOn: false } as const;
    const memory = memoryOf({ ...initial, live: true, kind: 'camera', device, devices }, 'name', 0);
    expect(readMemory(writeMemory(memory), 0)).toMatchObject({
      devices,
      paused: true,
      soundOn: false,
      pictureOn: false,
    });
  });

  it('keeps an offer to go on until the person decides', () => {
    const resume = { kind: 'file', name: 'a.webm', position: 7, playing: true, how: 'click', busy: false } as const;
    const waiting = { ...initial, resume: { ...resume, queue: showing.queue } };
    expect(memoryOf(waiting, 'name', 0)).toMatchObject({ live: true, kind: 'file', position: 7, queue: showing.queue });
  });

  it('is live as long as the stream is, while another camera is being opened too', () => {
    const opening = {
      ...initial,
      live: true,
      kind: 'camera',
      device: { ...initial.device, phase: 'opening' },
    } as const;
    expect(memoryOf(opening, 'name', 0)).toMatchObject({ live: true, kind: 'camera' });
    expect(memoryOf({ ...initial, live: true }, 'name', 0).live).toBe(true);
  });

  it('keeps that the person does not want to hear it, not that the browser did not let it be heard', () => {
    expect(memoryOf({ ...showing, muted: true }, 'name', 0).muted).toBe(true);
    expect(memoryOf({ ...showing, muted: true, hushed: true }, 'name', 0).muted).toBe(false);
  });

  it('keeps a stop that the server has not heard for as long as the server waits', () => {
    const text = writeMemory(memoryOf({ ...initial, owed: true }, 'name', 0));
    expect(readMemory(text, 9 * 60_000)?.owed).toBe(true);
    expect(readMemory(text, 11 * 60_000)?.owed).toBe(false);
  });

  it('keeps whether the person chose the name, and no name that cannot be one', () => {
    const memory = memoryOf({ ...showing, name: { chosen: 'friday' } }, 'friday', 0);
    expect(readMemory(writeMemory(memory), 0)).toMatchObject({ stream: 'friday', named: true });
    expect(memoryOf(showing, 'q1fWtdUkFzvGxmW8mVQnDg', 0).named).toBe(false);
    expect(readMemory('{"stream":"a b","named":true}', 0)).toMatchObject({ stream: '', named: false });
  });

  it('forgets what is too old, and not the link', () => {
    const text = writeMemory(memoryOf(showing, 'name', 0));
    expect(readMemory(text, 13 * 3600_000)).toMatchObject({ live: false, stream: 'name', topology: 'sfu' });
  });

  it.each([[null], [''], ['{'], ['null'], ['7'], ['"text"']])('makes nothing of %j', (text) =>
    expect(readMemory(text, 0)).toBeUndefined(),
  );

  it('trusts no member', () => {
    const text = JSON.stringify({
      live: true,
      kind: 'weird',
      topology: 'http',
      queue: { items: [null, 1, { id: 1 }] },
      position: 'x',
      devices: { camera: 7, microphone: 'm' },
      paused: 'yes',
      volume: 9,
      muted: 1,
      owed: 'yes',
    });
    expect(readMemory(text, 0)).toEqual({
      at: 0,
      stream: '',
      named: false,
      live: false,
      kind: undefined,
      queue: { items: [], current: undefined, loop: false },
      position: 0,
      playing: true,
      devices: { camera: '', microphone: 'm' },
      paused: false,
      soundOn: true,
      pictureOn: true,
      title: '',
      settings: DEFAULTS,
      topology: 'sfu',
      volume: 1,
      muted: false,
      owed: false,
    });
  });
});
