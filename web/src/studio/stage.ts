// The source that is on, whatever it is: makes it, changes it, closes it, and turns what it says
// into events of the studio. It decides nothing.

import { signal } from '@preact/signals';
import { type FileEvent, FileSource } from '../media/file-source';
import {
  type Devices,
  LiveSource,
  type OpenDevice,
  type Opened,
  openCamera,
  openInstead,
  openScreen,
} from '../media/live-source';
import type { Size, Source, SourceEvent, Tracks } from '../media/source';
import type { Stamp } from '../media/strip';
import { cameraTrouble, microphoneTrouble, screenTrouble } from '../media/words';
import type { Event, SimpleStageEffect } from './state';

export class Stage {
  /** The element that shows the source, for the page. */
  readonly preview = signal<HTMLVideoElement | undefined>(undefined);
  private readonly feed: (event: Event) => void;
  private readonly changed: () => void;
  private source: Source | undefined;
  /** Counts attempts to open a device: only the last one counts. */
  private attempt = 0;
  private volume = 1;
  private muted = false;
  private stamp: (() => Stamp) | undefined;

  /** changed: the tracks or the size are others. */
  constructor(feed: (event: Event) => void, changed: () => void) {
    this.feed = feed;
    this.changed = changed;
  }

  tracks(): Tracks {
    return this.source?.tracks() ?? { video: null, audio: null };
  }

  size(): Size | undefined {
    return this.source?.size();
  }

  /** Puts the time into each picture, of this source and of those to come; undefined: no longer. */
  measure(stamp: (() => Stamp) | undefined): void {
    this.stamp = stamp;
    this.source?.withTime(stamp);
  }

  load(file: File, at: number, play: boolean): void {
    this.attempt++;
    let source = this.source;
    if (!(source instanceof FileSource)) {
      const made: FileSource = new FileSource((event) => {
        if (this.source === made) this.heardFile(event);
      });
      made.listenAt(this.volume, this.muted);
      this.replace(made);
      source = made;
    }
    void (source as FileSource).load(file, { at, play });
  }

  async openDevice(kind: 'camera' | 'screen', devices: Devices): Promise<void> {
    const attempt = ++this.attempt;
    const before = this.source;
    const { stream: device, refused } = await this.open(kind, devices, attempt);
    if (attempt !== this.attempt) {
      for (const track of device?.stream.getTracks() ?? []) track.stop();
      return;
    }
    if (device) this.show(kind, device);
    // It was closed to make room, and does not come back.
    else if (before && !this.source) this.feed({ kind: 'deviceGone' });
    if (refused === undefined) return;
    this.feed({ kind: 'deviceRefused', trouble: kind === 'camera' ? cameraTrouble(refused) : screenTrouble(refused) });
  }

  private open(kind: 'camera' | 'screen', devices: Devices, attempt: number): Promise<Opened<OpenDevice>> {
    if (kind === 'screen') return openInstead(screen, devices, undefined, () => undefined);
    const before = this.device();
    return openInstead(openCamera, devices, before?.kind === 'camera' ? before.devices() : undefined, () => {
      if (attempt === this.attempt) this.replace(undefined);
    });
  }

  carryOut(effect: SimpleStageEffect): void {
    if (effect.kind === 'unload') this.unload();
    else if (effect.kind === 'listen') this.listenAt(effect.volume, effect.muted);
    else if (this.source instanceof FileSource) direct(this.source, effect);
    else if (effect.kind === 'pictureDevice') this.device()?.setPicture(effect.on);
    else if (effect.kind === 'pauseDevice') this.device()?.setPaused(effect.paused);
    else if (effect.kind === 'soundDevice') this.device()?.setSound(effect.on);
  }

  /** What the uploader hears, of this file and of those to come. */
  listenAt(volume: number, muted: boolean): void {
    this.volume = volume;
    this.muted = muted;
    if (this.source instanceof FileSource) this.source.listenAt(volume, muted);
  }

  private unload(): void {
    this.attempt++;
    this.replace(undefined);
  }

  private device(): LiveSource | undefined {
    return this.source instanceof LiveSource ? this.source : undefined;
  }

  private show(kind: 'camera' | 'screen', { stream, silent }: OpenDevice): void {
    const source: LiveSource = new LiveSource(kind, stream, (event) => {
      if (this.source === source) this.heard(event);
    });
    this.replace(source);
    const trouble = silent === undefined ? undefined : microphoneTrouble(silent);
    const device = { sound: source.hasSound(), picture: source.hasPicture(), silent: trouble };
    this.feed({ kind: 'deviceOn', source: kind, device, devices: source.devices() });
  }

  private replace(source: Source | undefined): void {
    const old = this.source;
    this.source = source;
    if (this.stamp) source?.withTime(this.stamp);
    this.preview.value = source?.preview;
    this.changed();
    old?.close();
  }

  private heardFile(event: FileEvent): void {
    switch (event.kind) {
      case 'tracks':
      case 'gone':
        this.heard(event);
        break;
      case 'muted':
        this.feed({ kind: 'mutedByBrowser' });
        break;
      default:
        this.feed(event);
    }
  }

  private heard(event: SourceEvent): void {
    if (event.kind === 'gone') this.feed({ kind: 'deviceGone' });
    else this.changed();
  }
}

async function screen(): Promise<OpenDevice> {
  return { stream: await openScreen() };
}

function direct(source: FileSource, effect: SimpleStageEffect): void {
  if (effect.kind === 'play') void source.play();
  else if (effect.kind === 'pause') source.pause();
  else if (effect.kind === 'seek') source.seek(effect.to);
}
