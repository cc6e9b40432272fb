// The stage: the picture, what lies over it, and the controls.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Button, IconButton } from '../ui/controls';
import { FiguresPanel } from '../ui/figures';
import { CloseIcon, SoundOffIcon } from '../ui/icons';
import { Bar, type Panel } from './bar';
import type { WatchController } from './controller';
import { Cover } from './cover';
import { GlassFigures } from './glass-figures';
import { useIdle, useKeys } from './hooks';
import { KEYS } from './keys';
import { Player } from './player';
import { QualityFigures } from './quality-menu';
import { hasControls } from './scene';
import { WayFigures } from './way';

export function Stage({ watch }: { watch: WatchController }) {
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [panel, show] = useState<Panel>();
  useEffect(() => {
    if (!frame.current || !video.current) return;
    const player = new Player(video.current, frame.current, { changed: () => watch.playerChanged() });
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
      <video
        class="picture"
        ref={video}
        playsInline
        autoPlay
        disableRemotePlayback
        onClick={() => tapped(watch)}
        onDblClick={() => watch.device?.toggleFullScreen()}
      />
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
      {panel === 'figures' ? (
        <FiguresPanel
          figures={watch.figures.value}
          peer={watch.way.value.shown.at === 'peer'}
          first={<Own watch={watch} />}
        />
      ) : (
        <KeyList />
      )}
    </aside>
  );
}

/** What the page itself knows. The pictures are read as long as somebody looks. */
function Own({ watch }: { watch: WatchController }) {
  useEffect(() => {
    watch.glass.look(true);
    return () => watch.glass.look(false);
  }, [watch]);
  return (
    <>
      <GlassFigures watch={watch} />
      <WayFigures watch={watch} />
      <QualityFigures watch={watch} />
    </>
  );
}

function KeyList() {
  return (
    <dl class="keys">
      {KEYS.map((k) => (
        <div key={k.command}>
          <dt>
            <kbd>{k.shown}</kbd>
          </dt>
          <dd>{k.words}</dd>
        </div>
      ))}
    </dl>
  );
}
