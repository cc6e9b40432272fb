// What lies over the picture when words are needed: a card in the middle, or a line above.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Button, ButtonLink, Field } from '../ui/controls';
import {
  GoodIcon,
  InfoIcon,
  LiveIcon,
  LockIcon,
  NetworkOffIcon,
  PauseIcon,
  PersonOffIcon,
  PlayIcon,
  WarningIcon,
} from '../ui/icons';
import type { WatchController } from './controller';
import type { Scene } from './scene';

export function Cover({ watch }: { watch: WatchController }) {
  const scene = watch.scene.value;
  switch (scene.form) {
    case 'none':
      return scene.kind === 'sound-only' ? <SoundOnly flowing={watch.flowing.value} /> : null;
    case 'note':
      return (
        <p class="note">
          {scene.busy ? <span class="spinner" aria-hidden="true" /> : <PauseIcon size={16} />}
          <span>{scene.text || scene.title}</span>
        </p>
      );
    case 'card':
      return <Card watch={watch} scene={scene} />;
  }
}

function Card({ watch, scene }: { watch: WatchController; scene: Scene }) {
  if (scene.action === 'play')
    return <BigPlay watch={watch} label={scene.kind === 'stopped' ? 'Go on watching' : 'Play'} />;
  return (
    <div class="cover">
      <div class="cover-card">
        <div class="cover-sign">
          {scene.busy ? <span class="spinner" aria-hidden="true" /> : <Sign scene={scene} />}
        </div>
        <h2>{scene.title}</h2>
        {scene.text && !scene.mistake ? <p>{scene.text}</p> : null}
        {scene.kind === 'password' ? (
          <PasswordForm watch={watch} mistake={scene.mistake ? scene.text : undefined} />
        ) : (
          <Action watch={watch} scene={scene} />
        )}
      </div>
    </div>
  );
}

function BigPlay({ watch, label }: { watch: WatchController; label: string }) {
  return (
    <div class="cover clear">
      <button type="button" class="big-play" aria-label={label} onClick={() => watch.device?.togglePause()}>
        <PlayIcon size={40} />
      </button>
    </div>
  );
}

function Sign({ scene }: { scene: Scene }) {
  switch (scene.kind) {
    case 'idle':
      return <LiveIcon size={30} />;
    case 'paused':
      return <PauseIcon size={30} />;
    case 'ended':
      return <GoodIcon size={30} />;
    case 'password':
      return <LockIcon size={30} />;
    case 'removed':
      return <PersonOffIcon size={30} />;
    case 'blocked':
      return <NetworkOffIcon size={30} />;
    case 'codec':
    case 'no-webrtc':
    case 'refused':
      return <WarningIcon size={30} />;
    default:
      return <InfoIcon size={30} />;
  }
}

function Action({ watch, scene }: { watch: WatchController; scene: Scene }) {
  switch (scene.action) {
    case 'reload':
      return <Button onClick={() => window.location.reload()}>Reload the page</Button>;
    case 'retry':
      return <Button onClick={() => watch.retry()}>Try now</Button>;
    case 'home':
      return <ButtonLink href="/">Go to the start page</ButtonLink>;
    default:
      return null;
  }
}

function PasswordForm({ watch, mistake }: { watch: WatchController; mistake: string | undefined }) {
  const [password, setPassword] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // There is nothing else to do here. On a phone the keyboard would hide the words before they are read.
    if (mistake || window.matchMedia('(hover: hover)').matches) input.current?.focus({ preventScroll: true });
  }, [mistake]);
  return (
    <form
      class="password"
      onSubmit={(event) => {
        event.preventDefault();
        if (password) watch.givePassword(password);
      }}
    >
      <Field label="Password" error={mistake}>
        {(props) => (
          <input
            {...props}
            ref={input}
            class="input"
            type="password"
            autocomplete="current-password"
            maxLength={72}
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        )}
      </Field>
      <Button submit variant="primary" disabled={password === ''}>
        Watch
      </Button>
    </form>
  );
}

/** A calm sight for streams without a picture. It moves only while sound arrives, and not with reduced motion. */
function SoundOnly({ flowing }: { flowing: boolean }) {
  return (
    <div class={flowing ? 'sound-only flowing' : 'sound-only'}>
      <svg viewBox="0 0 200 200" aria-hidden="true">
        <circle class="ring r3" cx="100" cy="100" r="92" />
        <circle class="ring r2" cx="100" cy="100" r="68" />
        <circle class="ring r1" cx="100" cy="100" r="44" />
        <path class="glyph" d="M82 92v16h10l14 12V80L92 92zM114 92a11 11 0 0 1 0 16" />
      </svg>
      <p>Sound only</p>
    </div>
  );
}
