// What the page makes of what it kept: settings that this browser can follow, and how a stream that was on
// the air may go on after a reload.

import { hasHandle } from '../media/handles';
import { cameraIsAllowed } from '../media/live-source';
import { fitted, sendable } from '../media/settings';
import type { Memory } from './memory';
import { initial, type Kept, type Remembered } from './state';

export function keptOf(memory: Memory | undefined): Kept {
  return {
    name: memory?.named ? memory.stream : '',
    settings: fitted(memory?.settings ?? initial.settings, sendable()),
    topology: memory?.topology ?? initial.topology,
    title: memory?.title ?? '',
    volume: memory?.volume ?? initial.volume,
    muted: memory?.muted ?? initial.muted,
    owed: memory?.owed ?? false,
  };
}

/** Of a memory whose stream is on in another tab: what is of that stream stays there. */
export function keptBeside(memory: Memory): Memory {
  return { ...memory, stream: '', named: false, title: '', topology: 'sfu', live: false, owed: false };
}

export async function remembered(memory: Memory): Promise<Remembered | undefined> {
  const { kind, queue, position, playing, devices, paused, soundOn, pictureOn, live } = memory;
  if (!live || !kind) return undefined;
  const base = { live, kind, queue, position, playing, devices, paused, soundOn, pictureOn };
  if (kind === 'camera') return { ...base, how: (await cameraIsAllowed()) ? 'auto' : 'click' };
  if (kind === 'screen') return { ...base, how: 'click' };
  return { ...base, how: queue.current !== undefined && (await hasHandle(queue.current)) ? 'click' : 'choose' };
}
