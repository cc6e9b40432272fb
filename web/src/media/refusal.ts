// Why a file cannot be published, in words. Pure: what the browser's player said and what is
// known of the contents go in, a verdict comes out.

import type { Trouble } from './source';

/** What is inside a file, as far as it could be read. */
export interface Contents {
  /** Codecs by short name ("hevc", "avc", "aac"); null for an unknown one. Undefined: no such track. */
  video: string | null | undefined;
  audio: string | null | undefined;
  /** Degrees by which the picture is turned for showing. */
  rotation: number;
}

/** What the media element found. */
export interface Found {
  /** The element could not open it at all. */
  failed: boolean;
  /** It has a picture that the element shows. */
  picture: boolean;
}

const NAMES: Record<string, string> = {
  hevc: 'HEVC (H.265)',
  avc: 'H.264',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  prores: 'ProRes',
  mpeg4: 'MPEG-4 Part 2',
  ac3: 'Dolby Digital (AC-3)',
  eac3: 'Dolby Digital Plus (E-AC-3)',
  dts: 'DTS',
};

const CONVERT = 'Convert it to MP4 with H.264 picture, or to WebM, and add it again.';

/** undefined when the file can be published. contents is undefined when nothing could be read. */
export function verdict(name: string, found: Found, contents: Contents | undefined): Trouble | undefined {
  if (!contents) return found.failed ? unreadable(name) : undefined;
  const hasVideo = contents.video !== undefined;
  const hasAudio = contents.audio !== undefined;
  if (!hasVideo && !hasAudio) {
    return { title: `There is nothing to play in “${name}”.`, advice: 'It has neither picture nor sound.' };
  }
  // Chromium plays the sound alone and says nothing of the picture that it cannot show.
  if (hasVideo && !found.picture) return unplayable(name, 'picture', contents.video);
  if (found.failed) return unplayable(name, 'sound', contents.audio);
  return undefined;
}

/** The picture is sent, the sound cannot be. */
export function soundless(name: string, codec: string | null | undefined): Trouble {
  const { title } = unplayable(name, 'sound', codec);
  return { title, advice: 'Viewers see the picture without sound.' };
}

/** Safari: it plays files and does not hand out what it plays. */
export const NO_CAPTURE: Trouble = {
  title: 'This browser cannot send files.',
  advice: 'Camera and screen work here. For files, open the studio in Chrome, Edge or Firefox on a computer.',
};

function unreadable(name: string): Trouble {
  return {
    title: `“${name}” cannot be played.`,
    advice: 'It is not a video or sound file that this browser knows, or it is damaged.',
  };
}

function unplayable(name: string, what: 'picture' | 'sound', codec: string | null | undefined): Trouble {
  const known = codec ? (NAMES[codec] ?? codec.toUpperCase()) : 'a format that it does not know';
  return { title: `This browser cannot play the ${what} of “${name}”: it is ${known}.`, advice: CONVERT };
}
