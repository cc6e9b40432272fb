// What is sent while ways are compared: a file in a loop, or the test picture, with the time in it.

import { FileSource } from '../media/file-source';
import type { Size, Tracks } from '../media/source';
import type { Stamp } from '../media/strip';
import { TestPicture } from '../media/test-picture';
import { type Plan, SIZES } from './plan';

export interface Sending {
  tracks(): Tracks;
  size(): Size;
  close(): void;
}

export interface SourceEvents {
  /** Its tracks are others. */
  changed(): void;
  /** Nothing more comes: words for people. */
  broken(words: string): void;
}

/** Opens it. Throws an Error with words for people. */
export async function openSource(plan: Plan, stamp: () => Stamp, events: SourceEvents): Promise<Sending> {
  if (plan.file) return openFile(plan.file, stamp, events);
  const { width, height, rate } = SIZES[plan.size] ?? SIZES[0];
  const picture = new TestPicture({ width, height, rate, stamp });
  return { tracks: () => picture.tracks(), size: () => ({ width, height }), close: () => picture.close() };
}

function openFile(file: File, stamp: () => Stamp, { changed, broken }: SourceEvents): Promise<Sending> {
  return new Promise((resolve, reject) => {
    let opened = false;
    const source = new FileSource((event) => {
      switch (event.kind) {
        case 'loaded':
          opened = true;
          resolve(sending);
          break;
        case 'refused': {
          const words = `${event.trouble.title} ${event.trouble.advice}`;
          source.close();
          if (opened) broken(words);
          else reject(new Error(words));
          break;
        }
        case 'ended':
          source.seek(0);
          void source.play();
          break;
        case 'tracks':
          changed();
          break;
        default:
          break;
      }
    });
    const sending: Sending = {
      tracks: () => source.tracks(),
      size: () => source.size() ?? { width: 1280, height: 720 },
      close: () => source.close(),
    };
    source.listenAt(0, true);
    source.withTime(stamp);
    void source.load(file, { at: 0, play: true });
  });
}
