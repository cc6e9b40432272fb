// What viewers see, and the controls of it: for a file those of a player, for camera and screen
// pause, sound and the choice of devices.

import { useEffect, useRef } from 'preact/hooks';
import { neighbour } from '../media/queue';
import { Badge, IconButton, Range } from '../ui/controls';
import { clock } from '../ui/format';
import {
  CameraIcon,
  CameraOffIcon,
  LoopIcon,
  MicrophoneIcon,
  MicrophoneOffIcon,
  NextIcon,
  PauseIcon,
  PictureIcon,
  PlayIcon,
  PreviousIcon,
  SoundIcon,
  SoundOffIcon,
} from '../ui/icons';
import type { StudioController } from './controller';
import { Invitation } from './drop';
import { defaultTitle, isDark, reach, showsNothing } from './select';

export function Monitor({ studio }: { studio: StudioController }) {
  const { kind } = studio.state.value;
  if (!kind || showsNothing(studio.state.value)) return <Invitation studio={studio} />;
  return (
    <section class="monitor stage" aria-labelledby="stage-title">
      <h1 class="said" id="stage-title">
        What viewers see
      </h1>
      <div class="screen">
        <Preview element={studio.stage.preview.value} mirror={kind === 'camera'} />
        <Overlay studio={studio} />
      </div>
      {kind === 'file' ? <FileControls studio={studio} /> : <DeviceControls studio={studio} />}
    </section>
  );
}

/** Puts the source's own element on the page: it is the one that is captured. */
function Preview({ element, mirror }: { element: HTMLVideoElement | undefined; mirror: boolean }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!element) return;
    element.setAttribute('data-testid', 'preview');
    element.tabIndex = -1;
    element.ariaLabel = 'Preview';
    frame.current?.replaceChildren(element);
  }, [element]);
  return <div class={mirror ? 'preview mirror' : 'preview'} ref={frame} />;
}

function Overlay({ studio }: { studio: StudioController }) {
  const { kind, file, device } = studio.state.value;
  const phase = studio.phase.value;
  const soundOnly = kind === 'file' && file.phase === 'ready' && !file.picture;
  return (
    <>
      <div class="badges">
        {phase === 'live' || phase === 'seeking' ? <Badge tone="live">Live</Badge> : null}
        {phase === 'paused' ? <Badge tone="live">Live, paused</Badge> : null}
        {phase === 'recoding' ? <Badge tone="warn">Changing how it is sent …</Badge> : null}
        {phase === 'reconnecting' || phase === 'connecting' ? <Badge tone="warn">Connecting …</Badge> : null}
        {phase === 'ready' || phase === 'ended' ? <Badge>Preview – not live</Badge> : null}
        {kind === 'file' && file.phase === 'ready' && !file.sound ? <Badge>No sound in this file</Badge> : null}
        {kind !== 'file' && device.phase === 'on' && !device.sound ? <Badge>No sound</Badge> : null}
        {kind !== 'file' && device.sound && !device.soundOn ? <Badge>Sound off</Badge> : null}
      </div>
      {kind === 'file' && file.phase === 'loading' ? (
        <p class="middle">
          <span class="spinner" aria-hidden="true" /> Opening the file …
        </p>
      ) : null}
      {isDark(studio.state.value) ? (
        <div class="middle sound-card">
          <CameraOffIcon size={44} />
          <p class="sound-title">The camera is off</p>
          <p>Viewers see a card that says so.</p>
        </div>
      ) : null}
      {soundOnly ? (
        <div class="middle sound-card">
          <SoundIcon size={44} />
          <p class="sound-title">{defaultTitle(studio.state.value)}</p>
          <p>Sound only. Viewers see a card with this title.</p>
        </div>
      ) : null}
    </>
  );
}

function FileControls({ studio }: { studio: StudioController }) {
  const { file, queue } = studio.state.value;
  const ready = file.phase === 'ready';
  const duration = reach(file);
  return (
    <fieldset class="controls" aria-label="Player">
      <div class="timeline">
        <span class="figure" data-testid="position">
          {clock(file.position)}
        </span>
        <Range
          label="Position"
          value={Math.min(file.position, duration)}
          max={duration}
          step={0.1}
          text={`${clock(file.position)} of ${clock(duration)}`}
          disabled={!ready || duration === 0}
          testid="seek"
          onInput={(seconds) => studio.feed({ kind: 'seekTo', seconds })}
        />
        <span class="figure" data-testid="duration">
          {Number.isFinite(file.duration) ? clock(duration) : 'Length unknown'}
        </span>
      </div>
      <div class="buttons">
        <IconButton
          label="Previous"
          disabled={!neighbour(queue, -1) && file.position <= 3}
          data-testid="previous"
          onClick={() => studio.feed({ kind: 'previous' })}
        >
          <PreviousIcon />
        </IconButton>
        <IconButton
          label={file.playing ? 'Pause' : 'Play'}
          hint="space"
          pressed={!file.playing}
          disabled={!ready}
          data-testid="pause"
          onClick={() => studio.feed({ kind: 'toggle' })}
        >
          {file.playing ? <PauseIcon size={28} /> : <PlayIcon size={28} />}
        </IconButton>
        <IconButton
          label="Next"
          disabled={!neighbour(queue, 1)}
          data-testid="next"
          onClick={() => studio.feed({ kind: 'next' })}
        >
          <NextIcon />
        </IconButton>
        <IconButton
          label="Play the list again and again"
          pressed={queue.loop}
          data-testid="loop"
          onClick={() => studio.feed({ kind: 'loop', on: !queue.loop })}
        >
          <LoopIcon />
        </IconButton>
        <span class="gap" />
        <Volume studio={studio} />
        <SmallWindow studio={studio} />
      </div>
    </fieldset>
  );
}

