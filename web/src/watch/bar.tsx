// The controls over the picture.

import { Badge, IconButton, Range } from '../ui/controls';
import {
  FiguresIcon,
  FullScreenExitIcon,
  FullScreenIcon,
  HelpIcon,
  PauseIcon,
  PictureIcon,
  PlayIcon,
  SoundIcon,
  SoundLowIcon,
  SoundOffIcon,
} from '../ui/icons';
import type { WatchController } from './controller';
import { QualityMenu } from './quality-menu';
import { isKnown } from './scene';

export type Panel = 'figures' | 'help' | undefined;

export function Bar({ watch, panel, show }: { watch: WatchController; panel: Panel; show(panel: Panel): void }) {
  const { stopped, fullScreen, pictureInPicture } = watch.player.value;
  const device = watch.device;
  return (
    <div class="bar">
      <IconButton label={stopped ? 'Go on watching' : 'Pause'} hint="space" onClick={() => device?.togglePause()}>
        {stopped ? <PlayIcon /> : <PauseIcon />}
      </IconButton>
      <Volume watch={watch} />
      <StateBadge watch={watch} />
      <span class="gap" />
      <QualityMenu quality={watch.quality} />
      <IconButton
        label="Figures of the connection"
        hint="I"
        pressed={panel === 'figures'}
        onClick={() => show(panel === 'figures' ? undefined : 'figures')}
      >
        <FiguresIcon />
      </IconButton>
      <span class="with-keys">
        <IconButton
          label="Keys"
          hint="?"
          pressed={panel === 'help'}
          onClick={() => show(panel === 'help' ? undefined : 'help')}
        >
          <HelpIcon />
        </IconButton>
      </span>
      {device?.canPictureInPicture ? (
        <IconButton
          label={pictureInPicture ? 'Leave picture in picture' : 'Picture in picture'}
          hint="P"
          onClick={() => device.togglePictureInPicture()}
        >
          <PictureIcon />
        </IconButton>
      ) : null}
      {device?.canFullScreen ? (
        <IconButton
          label={fullScreen ? 'Leave full screen' : 'Full screen'}
          hint="F"
          onClick={() => device.toggleFullScreen()}
        >
          {fullScreen ? <FullScreenExitIcon /> : <FullScreenIcon />}
        </IconButton>
      ) : null}
    </div>
  );
}

function Volume({ watch }: { watch: WatchController }) {
  const { muted, volume } = watch.player.value;
  const heard = muted ? 0 : volume;
  return (
    <div class="volume">
      <IconButton label={muted ? 'Sound on' : 'Sound off'} hint="M" onClick={() => watch.device?.setMuted(!muted)}>
        {muted ? <SoundOffIcon /> : volume < 0.5 ? <SoundLowIcon /> : <SoundIcon />}
      </IconButton>
      <Range
        label="Volume"
        value={heard}
        max={1}
        step={0.05}
        text={`${Math.round(heard * 100)} per cent`}
        onInput={(value) => watch.device?.setVolume(value)}
      />
    </div>
  );
}

function StateBadge({ watch }: { watch: WatchController }) {
  if (!isKnown(watch.scene.value)) return null;
  switch (watch.state.value?.state) {
    case 'live':
      return <Badge tone="live">Live</Badge>;
    case 'paused':
      return <Badge>Paused</Badge>;
    case 'seeking':
      return <Badge>One moment</Badge>;
    case 'away':
      return <Badge>Back in a moment</Badge>;
    case 'ended':
      return <Badge>Ended</Badge>;
    default:
      return null;
  }
}
