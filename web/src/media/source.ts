// What the studio can publish, behind one interface. A source has at most one picture and one
// sound at a time; both may change while it is being published (the end of a file, a pause, the
// next file), and it says so by a 'tracks' event. Who publishes puts the new tracks in the place
// of the old ones; the two m-lines of the connection stay as they are.

import type { Stamp } from './strip';

export type SourceKind = 'file' | 'camera' | 'screen';

/** What goes on the wire now; null sends nothing and keeps the m-line. */
export interface Tracks {
  video: MediaStreamTrack | null;
  audio: MediaStreamTrack | null;
}

/** The picture as it is sent, upright, in pixels. */
export interface Size {
  width: number;
  height: number;
}

export interface Source {
  readonly kind: SourceKind;
  /** Shows the uploader what viewers get. */
  readonly preview: HTMLVideoElement;
  tracks(): Tracks;
  /** undefined until there is a picture. */
  size(): Size | undefined;
  /** Puts the time into each picture from now on; undefined: no longer. */
  withTime(stamp: (() => Stamp) | undefined): void;
  /** Stops all tracks; a source is not used again after that. */
  close(): void;
}

/** What any source may say. */
export type SourceEvent =
  /** Tracks or size have changed. */
  | { kind: 'tracks' }
  /** A camera was pulled out, the browser's own button ended a shared screen. */
  | { kind: 'gone' };

/** A reason in words for people: what is the matter, and what can be done about it. */
export interface Trouble {
  title: string;
  advice: string;
}
