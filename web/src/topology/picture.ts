// What a viewer wants of the picture and what it gets: the JSON of {session}/layers
// (docs/PROTOCOL.md, section 2.3). Pure.

export interface Wish {
  /** Pixels of height that are of use; 0 for no limit. */
  maxHeight: number;
  /** Nobody looks: sound, and the least of the picture. */
  hidden: boolean;
}

export interface Quality {
  rid?: string;
  width: number;
  height: number;
  bitrate: number; // bit/s
}

export interface Picture {
  /** From the smallest to the largest. */
  qualities: Quality[];
  current: Quality | undefined;
  /** What the viewer's line carries, bit/s; undefined while nothing is known of it. */
  estimate: number | undefined;
  /** What keeps the picture from being better. */
  bound: 'line' | 'wish' | 'source' | undefined;
}

/** Reads an answer; what is not understood is left out. */
export function readPicture(value: unknown): Picture {
  const v = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const list = Array.isArray(v.qualities) ? v.qualities : [];
  return {
    qualities: list.flatMap((q) => readQuality(q) ?? []),
    current: readQuality(v.current),
    estimate: typeof v.estimate === 'number' && v.estimate > 0 ? v.estimate : undefined,
    bound: (['line', 'wish', 'source'] as const).find((b) => b === v.bound),
  };
}

function readQuality(value: unknown): Quality | undefined {
  const v = value as Record<string, unknown> | null | undefined;
  const { rid, width, height, bitrate } = v ?? {};
  if (typeof width !== 'number' || typeof height !== 'number' || typeof bitrate !== 'number') return undefined;
  return { width, height, bitrate, ...(typeof rid === 'string' ? { rid } : {}) };
}
