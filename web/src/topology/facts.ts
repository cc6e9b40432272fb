// What a page tells the server of itself for the plan of who gets the picture from whom, and when it tells it:
// at once what bars or allows passing on, and numbers now and then. Pure, but for hints().

import type { Device, Facts as Message } from '../signal/msg.gen';

export type Facts = Omit<Message, 'type'>;

/** What a browser says of the machine and the line. */
export interface Hints {
  userAgent: string;
  /** As Chromium tells it. */
  mobile?: boolean | undefined;
  touchPoints: number;
  /** What is pointed with first is a finger. */
  coarse?: boolean | undefined;
  saveData?: boolean | undefined;
  /** Kind of line: "cellular", "wifi". */
  line?: string | undefined;
}

interface Hinting extends Navigator {
  userAgentData?: { mobile?: boolean };
  connection?: { saveData?: boolean; type?: string };
}

/** Of this browser, now: a line may become another one. */
export function hints(from: Hinting = navigator): Hints {
  return {
    coarse: globalThis.matchMedia?.('(pointer: coarse)').matches,
    userAgent: from.userAgent,
    mobile: from.userAgentData?.mobile,
    touchPoints: from.maxTouchPoints,
    saveData: from.connection?.saveData,
    line: from.connection?.type,
  };
}

/** undefined for what is not known: such a machine passes nothing on. */
export function deviceOf({ userAgent, mobile, touchPoints, coarse }: Hints): Device | undefined {
  if (/iPhone|iPod/.test(userAgent)) return 'phone';
  // iPads say that they are Macs, which have no touch screens.
  if (/iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1)) return 'tablet';
  if (/Android/.test(userAgent)) return mobile === true || /Mobile/.test(userAgent) ? 'phone' : 'tablet';
  if (mobile === true || /Mobile/.test(userAgent)) return 'phone';
  if (!/Windows|Macintosh|Linux|CrOS|X11|BSD/.test(userAgent)) return undefined;
  // A phone that shows the desktop's site says that it is a computer.
  return coarse ? 'tablet' : 'desktop';
}

/** The line is paid by the byte, or the person saves data. */
export function isMetered({ saveData, line }: Hints): boolean {
  return saveData === true || line === 'cellular';
}

/** Numbers are told this often at most, ms; in a crowd less, so that the server has other things to do. */
const PACE = { few: 5_000, many: 60_000 } as const;
const CROWD = 50;
/** A number is another one when it differs by this share, and by that much. */
const SHARE = 0.2;
const LEAST = { roundTrip: 5, leg: 10, delay: 10, uplink: 100_000, bitrate: 50_000 } as const;

const FLAGS = ['device', 'hidden', 'metered', 'refuses'] as const;
const NUMBERS = ['roundTrip', 'leg', 'delay', 'uplink', 'bitrate'] as const;

export class Teller {
  private told: Facts | undefined;
  private at = 0;

  /** The server knows nothing any more. */
  reset(): void {
    this.told = undefined;
  }

  /** What to send now, if anything. viewers: how many there are; now in ms. */
  take(facts: Facts, viewers: number, now: number): Message | undefined {
    const { told } = this;
    const pace = viewers > CROWD ? PACE.many : PACE.few;
    const due = !told || FLAGS.some((f) => facts[f] !== told[f]) || (now - this.at >= pace && differs(facts, told));
    if (!due) return undefined;
    this.told = facts;
    this.at = now;
    return { type: 'facts', ...facts };
  }
}

function differs(a: Facts, b: Facts): boolean {
  if (a.atLeast !== b.atLeast) return true;
  return NUMBERS.some((name) => {
    const [x, y] = [a[name] ?? 0, b[name] ?? 0];
    return Math.abs(x - y) > Math.max(LEAST[name], SHARE * Math.max(x, y));
  });
}

/** A whole number of ms or bit/s as the protocol has it; undefined leaves it out. */
export function whole(value: number | undefined, most = 2_000_000_000): number | undefined {
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return Math.min(most, Math.max(0, Math.round(value))) || undefined;
}

/** Facts without the members that say nothing. */
export function compact(facts: { [K in keyof Facts]?: Facts[K] | undefined }): Facts {
  const said = Object.entries(facts).filter(([, v]) => v !== undefined && v !== false && v !== 0);
  return Object.fromEntries(said) as Facts;
}
