// What is to be compared: the source, the ways, how many viewers each has, and for how long. Pure.

export const WAYS = ['sfu', 'star', 'tree', 'http'] as const;
export type Way = (typeof WAYS)[number];

/** What the ways are called, and what they are. */
export const WORDS: Record<Way, { title: string; text: string }> = {
  sfu: {
    title: 'By the server',
    text: 'Sent once to the server, which sends it to each viewer. Further devices come in by it.',
  },
  star: { title: 'Straight from here', text: 'Sent to each viewer, encoded for each.' },
  tree: {
    title: 'Passed on by viewers',
    text: 'The first viewer gets it straight and sends it on to the others, encoded again.',
  },
  http: { title: 'Plain HTTP', text: 'Recorded, uploaded in pieces and played as a file that grows.' },
};

/** What a way, or one of its viewers, is called where people read. viewer: counted from 0; undefined: all of the way. */
export function called(way: Way, viewer?: number): string {
  return viewer === undefined ? WORDS[way].title : `${WORDS[way].title}, viewer ${viewer + 1}`;
}

/** How further devices can get the picture: by a page of their own they have one way at a time. */
export const DEVICE_WAYS = ['sfu', 'star', 'tree'] as const;
export type DeviceWay = (typeof DEVICE_WAYS)[number];

/** What these are called to them. */
export const DEVICE_WORDS: Record<DeviceWay, string> = {
  sfu: 'By the server',
  star: 'Straight from this page',
  tree: 'Passed on by each other',
};

export const SIZES = [
  { name: '320 × 180, 15 a second', width: 320, height: 180, rate: 15 },
  { name: '640 × 360, 30 a second', width: 640, height: 360, rate: 30 },
  { name: '1280 × 720, 30 a second', width: 1280, height: 720, rate: 30 },
] as const;

export const MOST_VIEWERS = 4;
export const SECONDS = [10, 20, 60] as const;

export interface Plan {
  /** A file, or the test picture in one of SIZES. */
  file: File | undefined;
  size: number;
  ways: readonly Way[];
  /** Of each way. */
  viewers: number;
  seconds: number;
}

export const DEFAULT: Plan = { file: undefined, size: 0, ways: ['sfu', 'star'], viewers: 1, seconds: 20 };

/** In which order ways are opened in a run: each is first in its turn, so that being first favours none. */
export function inTurn<T>(ways: readonly T[], turn: number): T[] {
  const first = turn % Math.max(1, ways.length);
  return [...ways.slice(first), ...ways.slice(0, first)];
}

/** Encoders that are at work in this page: the reason why a small machine cannot do everything at once. */
export function encodes({ ways, viewers }: Pick<Plan, 'ways' | 'viewers'>): number {
  const each: Record<Way, number> = { sfu: 1, star: viewers, tree: viewers, http: 1 };
  return ways.reduce((n, way) => n + each[way], 0);
}

/** What this browser has of what it takes. */
export interface Abilities {
  webrtc: boolean;
  /** It tells of single pictures. */
  pictures: boolean;
  /** It records what is sent by plain HTTP. */
  records: boolean;
}

/** What stands against a plan, in words; undefined: nothing. */
export function objection(plan: Plan, has: Abilities): string | undefined {
  if (!has.webrtc) return 'This browser has no WebRTC, or it is switched off: nothing can be compared here.';
  if (!has.pictures)
    return 'This browser does not tell when a single picture is shown, so there is nothing to measure by. Chrome, Edge, Safari, and Firefox from 132 on do.';
  if (plan.ways.includes('http') && !has.records)
    return 'This browser cannot record what it sends, which plain HTTP needs. Leave that way out.';
  if (plan.ways.length === 0) return 'Choose at least one way.';
  if (plan.ways.includes('tree') && plan.viewers < 2) return 'A picture that is passed on needs two viewers.';
  return undefined;
}
