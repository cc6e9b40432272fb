import { describe, expect, it } from 'vitest';
import {
  DeviceRefused,
  type Devices,
  openInstead,
  type Permissions,
  passes,
  refusalOf,
  worthWithout,
} from './live-source';

describe('what goes out of a device', () => {
  it.each([
    [
      { paused: false, soundOn: true, pictureOn: true },
      { video: true, audio: true },
    ],
    [
      { paused: false, soundOn: false, pictureOn: true },
      { video: true, audio: false },
    ],
    [
      { paused: false, soundOn: true, pictureOn: false },
      { video: false, audio: true },
    ],
    [
      { paused: true, soundOn: true, pictureOn: true },
      { video: false, audio: false },
    ],
    [
      { paused: true, soundOn: false, pictureOn: false },
      { video: false, audio: false },
    ],
  ])('%j', (is, want) => expect(passes(is)).toEqual(want));
});

describe('a camera without its microphone', () => {
  const [yes, no, ask]: PermissionState[] = ['granted', 'denied', 'prompt'];
  const may = (camera?: PermissionState, microphone?: PermissionState): Permissions => ({ camera, microphone });
  it.each([
    ['NotReadableError', may(yes, yes), true], // another program has it
    ['NotFoundError', may(), true],
    ['AbortError', may(), true],
    ['NotAllowedError', may(ask, no), true], // the microphone is blocked
    ['NotAllowedError', may(yes, no), true],
    ['NotAllowedError', may(yes, ask), true],
    ['NotAllowedError', may(undefined, no), true],
    ['NotAllowedError', may(ask, ask), false], // the person has closed the question about both
    ['NotAllowedError', may(no, no), false],
    ['NotAllowedError', may(no, yes), false],
    ['NotAllowedError', may(), false],
  ])('%s with %j: %j', (error, permissions, want) => expect(worthWithout(error, permissions)).toBe(want));
});

describe('another camera', () => {
  const [old, other] = [
    { camera: 'old', microphone: '' },
    { camera: 'other', microphone: '' },
  ];

  /** A system with these cameras; one of them may be open at a time, or all. */
  function system(cameras: string[], open: string[], oneAtATime: boolean) {
    const tried: string[] = [];
    return {
      tried,
      open: async ({ camera }: Devices): Promise<string> => {
        tried.push(camera);
        if (!cameras.includes(camera) || (oneAtATime && open.length > 0)) throw new DeviceRefused('NotReadableError');
        open.push(camera);
        return camera;
      },
      release: (): void => {
        tried.push('release');
        open.splice(0);
      },
    };
  }

  it.each([
    ['is opened beside the old one where that can be', ['old', 'other'], false, { stream: 'other' }, ['other']],
    [
      'has the old one closed where it must be',
      ['old', 'other'],
      true,
      { stream: 'other' },
      ['other', 'release', 'other'],
    ],
    [
      'gives way to the old one when it fails all the same',
      ['old'],
      true,
      { stream: 'old', refused: 'NotReadableError' },
      ['other', 'release', 'other', 'old'],
    ],
    [
      'leaves nothing when the old one is gone too',
      [],
      true,
      { refused: 'NotReadableError' },
      ['other', 'release', 'other', 'old'],
    ],
  ])('%s', async (_, cameras, oneAtATime, want, tried) => {
    const here = system(cameras, ['old'], oneAtATime);
    expect(await openInstead(here.open, other, old, here.release)).toEqual(want);
    expect(here.tried).toEqual(tried);
  });

  it('is not tried again when the person says no, or when nothing can be closed', async () => {
    const here = system([], ['old'], true);
    const no = (): Promise<string> => Promise.reject(new DeviceRefused('NotAllowedError'));
    expect(await openInstead(no, other, old, here.release)).toEqual({ refused: 'NotAllowedError' });
    expect(await openInstead(here.open, other, undefined, here.release)).toEqual({ refused: 'NotReadableError' });
    expect(here.tried).toEqual(['other']);
  });
});

describe('a refusal', () => {
  it.each([
    [new DOMException('Permission denied', 'NotAllowedError'), 'NotAllowedError'],
    [new DOMException('Permission denied by user', 'NotAllowedError'), 'NotAllowedError'],
    [new DOMException('Permission denied by system', 'NotAllowedError'), 'system'],
    [new DOMException('Could not start', 'NotReadableError'), 'NotReadableError'],
    ['text', 'unknown'],
  ])('%s is %s', (cause, name) => expect(refusalOf(cause)).toBe(name));
});
