// The clock of the strip over a direct way: the viewer asks the other end by the channel beside the media,
// in the manner of signal/clock.ts. It is a shorter way than two over the server, and the uploader's own
// error falls out, since the uploader answers by the clock that it draws. A viewer who passes on answers by
// what it has learnt itself, and says how wrong that may be.

import { Clock, type ClockReading } from '../signal/clock';

/** A clock, and how wrong it may be, ms; undefined: not known. */
export interface Told {
  time: number;
  error: number | undefined;
}

/** How the strip's clock lies to the page's, and how wrong the other end says that it may be itself. */
export interface SideReading extends ClockReading {
  /** ms; undefined: not known. */
  error: number | undefined;
}

interface Question {
  ask: number;
}

interface Answer {
  asked: number;
  time: number;
  error?: number;
}

/** Reads what the other end says; anything may come. Pure. */
export function readSide(text: unknown): Question | Answer | undefined {
  if (typeof text !== 'string' || text.length > 200) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { ask, asked, time, error } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (isTime(ask)) return { ask };
  if (!isTime(asked) || !isTime(time)) return undefined;
  return isTime(error) && error >= 0 ? { asked, time, error } : { asked, time };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Answers questions on this channel for as long as it is open. */
export function answerOn(side: RTCDataChannel, told: () => Told): void {
  side.addEventListener('message', ({ data }: MessageEvent) => {
    const heard = readSide(data);
    if (!heard || !('ask' in heard) || side.readyState !== 'open') return;
    const { time, error } = told();
    side.send(JSON.stringify({ asked: heard.ask, time, error }));
  });
}

const EVERY = 1_000; // ms

export class SideClock {
  private readonly side: RTCDataChannel;
  private readonly now: () => number;
  private readonly clock = new Clock();
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly over = new AbortController();
  private error: number | undefined;

  /** now: ms since the epoch by the page's clock. */
  constructor(side: RTCDataChannel, now: () => number) {
    this.side = side;
    this.now = now;
    const { signal } = this.over;
    side.addEventListener('open', () => this.ask(), { signal });
    side.addEventListener('message', ({ data }: MessageEvent) => this.hear(data), { signal });
    this.timer = setInterval(() => this.ask(), EVERY);
    this.ask();
  }

  /** undefined until the other end has answered. */
  reading(): SideReading | undefined {
    const reading = this.clock.reading();
    return reading && { ...reading, error: this.error };
  }

  close(): void {
    this.over.abort();
    clearInterval(this.timer);
  }

  private ask(): void {
    if (this.side.readyState === 'open') this.side.send(JSON.stringify({ ask: this.now() }));
  }

  private hear(data: unknown): void {
    const heard = readSide(data);
    if (!heard || 'ask' in heard) return;
    this.error = heard.error;
    this.clock.observe(heard.asked, heard.time, this.now());
  }
}
