// What the uploader chooses for the picture, and what it means for the encoder. Pure.

import type { VideoLimits } from '../topology/whip';
import type { Size, SourceKind } from './source';

/** Lines of the picture: its shorter side, so that an upright film counts like a lying one. */
export const HEIGHTS = [1080, 720, 480, 360] as const;
/** Pictures a second. */
export const RATES = [60, 30, 24, 15] as const;
/** kbit/s. */
export const BITRATES = [500, 1000, 2000, 3000, 5000, 8000, 12000] as const;
export const CODECS = ['VP8', 'VP9', 'H264', 'AV1'] as const;

/** How long players hold the picture back: at once, or long enough for lines that shake. */
export const DELAYS = ['least', 'steady'] as const;

/** What gives way when the connection or this computer is too slow. */
export type Keep = 'balance' | 'motion' | 'detail';

export interface Settings {
  height: 'source' | number;
  frameRate: 'source' | number;
  /** 'auto' follows from size and frame rate; else kbit/s. */
  bitrate: 'auto' | number;
  /** 'auto' is what every browser plays. */
  codec: 'auto' | (typeof CODECS)[number];
  keep: 'auto' | Keep;
  /** One quality only, whatever the lines of viewers carry. */
  one: boolean;
  /** How long players are to hold the picture back; 'auto' leaves it to them. */
  delay: 'auto' | (typeof DELAYS)[number];
}

export const DEFAULTS: Settings = {
  height: 'source',
  frameRate: 'source',
  bitrate: 'auto',
  codec: 'auto',
  keep: 'auto',
  one: false,
  delay: 'auto',
};

/** Sound: 128 kbit/s of Opus in stereo is as good as people can tell. bit/s */
export const AUDIO_BITRATE = 128_000;

/** The picture after the chosen size is applied; it is never made larger. */
export function sentSize(settings: Settings, size: Size): Size {
  const by = scaleDown(settings, size);
  const even = (n: number): number => Math.max(2, 2 * Math.round(n / by / 2));
  return { width: even(size.width), height: even(size.height) };
}

/** How many times smaller the picture is to be sent. */
function scaleDown(settings: Settings, size: Size): number {
  const shorter = Math.min(size.width, size.height);
  return settings.height === 'source' || shorter <= 0 ? 1 : Math.max(1, shorter / settings.height);
}

/**
 * Bit/s that make a good picture of this size: 3 Mbit/s for 720p at 30, growing slower than
 * the number of pixels does, because larger pictures have more of the same in them.
 */
export function goodBitrate(size: Size, frameRate: number, codec: Settings['codec']): number {
  const pixels = (size.width * size.height) / (1280 * 720);
  const pace = frameRate > 30 ? 1.4 : frameRate < 20 ? 0.75 : 1;
  const thrift = codec === 'VP9' || codec === 'AV1' ? 0.7 : 1;
  const bits = 3_000_000 * pixels ** 0.65 * pace * thrift;
  return Math.round(Math.min(20_000_000, Math.max(250_000, bits)) / 50_000) * 50_000;
}

/** The limits for the sender. Without a size (no picture yet) those of 720p. */
export function limitsFor(settings: Settings, size: Size | undefined, kind: SourceKind): VideoLimits {
  const known = size ?? { width: 1280, height: 720 };
  const frameRate = settings.frameRate === 'source' ? 30 : settings.frameRate;
  const limits: VideoLimits = {
    maxBitrate:
      settings.bitrate === 'auto'
        ? goodBitrate(sentSize(settings, known), frameRate, settings.codec)
        : settings.bitrate * 1000,
    scaleResolutionDownBy: scaleDown(settings, known),
    degradationPreference: degradation(keepFor(settings, kind)),
  };
  if (settings.frameRate !== 'source') limits.maxFramerate = settings.frameRate;
  return limits;
}

/** Text on a screen must stay sharp, and a film must move. */
export function keepFor(settings: Settings, kind: SourceKind): Keep {
  if (settings.keep !== 'auto') return settings.keep;
  switch (kind) {
    case 'file':
      return 'motion';
    case 'camera':
      return 'balance';
    case 'screen':
      return 'detail';
  }
}

function degradation(keep: Keep): RTCDegradationPreference {
  switch (keep) {
    case 'balance':
      return 'balanced';
    case 'motion':
      return 'maintain-framerate';
    case 'detail':
      return 'maintain-resolution';
  }
}

/** MediaStreamTrack.contentHint for the picture. */
export function hintFor(keep: Keep): '' | 'motion' | 'detail' {
  return keep === 'balance' ? '' : keep;
}

/** The WHIP address with what players are asked for: the least and the most delay. */
export function withDelay(url: string, delay: Settings['delay']): string {
  switch (delay) {
    case 'auto':
      return url;
    case 'least':
      return `${url}?playout=0,0`;
    case 'steady':
      return `${url}?playout=300ms,1s`;
  }
}

/**
 * The order of codecs in the offer. VP8 and VP9 first: every browser plays them, and not every
 * Firefox plays H.264.
 */
export function codecOrder(codec: Settings['codec']): string[] {
  const first = codec === 'auto' ? [] : [codec];
  return [...new Set([...first, 'VP8', 'VP9', 'H264', 'AV1'])].map((name) => `video/${name}`);
}

/** The codecs of ours among the MIME types that a browser can send. */
export function codecsAmong(mimes: readonly string[]): (typeof CODECS)[number][] {
  const can = new Set(mimes.map((m) => m.toLowerCase()));
  return CODECS.filter((c) => can.has(`video/${c.toLowerCase()}`));
}

/** Settings that were kept, perhaps by another browser: a codec that this one lacks is left to it. */
export function fitted(settings: Settings, mimes: readonly string[]): Settings {
  const { codec } = settings;
  return codec === 'auto' || codecsAmong(mimes).includes(codec) ? settings : { ...settings, codec: 'auto' };
}

/** MIME types of the pictures that this browser can send. */
export function sendable(): string[] {
  return globalThis.RTCRtpSender?.getCapabilities('video')?.codecs.map((c) => c.mimeType) ?? [];
}

/** Settings from storage, where anything may be written; what is not understood is the default. */
export function readSettings(value: unknown): Settings {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const pick = <T>(name: string, allowed: readonly T[], otherwise: T): T =>
    allowed.find((a) => a === given[name]) ?? otherwise;
  return {
    height: pick<Settings['height']>('height', HEIGHTS, 'source'),
    frameRate: pick<Settings['frameRate']>('frameRate', RATES, 'source'),
    bitrate: pick<Settings['bitrate']>('bitrate', BITRATES, 'auto'),
    codec: pick<Settings['codec']>('codec', CODECS, 'auto'),
    keep: pick<Settings['keep']>('keep', ['balance', 'motion', 'detail'], 'auto'),
    one: pick<boolean>('one', [true], false),
    delay: pick<Settings['delay']>('delay', DELAYS, 'auto'),
  };
}
