// Choosing what to share: the empty stage, the smaller row of the same choices, and the
// feedback while something is dragged over the page.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { INSECURE } from '../media/words';
import { Button } from '../ui/controls';
import { CameraIcon, FileIcon, ScreenIcon } from '../ui/icons';
import { Notice } from '../ui/layout';
import type { StudioController } from './controller';

/** Everything that can be chosen. The plain input is there too, for browsers without a dialog of their own. */
export function Choices({ studio, primary }: { studio: StudioController; primary?: boolean }) {
  const reason = window.isSecureContext ? undefined : INSECURE.title;
  const barred = studio.state.value.device.phase === 'opening' || !window.isSecureContext;
  return (
    <div class="row choices">
      <Button
        variant={primary ? 'primary' : 'secondary'}
        large={primary ?? false}
        icon={<FileIcon />}
        data-testid="choose-files"
        onClick={() => void studio.pick(() => document.querySelector<HTMLInputElement>('#files')?.click())}
      >
        {primary ? 'Choose files' : 'Files'}
      </Button>
      <Button
        large={primary ?? false}
        icon={<CameraIcon />}
        disabled={barred}
        title={reason}
        data-testid="choose-camera"
        onClick={() => studio.feed({ kind: 'chooseCamera' })}
      >
        Camera
      </Button>
      <Button
        large={primary ?? false}
        icon={<ScreenIcon />}
        disabled={barred}
        title={reason}
        data-testid="choose-screen"
        onClick={() => studio.feed({ kind: 'chooseScreen' })}
      >
        Screen
      </Button>
    </div>
  );
}

export function FileInput({ studio }: { studio: StudioController }) {
  return (
    <input
      id="files"
      type="file"
      multiple
      hidden
      accept="video/*,audio/*,.mkv,.webm,.mp4,.mov,.m4v"
      data-testid="file-input"
      onChange={(event) => {
        const files = [...(event.currentTarget.files ?? [])];
        // The same file may be chosen again later; without this there would be no change to hear of.
        event.currentTarget.value = '';
        studio.addFiles(files.map((file) => ({ file })));
      }}
    />
  );
}

/** The empty stage. */
export function Invitation({ studio }: { studio: StudioController }) {
  const { live, device } = studio.state.value;
  const opening = device.phase === 'opening';
  return (
    <div class="invitation">
      <div class="words">
        <h1>Drop a video here</h1>
        <p class="quiet">
          or choose what you want to show.{' '}
          {live ? 'Viewers see it at once.' : 'Nobody sees anything before you press “Go live”.'}
        </p>
      </div>
      <Choices studio={studio} primary />
      <p class="quiet small" aria-live="polite">
        {opening
          ? 'The browser asks for your permission …'
          : 'Videos and sound files of any length. They stay on this computer.'}
      </p>
      {window.isSecureContext ? null : (
        <div data-testid="insecure">
          <Notice tone="info" title={INSECURE.title}>
            {INSECURE.advice}
          </Notice>
        </div>
      )}
    </div>
  );
}

/** Takes files that are dropped anywhere on the page, and says so while they are above it. */
export function DropZone({ studio, children }: { studio: StudioController; children: ComponentChildren }) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  useEffect(() => {
    const listen = new AbortController();
    const on = (name: 'dragenter' | 'dragover' | 'dragleave' | 'drop', hear: (event: DragEvent) => void): void => {
      const guarded = (event: DragEvent): void => {
        if (event.dataTransfer?.types.includes('Files')) hear(event);
      };
      window.addEventListener(name, guarded, { signal: listen.signal });
    };
    // Enter and leave come for every element on the way; only the difference tells.
    const step = (by: number): void => {
      depth.current = Math.max(0, depth.current + by);
      setOver(depth.current > 0);
    };
    on('dragenter', () => step(1));
    on('dragleave', () => step(-1));
    on('dragover', (event) => event.preventDefault());
    on('drop', (event) => {
      event.preventDefault();
      depth.current = 0;
      setOver(false);
      if (event.dataTransfer) void studio.drop(event.dataTransfer);
    });
    return () => listen.abort();
  }, [studio]);
  return (
    <div class="drop-zone" data-testid="drop-zone" data-over={over}>
      {children}
      {over ? (
        <div class="drop-veil" aria-hidden="true">
          <p>
            <FileIcon size={40} />
            {studio.state.value.kind === 'file' ? 'Drop to add to the list' : 'Drop to open'}
          </p>
        </div>
      ) : null}
    </div>
  );
}
