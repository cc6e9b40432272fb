// A film or a sound that is played while it comes.

import { useState } from 'preact/hooks';
import { IconButton } from '../ui/controls';
import { CloseIcon } from '../ui/icons';
import { Notice } from '../ui/layout';
import type { ReceiveController } from './controller';
import { mediaType } from './range';
import { canServe } from './served';

/** Whether this browser may be able to play a file before all of it is here. */
export function canPlay(path: string, placed: boolean): boolean {
  const type = mediaType(path);
  return type !== undefined && !placed && canServe() && document.createElement('video').canPlayType(type) !== '';
}

export function Screen({ receive }: { receive: ReceiveController }) {
  const { playing, manifest, phase } = receive.state.value;
  const [failed, setFailed] = useState('');
  if (!playing) return null;
  const path = manifest?.files[playing.file]?.path ?? '';
  return (
    <figure class="screen" aria-label={`Playing ${path}`}>
      <video
        key={playing.url}
        src={playing.url}
        controls
        autoplay
        playsInline
        data-testid="player"
        // By "autoplay" alone Firefox begins when it thinks that everything will be here in time.
        onLoadedMetadata={(event) => void event.currentTarget.play().catch(() => undefined)}
        onError={() => setFailed(playing.url)}
      />
      <figcaption class="line">
        <span class="path">{path}</span>
        <IconButton label="Close the player" data-testid="player-close" onClick={() => void receive.play(undefined)}>
          <CloseIcon size={20} />
        </IconButton>
      </figcaption>
      {failed === playing.url ? (
        <Notice tone="bad" title="This browser cannot play it. Save it, and open it with a player." />
      ) : phase === 'fetching' ? (
        <p class="quiet small">
          It plays what has come, and fetches what follows first. Where that is not here yet, it waits.
        </p>
      ) : null}
    </figure>
  );
}
