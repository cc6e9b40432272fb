// Camera and screen as sources: what the browser hands over is sent as it is, or not at all
// while the uploader pauses. Nothing is drawn but the card of a microphone without camera.

import { Drawn } from './drawn';
import type { Size, Source, SourceEvent, Tracks } from './source';

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
  private readonly drawn: Drawn | undefined;
  // Shut until told otherwise: another microphone must not be heard before it is known to be wanted.
  private paused = true;
  private soundOn = false;

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
    if (this.picture() === null) {
      this.drawn = new Drawn();
      this.drawn.card('Microphone');
    }
  }

  tracks(): Tracks {
    return { video: this.drawn?.track ?? this.picture(), audio: this.sound() };
  }

  size(): Size | undefined {
    if (this.drawn) return this.drawn.size();
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

  close(): void {
    this.drawn?.close();
    for (const track of this.stream.getTracks()) track.stop();
    this.preview.srcObject = null;
  }

  private gate(): void {
    const open = passes(this.paused, this.soundOn);
    for (const track of this.stream.getVideoTracks()) track.enabled = open.video;
    for (const track of this.stream.getAudioTracks()) track.enabled = open.audio;
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

/** What goes out to viewers: sound that was switched off stays off whatever is paused meanwhile. */
export function passes(paused: boolean, soundOn: boolean): { video: boolean; audio: boolean } {
  return { video: !paused, audio: !paused && soundOn };
}

/** Opens camera and microphone, or the one of them that is there. Throws DeviceRefused. */
export async function openCamera(devices: Devices): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new DeviceRefused('insecure');
  const video: MediaTrackConstraints = {
    width: { ideal: 1920 },
    height: { ideal: 1080 },
    frameRate: { ideal: 30 },
    ...(devices.camera ? { deviceId: { ideal: devices.camera } } : {}),
  };
  const audio: MediaTrackConstraints = devices.microphone ? { deviceId: { ideal: devices.microphone } } : {};
  let missing = '';
  for (const constraints of [{ video, audio }, { video }, { audio }]) {
    try {
      return await navigator.mediaDevices.getUserMedia(constraints);
    } catch (cause) {
      missing = refusalOf(cause);
      if (missing !== 'NotFoundError') throw new DeviceRefused(missing);
    }
  }
  throw new DeviceRefused(missing);
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

/** Whether the camera may be opened without asking the person again. */
export async function cameraIsAllowed(): Promise<boolean> {
  try {
    const answer = await navigator.permissions.query({ name: 'camera' as PermissionName });
    return answer.state === 'granted';
  } catch {
    return false; // a browser that does not tell is one that asks
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
