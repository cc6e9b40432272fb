// The stage: the picture, what lies over it, and the controls.

import type { Ref } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button, IconButton } from '../ui/controls';
import { CloseIcon, SoundOffIcon } from '../ui/icons';
import { Bar, type Panel } from './bar';
import type { WatchController } from './controller';
import { Cover } from './cover';
import { useIdle, useKeys } from './hooks';
import { Player } from './player';
import { hasControls } from './scene';

export function Stage({ watch }: { watch: WatchController }) {
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const second = useRef<HTMLVideoElement>(null);
  const [panel, show] = useState<Panel>();
  useEffect(() => {
    if (!frame.current || !video.current || !second.current) return;
    const player = new Player(video.current, second.current, frame.current, { changed: () => watch.playerChanged() });
    watch.attach(player);
    watch.playerChanged();
  }, [watch]);
  useKeys(watch, panel, show);
  const visible = useIdle(frame, watch, panel);
  useEffect(() => watch.quality.watch(visible), [watch, visible]);
  const scene = watch.scene.value;
  return (
    <div class={visible ? 'stage awake' : 'stage asleep'} data-scene={scene.kind} ref={frame}>
      {/* The picture is a large button for those who point; the keyboard has keys for the same. */}
      <Picture element={video} watch={watch} />
      <Picture element={second} watch={watch} over />
      <Cover watch={watch} />
      <SoundPrompt watch={watch} />
      {hasControls(scene) ? (
        <div class="bottom">
          <Bar watch={watch} panel={panel} show={show} />
        </div>
      ) : null}
      {panel ? <SidePanel watch={watch} panel={panel} close={() => show(undefined)} /> : null}
    </div>
  );
}

/** over: it lies over the other one, unseen until it is shown. */
function Picture({ element, watch, over }: { element: Ref<HTMLVideoElement>; watch: WatchController; over?: boolean }) {
  return (
    <video
      class={over ? 'picture over' : 'picture'}
      ref={element}
      playsInline
      autoPlay
      disableRemotePlayback
      onClick={() => tapped(watch)}
      onDblClick={() => watch.device?.toggleFullScreen()}
    />
  );
}

/** Any touch of the picture is the gesture that the browser asks for. */
function tapped(watch: WatchController): void {
  const { soundBlocked, playBlocked } = watch.player.value;
  if (playBlocked) watch.device?.togglePause();
  else if (soundBlocked) watch.device?.setMuted(false);
}

function SoundPrompt({ watch }: { watch: WatchController }) {
  const { soundBlocked, stopped } = watch.player.value;
  const audible = watch.state.value?.audio !== '' && watch.state.value?.audio !== undefined;
  const scene = watch.scene.value;
  if (!soundBlocked || stopped || !audible || scene.form === 'card') return null;
  return (
    <div class="sound-prompt">
      <Button variant="primary" large icon={<SoundOffIcon />} onClick={() => watch.device?.setMuted(false)}>
        Tap for sound
      </Button>
    </div>
  );
}

function SidePanel({ watch, panel, close }: { watch: WatchController; panel: 'figures' | 'help'; close(): void }) {
  const title = panel === 'figures' ? 'Figures of the connection' : 'Keys';
  return (
    <aside class="side" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <IconButton label="Close" hint="Esc" onClick={close}>
          <CloseIcon />
        </IconButton>
      </header>
      <Inside watch={watch} panel={panel} />
    </aside>
  );
}

/** It is fetched when somebody asks for it: most viewers never do. */
function Inside({ watch, panel }: { watch: WatchController; panel: 'figures' | 'help' }) {
  const [fetched, keep] = useState<typeof import('./panel') | 'failed'>();
  useEffect(() => {
    import('./panel').then(keep, () => keep('failed'));
  }, []);
  if (fetched === undefined) return null;
  if (fetched === 'failed') return <p class="quiet small">This could not be loaded. Close it and try again.</p>;
  return <fetched.Inside watch={watch} panel={panel} />;
}
