// Camera and screen as sources: what the browser hands over is sent as it is, or not at all
// while the uploader pauses. Nothing is drawn but a card where there is no picture: a microphone
// without camera, or a camera whose picture is switched off.

import { Drawn } from './drawn';
import type { Size, Source, SourceEvent, Tracks } from './source';
import type { Stamp } from './strip';

/** Which devices to take; empty for the browser's own choice. */
export interface Devices {
  camera: string;
  microphone: string;
}

export interface DeviceName {
  id: string;
  label: string;
}

/** The name of the error by which a device or a screen was refused. */
export class DeviceRefused extends Error {
  override readonly name: string;
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

export class LiveSource implements Source {
  readonly kind: 'camera' | 'screen';
  readonly preview = document.createElement('video');
  private readonly stream: MediaStream;
  private readonly tell: (event: SourceEvent) => void;
  private drawn: Drawn | undefined;
  // Shut until told otherwise: another microphone must not be heard before it is known to be wanted.
  private paused = true;
  private soundOn = false;
  private pictureOn = true;
  private stamp: (() => Stamp) | undefined;

  constructor(kind: 'camera' | 'screen', stream: MediaStream, tell: (event: SourceEvent) => void) {
    this.kind = kind;
    this.stream = stream;
    this.tell = tell;
    this.preview.playsInline = true;
    this.preview.autoplay = true;
    // Always: the room would hear itself.
    this.preview.muted = true;
    this.preview.srcObject = stream;
    void this.preview.play().catch(() => undefined);
    // A shared window may change its size at any time.
    this.preview.addEventListener('resize', () => tell({ kind: 'tracks' }));
    for (const track of stream.getTracks()) track.addEventListener('ended', () => this.ended(track));
    this.gate();
    this.arrange();
  }

  tracks(): Tracks {
    return { video: this.isDrawn() ? (this.drawn?.track ?? null) : this.picture(), audio: this.sound() };
  }

  size(): Size | undefined {
    if (this.isDrawn()) return this.drawn?.size();
    const { videoWidth, videoHeight } = this.preview;
    return videoWidth > 0 ? { width: videoWidth, height: videoHeight } : undefined;
  }

  /** Paused: viewers get black and silence from the browser, and the devices stay on. */
  setPaused(paused: boolean): void {
    this.paused = paused;
    this.gate();
  }

  setSound(on: boolean): void {
    this.soundOn = on;
    this.gate();
  }

  /** Off: viewers get a card that says so. The camera stays this page's and sends nothing. */
  setPicture(on: boolean): void {
    if (on === this.pictureOn) return;
    this.pictureOn = on;
    this.gate();
    this.arrange();
    this.tell({ kind: 'tracks' });
  }

  withTime(stamp: (() => Stamp) | undefined): void {
    this.stamp = stamp;
    this.arrange();
    this.tell({ kind: 'tracks' });
  }

  /** The devices in use, by the browser's identifiers. */
  devices(): Devices {
    return {
      camera: this.picture()?.getSettings().deviceId ?? '',
      microphone: this.sound()?.getSettings().deviceId ?? '',
    };
  }

  hasSound(): boolean {
    return this.sound() !== null;
  }

  hasPicture(): boolean {
    return this.picture() !== null;
  }

  close(): void {
    this.drawn?.close();
    for (const track of this.stream.getTracks()) track.stop();
    this.preview.srcObject = null;
  }

  private gate(): void {
    const open = passes({ paused: this.paused, soundOn: this.soundOn, pictureOn: this.pictureOn });
    for (const track of this.stream.getVideoTracks()) track.enabled = open.video;
    for (const track of this.stream.getAudioTracks()) track.enabled = open.audio;
  }

  private isDrawn(): boolean {
    return this.isCard() || this.stamp !== undefined;
  }

  private isCard(): boolean {
    return !this.pictureOn || this.picture() === null;
  }

  private arrange(): void {
    if (!this.isDrawn()) {
      this.drawn?.rest();
      return;
    }
    this.drawn ??= new Drawn();
    this.drawn.stamp = this.stamp;
    if (!this.isCard()) this.drawn.follow(this.preview);
    else this.drawn.card(this.hasPicture() ? 'The camera is off' : 'Microphone');
  }

  private ended(track: MediaStreamTrack): void {
    // A microphone may go and the picture stays; without its picture the source is gone.
    const gone = track.kind === 'video' || this.stream.getTracks().every((t) => t.readyState === 'ended');
    this.tell({ kind: gone ? 'gone' : 'tracks' });
  }

  private picture(): MediaStreamTrack | null {
    return this.stream.getVideoTracks().find((t) => t.readyState === 'live') ?? null;
  }

