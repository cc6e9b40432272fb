// The two things about the stage that need the page's events: keys, and controls that go away by themselves.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Panel } from './bar';
import type { WatchController } from './controller';
import { IdleWatch } from './idle';
import { type Command, commandFor, targetOf } from './keys';

const STEP = 0.1; // of the volume

export function useKeys(watch: WatchController, panel: Panel, show: (panel: Panel) => void): void {
  // With the picture of the panel, not after it: a key pressed at once must find what is shown.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const command = commandFor(event, targetOf(event.target));
      if (!command || event.defaultPrevented || (command === 'close' && !panel)) return;
      event.preventDefault();
      obey(command, watch, panel, show);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [watch, panel, show]);
}

function obey(command: Command, watch: WatchController, panel: Panel, show: (panel: Panel) => void): void {
  const device = watch.device;
  if (!device) return;
  const heard = device.muted ? 0 : device.volume;
  switch (command) {
    case 'pause':
      device.togglePause();
      break;
    case 'mute':
      device.setMuted(!device.muted);
      break;
    case 'louder':
      device.setVolume(heard + STEP);
      break;
    case 'quieter':
      device.setVolume(heard - STEP);
      break;
    case 'full-screen':
      device.toggleFullScreen();
      break;
    case 'picture':
      if (device.canPictureInPicture) device.togglePictureInPicture();
      break;
    case 'figures':
    case 'help':
      show(panel === command ? undefined : command);
      break;
    case 'close':
      show(undefined);
      break;
  }
}

const MOVES = ['pointermove', 'pointerdown', 'focusin'] as const;

/** Whether the controls are to be seen. They go when nothing moves, and never while someone is using them. */
export function useIdle(frame: { current: HTMLDivElement | null }, watch: WatchController, panel: Panel): boolean {
  const idle = useRef(new IdleWatch());
  const [visible, setVisible] = useState(true);
  const kind = watch.scene.value.kind;
  const playing = (kind === 'playing' || kind === 'sound-only') && !watch.player.value.soundBlocked;
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    let timer: ReturnType<typeof setTimeout>;
    const look = (): void => {
      clearTimeout(timer);
      const now = performance.now();
      const busy = panel !== undefined || element.querySelector('.bar :focus-visible, .bar:hover') !== null;
      setVisible(idle.current.visible({ playing, busy }, now));
      if (playing) timer = setTimeout(look, Math.max(250, idle.current.due(now)));
    };
    const moved = (): void => {
      idle.current.moved(performance.now());
      look();
    };
    const left = (event: PointerEvent): void => {
      if (event.pointerType === 'mouse') idle.current.left(performance.now());
      look();
    };
    for (const name of MOVES) element.addEventListener(name, moved);
    element.addEventListener('pointerleave', left);
    window.addEventListener('keydown', moved);
    moved();
    return () => {
      clearTimeout(timer);
      for (const name of MOVES) element.removeEventListener(name, moved);
      element.removeEventListener('pointerleave', left);
      window.removeEventListener('keydown', moved);
    };
  }, [frame, playing, panel]);
  return visible;
}