/** What the uploader hears; viewers have their own. */
function Volume({ studio }: { studio: StudioController }) {
  const { volume, muted } = studio.state.value;
  return (
    <div class="volume" title="For you only: viewers always hear everything">
      <IconButton
        label={muted ? 'Hear the sound here' : 'Do not hear the sound here'}
        pressed={muted}
        data-testid="mute"
        onClick={() => studio.feed({ kind: 'listen', volume, muted: !muted })}
      >
        {muted || volume === 0 ? <SoundOffIcon /> : <SoundIcon />}
      </IconButton>
      <Range
        label="Volume here, not for viewers"
        value={muted ? 0 : volume}
        max={1}
        step={0.05}
        text={`${Math.round((muted ? 0 : volume) * 100)} %`}
        testid="volume"
        onInput={(value) => studio.feed({ kind: 'listen', volume: value, muted: value === 0 })}
      />
    </div>
  );
}

function SmallWindow({ studio }: { studio: StudioController }) {
  const element = studio.stage.preview.value;
  if (!document.pictureInPictureEnabled || !element) return null;
  return (
    <IconButton
      label="Keep it in view in a small window"
      onClick={() => void element.requestPictureInPicture().catch(() => undefined)}
    >
      <PictureIcon />
    </IconButton>
  );
}

function DeviceControls({ studio }: { studio: StudioController }) {
  const { device, kind } = studio.state.value;
  return (
    <fieldset class="controls" aria-label="Device">
      <div class="buttons">
        <IconButton
          label={device.paused ? 'Go on' : 'Pause'}
          hint="space"
          pressed={device.paused}
          data-testid="pause"
          onClick={() => studio.feed({ kind: 'toggle' })}
        >
          {device.paused ? <PlayIcon size={28} /> : <PauseIcon size={28} />}
        </IconButton>
        {kind === 'camera' && device.picture ? (
          <IconButton
            label={device.pictureOn ? 'Switch the camera off for viewers' : 'Switch the camera on for viewers'}
            pressed={!device.pictureOn}
            data-testid="device-picture"
            onClick={() => studio.feed({ kind: 'devicePicture', on: !device.pictureOn })}
          >
            {device.pictureOn ? <CameraIcon /> : <CameraOffIcon />}
          </IconButton>
        ) : null}
        {device.sound ? <SoundSwitch studio={studio} /> : null}
        {device.silent ? (
          <IconButton
            label="Try the microphone again"
            pressed
            data-testid="microphone-retry"
            onClick={() => studio.feed({ kind: 'chooseCamera' })}
          >
            <MicrophoneOffIcon />
          </IconButton>
        ) : null}
        <span class="gap" />
        {kind === 'camera' ? <DeviceChoice studio={studio} /> : null}
      </div>
    </fieldset>
  );
}

function SoundSwitch({ studio }: { studio: StudioController }) {
  const { device, kind } = studio.state.value;
  const what = kind === 'camera' ? 'microphone' : 'sound';
  return (
    <IconButton
      label={`Switch the ${what} ${device.soundOn ? 'off' : 'on'} for viewers`}
      pressed={!device.soundOn}
      data-testid="device-sound"
      onClick={() => studio.feed({ kind: 'deviceSound', on: !device.soundOn })}
    >
      {kind === 'camera' ? (
        device.soundOn ? (
          <MicrophoneIcon />
        ) : (
          <MicrophoneOffIcon />
        )
      ) : device.soundOn ? (
        <SoundIcon />
      ) : (
        <SoundOffIcon />
      )}
    </IconButton>
  );
}

function DeviceChoice({ studio }: { studio: StudioController }) {
  const { devices } = studio.state.value;
  const choose = (change: Partial<typeof devices>): void =>
    studio.feed({ kind: 'chooseCamera', devices: { ...devices, ...change } });
  return (
    <div class="devices">
      <select
        class="select"
        aria-label="Camera"
        data-testid="camera-device"
        value={devices.camera}
        onChange={(event) => choose({ camera: event.currentTarget.value })}
      >
        {studio.cameras.value.map((d) => (
          <option key={d.id} value={d.id}>
            {d.label}
          </option>
        ))}
      </select>
      <select
        class="select"
        aria-label="Microphone"
        data-testid="microphone-device"
        value={devices.microphone}
        onChange={(event) => choose({ microphone: event.currentTarget.value })}
      >
        {devices.microphone === '' ? <option value="">No microphone</option> : null}
        {studio.microphones.value.map((d) => (
          <option key={d.id} value={d.id}>
            {d.label}
          </option>
        ))}
      </select>
    </div>
  );
}
