// Looks into a file for what the media element does not tell: the codecs of a file that it
// cannot play, and whether the picture is turned. The parser is loaded when it is first needed.

import type { Input } from 'mediabunny';
import type { Contents } from './refusal';

/** undefined when the file is of no kind that can be looked into, or is damaged, or the parser cannot be loaded. */
export async function inspect(file: Blob): Promise<Contents | undefined> {
  let input: Input | undefined;
  try {
    const { ALL_FORMATS, BlobSource, Input } = await import('mediabunny');
    input = new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
    const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
    return {
      video: video ? await video.getCodec() : undefined,
      audio: audio ? await audio.getCodec() : undefined,
      rotation: video ? await video.getRotation() : 0,
    };
  } catch {
    return undefined;
  } finally {
    input?.dispose();
  }
}
