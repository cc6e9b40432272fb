import { describe, expect, it } from 'vitest';
import { soundless, verdict } from './refusal';

const plays = { failed: false, picture: true };
const sound = { failed: false, picture: false };
const fails = { failed: true, picture: false };
const contents = (video: string | null | undefined, audio: string | null | undefined) => ({
  video,
  audio,
  rotation: 0,
});

describe('verdict', () => {
  it.each([
    ['a film', plays, contents('avc', 'aac')],
    ['a film without sound', plays, contents('vp8', undefined)],
    ['sound alone', sound, contents(undefined, 'mp3')],
    ['a film that could not be looked into', plays, undefined],
    ['sound that could not be looked into', sound, undefined],
  ])('has nothing against %s', (_, found, inside) => {
    expect(verdict('x.mp4', found, inside)).toBeUndefined();
  });

  it('has words for sound that is left out', () => {
    expect(soundless('x.mkv', 'ac3').title).toMatch(/sound of “x.mkv”: it is Dolby Digital/);
  });

  it.each([
    ['HEVC whose sound plays', sound, contents('hevc', 'aac'), /picture of “x.mp4”: it is HEVC \(H\.265\)/],
    ['HEVC that does not open', fails, contents('hevc', undefined), /HEVC/],
    ['an unknown picture', sound, contents(null, 'aac'), /a format that it does not know/],
    ['sound that does not open', fails, contents(undefined, 'dts'), /sound of “x.mp4”: it is DTS/],
    ['no track at all', sound, contents(undefined, undefined), /nothing to play/],
    ['no media file', fails, undefined, /cannot be played/],
  ])('has words for %s', (_, found, inside, words) => {
    expect(verdict('x.mp4', found, inside)?.title).toMatch(words);
  });
});
