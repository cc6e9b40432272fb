import { describe, expect, it } from 'vitest';
import { passes } from './live-source';

describe('what goes out of a device', () => {
  it.each([
    [false, true, { video: true, audio: true }],
    [false, false, { video: true, audio: false }],
    [true, true, { video: false, audio: false }],
    [true, false, { video: false, audio: false }],
  ])('paused %j, sound on %j', (paused, soundOn, want) => expect(passes(paused, soundOn)).toEqual(want));
});
