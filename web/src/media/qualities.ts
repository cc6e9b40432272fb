// In which qualities the picture is sent (simulcast, RFC 8853), so that each viewer can have what
// its line carries. Pure.

import type { VideoQuality } from '../topology/simulcast';
import type { VideoLimits } from '../topology/whip';
import { goodBitrate, limitsFor, type Settings, sentSize } from './settings';
import type { Size, SourceKind } from './source';

/**
 * From the smallest to the largest: browsers give the first ones their bits first. Those of use now are the
 * first ones, the best of them the last: Chromium sends as many as it thinks a picture's size is worth,
 * counted from the first, and leaves out what stands behind.
 */
export const RIDS = ['q', 'h', 'f'] as const;

/** Lines of the shorter side from which a picture is worth another quality. */
const TWO = 300;
const THREE = 540;
/** Pixels of the source from which Chromium sends so many (kSimulcastFormats in its simulcast.cc). */
const TWO_PIXELS = 480 * 270;
const THREE_PIXELS = 960 * 540;
/** A small picture is for thin lines: it gets less than what would make it good. */
const THRIFT = 0.4;

/**
 * Lines of the smaller qualities of a picture that is sent with so many lines, the smallest first; none
 * when it is too small for that. pixels: of the source.
 */
export function smallerLines(lines: number, pixels: number): number[] {
  if (lines < TWO || pixels < TWO_PIXELS) return [];
  if (lines < THREE || pixels < THREE_PIXELS) return [lines / 2];
  const middle = Math.max(360, lines > 720 ? lines / 2 : 0);
  return [Math.max(180, Math.min(270, middle / 2)), middle];
}

/**
 * One for each rid, the smallest first; those that are not of use now are not active. Without a
 * size (no picture yet) those of 720p.
 */
export function qualitiesFor(settings: Settings, size: Size | undefined, kind: SourceKind): VideoQuality[] {
  const limits = limitsFor(settings, size, kind);
  const known = size ?? { width: 1280, height: 720 };
  const sent = sentSize(settings, known);
  const lines = Math.min(sent.width, sent.height);
  const all = settings.one ? [lines] : [...smallerLines(lines, known.width * known.height), lines];
  const best = limits.maxBitrate ?? goodBitrate(sent, 30, settings.codec);
  return RIDS.map((rid, i) => {
    const by = lines / (all[i] ?? lines);
    const thrifty = Math.round(
      THRIFT * goodBitrate({ width: sent.width / by, height: sent.height / by }, 30, settings.codec),
    );
    return {
      rid,
      active: i < all.length,
      scaleResolutionDownBy: (limits.scaleResolutionDownBy ?? 1) * by,
      maxBitrate: by === 1 ? best : Math.min(thrifty, Math.round(best / by)),
      ...(limits.maxFramerate === undefined ? {} : { maxFramerate: limits.maxFramerate }),
    };
  });
}

/** What the qualities mean to viewers, in words. able: this browser can send several of this format. */
export function qualityWords(settings: Settings, size: Size | undefined, able: boolean): string {
  if (settings.one) return 'Viewers on slow lines get the same picture as all others, and may see it stop.';
  if (!able) return 'This browser sends one quality of this format: viewers on slow lines may see it stop.';
  if (!size) return 'Viewers on slow lines get a smaller picture, when it is large enough for that.';
  const sent = sentSize(settings, size);
  const lines = smallerLines(Math.min(sent.width, sent.height), size.width * size.height).map(
    (n) => `${Math.round(n)}p`,
  );
  if (lines.length === 0) return 'The picture is small enough for slow lines: it is sent in one quality.';
  return `Viewers on slow lines get ${lines.reverse().join(' or ')}.`;
}

/** A picture that is sent for nobody yet: enough to see something until the full one comes. bit/s, lines, 1/s */
const WARM = { bitrate: 100_000, lines: 180, rate: 1 } as const;

/** The limits of a picture that nobody needs now. */
export function warm(limits: VideoLimits, size: Size | undefined): VideoLimits {
  const shorter = size ? Math.min(size.width, size.height) : WARM.lines;
  return {
    ...limits,
    maxBitrate: Math.min(limits.maxBitrate ?? WARM.bitrate, WARM.bitrate),
    maxFramerate: WARM.rate,
    scaleResolutionDownBy: Math.max(limits.scaleResolutionDownBy ?? 1, shorter / WARM.lines, 1),
  };
}

/** The same for a picture in several qualities: the smallest alone. */
export function warmQualities(qualities: readonly VideoQuality[]): VideoQuality[] {
  return qualities.map((quality, i) => ({
    ...quality,
    active: i === 0,
    maxBitrate: Math.min(quality.maxBitrate, WARM.bitrate),
    maxFramerate: WARM.rate,
  }));
}
