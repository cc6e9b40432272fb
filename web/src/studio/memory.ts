// What is kept for a reload: the stream's name, so that the link stays, and what was on. The
// reading side trusts nothing that it finds. The storage is the browser's; all else is pure.

import type { Devices } from '../media/live-source';
import { type Item, MAX_ITEMS, type Queue } from '../media/queue';
import { readSettings, type Settings } from '../media/settings';
import type { SourceKind } from '../media/source';
import type { Topology } from '../signal/msg.gen';
import { nameFault } from './name';
import type { State } from './state';

const NAME = 'fanfare.studio';
/** A stream that was left alone for longer is not offered to go on. ms */
const TOO_OLD = 12 * 3600_000;
/** As long as the server waits for a lost publisher: after that it ends the stream by itself. ms */
const HOLD = 600_000;

export interface Memory {
  /** When it was written, ms since the epoch. */
  at: number;
  stream: string;
  /** The person chose that name. */
  named: boolean;
  live: boolean;
  kind: SourceKind | undefined;
  queue: Queue;
  position: number; // s
  playing: boolean;
  devices: Devices;
  /** Camera or screen. */
  paused: boolean;
  soundOn: boolean;
  pictureOn: boolean;
  title: string;
  settings: Settings;
  /** How viewers get it. Direct ways show addresses: no stream of another day goes by them unasked. */
  topology: Topology;
  volume: number;
  muted: boolean;
  /** The server has yet to hear that the stream was stopped. */
  owed: boolean;
}

export function memoryOf(state: State, stream: string, now: number): Memory {
  // Until the person has decided about going on, what is remembered stays as it was.
  const { resume } = state;
  return {
    at: now,
    stream,
    named: state.name.chosen !== '',
    live: resume !== undefined || state.live,
    kind: resume?.kind ?? state.kind,
    queue: resume?.queue ?? state.queue,
    position: resume?.position ?? state.file.position,
    playing: resume?.playing ?? state.file.playing,
    devices: state.devices,
    paused: state.device.paused,
    soundOn: state.device.soundOn,
    pictureOn: state.device.pictureOn,
    title: state.title,
    settings: state.settings,
    topology: state.topology,
    volume: state.volume,
    muted: state.muted && !state.hushed,
    owed: state.owed,
  };
}

export function writeMemory(memory: Memory): string {
  return JSON.stringify(memory);
}

/** undefined when there is nothing, or nothing that can be understood. */
export function readMemory(text: string | null, now: number): Memory | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const g = given as Given<keyof Memory>;
  const kinds: readonly SourceKind[] = ['file', 'camera', 'screen'];
  const kind = kinds.find((k) => k === g.kind);
  const topologies: readonly Topology[] = ['star', 'tree', 'auto'];
  const at = finite(g.at, 0);
  const stream = typeof g.stream === 'string' && nameFault(g.stream) === undefined ? g.stream : '';
  return {
    at,
    stream,
    named: g.named === true && stream !== '',
    live: g.live === true && kind !== undefined && now - at < TOO_OLD,
    kind,
    queue: readQueue(g.queue),
    position: Math.max(0, finite(g.position, 0)),
    playing: g.playing !== false,
    devices: readDevices(g.devices),
    paused: g.paused === true,
    soundOn: g.soundOn !== false,
    pictureOn: g.pictureOn !== false,
    title: typeof g.title === 'string' ? g.title.slice(0, 120) : '',
    settings: readSettings(g.settings),
    topology: (now - at < TOO_OLD && topologies.find((t) => t === g.topology)) || 'sfu',
    volume: Math.min(1, Math.max(0, finite(g.volume, 0.8))),
    muted: g.muted === true,
    owed: g.owed === true && now - at < HOLD,
  };
}

/** What was found in the storage: any of these members, with anything in it. */
type Given<K extends string> = Partial<Record<K, unknown>>;

function readQueue(value: unknown): Queue {
  const g = (typeof value === 'object' && value !== null ? value : {}) as Given<keyof Queue>;
  const list = Array.isArray(g.items) ? (g.items as unknown[]).slice(0, MAX_ITEMS) : [];
  const items = list.flatMap((entry) => {
    const e = (entry ?? {}) as Given<keyof Item>;
    const { id, name } = e;
    if (typeof id !== 'string' || typeof name !== 'string') return [];
    return [{ id, name, size: finite(e.size, 0), modified: finite(e.modified, 0) }];
  });
  return { items, current: items.find((i) => i.id === g.current)?.id ?? items[0]?.id, loop: g.loop === true };
}

function readDevices(value: unknown): Devices {
  const g = (typeof value === 'object' && value !== null ? value : {}) as Given<keyof Devices>;
  const id = (given: unknown): string => (typeof given === 'string' ? given.slice(0, 256) : '');
  return { camera: id(g.camera), microphone: id(g.microphone) };
}

function finite(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

/** Reads and writes the browser's storage. This tab's own memory comes first: two tabs may show two streams. */
export class Shelf {
  private readonly keeps: readonly (Storage | undefined)[];

  constructor(...keeps: readonly (Storage | undefined)[]) {
    this.keeps = keeps;
  }

  read(now: number): Memory | undefined {
    for (const keep of this.keeps) {
      const memory = readMemory(keep?.getItem(NAME) ?? null, now);
      if (memory) return memory;
    }
    return undefined;
  }

  write(memory: Memory): void {
    for (const keep of this.keeps) {
      try {
        keep?.setItem(NAME, writeMemory(memory));
      } catch {
        // Full or barred: then a reload begins anew.
      }
    }
  }
}