  private sound(): MediaStreamTrack | null {
    return this.stream.getAudioTracks().find((t) => t.readyState === 'live') ?? null;
  }
}

/** What goes out to viewers: what was switched off stays off whatever is paused meanwhile. */
export function passes(is: { paused: boolean; soundOn: boolean; pictureOn: boolean }): {
  video: boolean;
  audio: boolean;
} {
  return { video: !is.paused && is.pictureOn, audio: !is.paused && is.soundOn };
}

/** A camera or a screen that was opened. */
export interface OpenDevice {
  stream: MediaStream;
  /** The name of the refusal of a microphone; undefined when it is there, or none is. */
  silent?: string;
}

/** What the browser knows of its permissions; undefined where it does not tell. */
export interface Permissions {
  camera: PermissionState | undefined;
  microphone: PermissionState | undefined;
}

/** Whether the camera alone may do where camera and microphone together did not. */
export function worthWithout(error: string, { camera, microphone }: Permissions): boolean {
  if (error !== 'NotAllowedError') return true;
  // The question was about both. Somebody who said no to the camera is not asked again.
  return camera !== 'denied' && (microphone === 'denied' || camera === 'granted');
}

/** Opens camera and microphone, or the one of them that can be had. Throws DeviceRefused. */
export async function openCamera(devices: Devices): Promise<OpenDevice> {
  if (!navigator.mediaDevices) throw new DeviceRefused('insecure');
  const video: MediaTrackConstraints = {
    width: { ideal: 1920 },
    height: { ideal: 1080 },
    frameRate: { ideal: 30 },
    ...(devices.camera ? { deviceId: { ideal: devices.camera } } : {}),
  };
  const audio: MediaTrackConstraints = devices.microphone ? { deviceId: { ideal: devices.microphone } } : {};
  const both = await ask({ video, audio });
  if (typeof both !== 'string') return { stream: both };
  if (!worthWithout(both, { camera: await permission('camera'), microphone: await permission('microphone') })) {
    throw new DeviceRefused(both);
  }
  const seen = await ask({ video });
  if (typeof seen !== 'string') return both === 'NotFoundError' ? { stream: seen } : { stream: seen, silent: both };
  if (seen !== 'NotFoundError') throw new DeviceRefused(seen);
  const heard = await ask({ audio });
  if (typeof heard === 'string') throw new DeviceRefused(heard);
  return { stream: heard };
}

/** The stream, or the name of the refusal. */
async function ask(constraints: MediaStreamConstraints): Promise<MediaStream | string> {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (cause) {
    return refusalOf(cause);
  }
}

/** What an attempt to open a device has come to: the device, the name of the refusal, or both. */
export interface Opened<T> {
  stream?: T;
  refused?: string;
}

/**
 * Opens the wanted devices while others are on. Some systems open one camera at a time only: there
 * the old one is closed first, and comes back (with the refusal of the wanted one) when that fails.
 * before: the devices that are on; undefined when there is nothing to close.
 */
export async function openInstead<T>(
  open: (devices: Devices) => Promise<T>,
  wanted: Devices,
  before: Devices | undefined,
  release: () => void,
): Promise<Opened<T>> {
  const first = await attempt(open, wanted);
  if (!before || !first.refused || !BUSY.has(first.refused)) return first;
  release();
  const second = await attempt(open, wanted);
  return second.refused === undefined ? second : { ...(await attempt(open, before)), refused: second.refused };
}

/** What browsers say of a camera that is there and does not start: in use, by this page or another program. */
const BUSY: ReadonlySet<string> = new Set(['NotReadableError', 'AbortError']);

async function attempt<T>(open: (devices: Devices) => Promise<T>, devices: Devices): Promise<Opened<T>> {
  try {
    return { stream: await open(devices) };
  } catch (cause) {
    return { refused: cause instanceof DeviceRefused ? cause.name : 'unknown' };
  }
}

/** Asks for a screen, with its sound where the browser gives it. Throws DeviceRefused. */
export async function openScreen(): Promise<MediaStream> {
  if (!window.isSecureContext) throw new DeviceRefused('insecure');
  if (!navigator.mediaDevices?.getDisplayMedia) throw new DeviceRefused('unsupported');
  const options = {
    video: { frameRate: { ideal: 30 } },
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    systemAudio: 'include',
    surfaceSwitching: 'include',
    selfBrowserSurface: 'exclude',
  };
  try {
    return await navigator.mediaDevices.getDisplayMedia(options);
  } catch (cause) {
    throw new DeviceRefused(refusalOf(cause));
  }
}

/** The cameras and microphones to choose from. Their names are known once one of them is allowed. */
export async function listDevices(): Promise<{ cameras: DeviceName[]; microphones: DeviceName[] }> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const named = (kind: MediaDeviceKind, word: string): DeviceName[] =>
    all
      .filter((d) => d.kind === kind && d.deviceId !== '')
      .map((d, i) => ({ id: d.deviceId, label: d.label || `${word} ${i + 1}` }));
  return { cameras: named('videoinput', 'Camera'), microphones: named('audioinput', 'Microphone') };
}

/** Whether the camera may be opened without asking the person again. A browser that does not tell is one that asks. */
export async function cameraIsAllowed(): Promise<boolean> {
  return (await permission('camera')) === 'granted';
}

async function permission(name: 'camera' | 'microphone'): Promise<PermissionState | undefined> {
  try {
    return (await navigator.permissions.query({ name: name as PermissionName })).state;
  } catch {
    return undefined;
  }
}

/**
 * The name of an error of getUserMedia or getDisplayMedia. Browsers give the same one to a person's
 * no and to the operating system's; the message alone tells them apart.
 */
export function refusalOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return cause.name === 'NotAllowedError' && /\bby system\b/i.test(cause.message) ? 'system' : cause.name;
}
