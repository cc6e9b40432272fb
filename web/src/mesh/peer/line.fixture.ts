// Whole peers in a test, without a server or a browser: the line between them, which may spoil what it carries, and a
// clock that goes on when nothing else does. So hours pass in a moment, and nothing depends on how fast a machine is.

import { setImmediate as soon } from 'node:timers/promises';
import { vi } from 'vitest';
import type { TimerOrder } from '../../signal/timer-worker';
import type { Bytes } from '../bytes';
import type { Chance } from '../mutate.fixture';
import { Inbox, type Port, type Take, type Way } from './way';

/** In place of the browser, from when it is made until `end`. */
export class World {
  private due: (() => void)[] = [];
  /** What other threads are at. */
  private working = 0;

  constructor() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    const events = { addEventListener: () => undefined, removeEventListener: () => undefined };
    vi.stubGlobal('window', { ...events, location: { protocol: 'http:', host: 'localhost' } });
    vi.stubGlobal('document', { ...events, visibilityState: 'visible' });
    vi.stubGlobal('navigator', {});
    vi.stubGlobal('Worker', Ticker);
    vi.stubGlobal('WebSocket', Nowhere);
    vi.stubGlobal('MessageChannel', this.channels());
    vi.stubGlobal('crypto', this.watched(crypto));
  }

  end(): void {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }

  /** Does so in the next turn. */
  later(work: () => void): void {
    this.due.push(work);
  }

  /** All that is due is done. Where there is nothing, and nothing is on its way, the clock goes on to what comes next. */
  async turn(): Promise<void> {
    const due = this.due;
    this.due = [];
    for (const work of due) work();
    await soon();
    if (this.isIdle) vi.advanceTimersToNextTimer();
  }

  /** Nothing will happen any more. */
  get isQuiet(): boolean {
    return this.isIdle && vi.getTimerCount() === 0;
  }

  private get isIdle(): boolean {
    return this.due.length === 0 && this.working === 0;
  }

  private watched({ subtle, getRandomValues }: Crypto) {
    const count =
      (name: string | symbol) =>
      async (...args: unknown[]) => {
        this.working += 1;
        try {
          return await (subtle as unknown as Record<string | symbol, (...args: unknown[]) => unknown>)[name]?.(...args);
        } finally {
          this.working -= 1;
        }
      };
    return {
      getRandomValues: getRandomValues.bind(crypto),
      subtle: new Proxy(subtle, { get: (_, name) => count(name) }),
    };
  }

  private channels() {
    const later = this.later.bind(this);
    return class {
      readonly port1: { onmessage: (() => void) | null } = { onmessage: null };
      readonly port2 = { postMessage: (): void => later(() => this.port1.onmessage?.()) };
    };
  }
}

/** The worker of timers.ts. */
class Ticker {
  onmessage: ((event: { data: number }) => void) | null = null;
  private ended = false;

  postMessage({ id, ms }: TimerOrder): void {
    setTimeout(() => {
      if (!this.ended) this.onmessage?.({ data: id });
    }, ms);
  }

  terminate(): void {
    this.ended = true;
  }
}

/** A server that never answers. */
class Nowhere {
  static readonly OPEN = 1;
  readonly readyState = 0;
  addEventListener(): void {}
  close(): void {}
}

/** What lies between two peers: what was handed to one end comes to the other, whole and once. */
export class Line {
  protected readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** Both ends of a new connection. */
  connect(): [End, End] {
    const [a, b] = [new End(this), new End(this)];
    a.join(b);
    b.join(a);
    return [a, b];
  }

  carry(message: Bytes, put: Take): void {
    this.world.later(() => put(message));
  }
}

/** What is late comes behind what follows it (ms). */
const LATE = 5;
/** What stands at the beginning of a frame: every other time bits of that are flipped. */
const HEAD = 40;

/** While it is bad it spoils one message in three. */
export class FaultyLine extends Line {
  bad = false;
  spoilt = 0;
  private readonly chance: Chance;

  constructor(world: World, chance: Chance) {
    super(world);
    this.chance = chance;
  }

  override carry(message: Bytes, put: Take): void {
    if (!this.bad || this.chance.below(3) > 0) {
      super.carry(message, put);
      return;
    }
    this.spoilt += 1;
    const fault = this.chance.below(4);
    if (fault === 0) setTimeout(() => put(message), LATE);
    else if (fault === 1) super.carry(message.slice(0, this.chance.below(message.length)), put);
    else super.carry(fault === 2 ? this.flipped(message) : message.slice(), put);
    if (fault === 3) super.carry(message, put);
  }

  private flipped(message: Bytes): Bytes {
    for (let bits = 1 + this.chance.below(3); bits > 0; bits--) {
      const most = this.chance.below(2) === 0 ? Math.min(HEAD, message.length) : message.length;
      const at = this.chance.below(most);
      message[at] = (message[at] as number) ^ (1 << this.chance.below(8));
    }
    return message;
  }
}

/** A connection as one side has it. */
export class End implements Way {
  readonly control: Side;
  readonly lane: Side;
  readonly largest = 262_144;
  readonly silent = false;
  gone = false;
  private other: End | undefined;
  private heard: () => void = () => undefined;

  constructor(line: Line) {
    this.control = new Side(line);
    this.lane = new Side(line);
  }

  join(other: End): void {
    this.other = other;
    for (const side of ['control', 'lane'] as const)
      this[side].put = (message) => other.gone || other[side].inbox.put(message);
  }

  async relayed(): Promise<boolean> {
    return false;
  }

  onGone(gone: () => void): void {
    this.heard = gone;
    if (this.gone) gone();
  }

  close(): void {
    if (this.gone) return;
    this.gone = true;
    this.heard();
    this.other?.close();
  }
}

class Side implements Port {
  readonly open = true;
  readonly buffered = 0;
  readonly inbox = new Inbox();
  put: Take = () => undefined;
  private readonly line: Line;

  constructor(line: Line) {
    this.line = line;
  }

  listen(take: Take): void {
    this.inbox.listen(take);
  }

  once(take: Take): void {
    this.inbox.once(take);
  }

  send(message: Bytes): boolean {
    this.line.carry(message.slice(), this.put);
    return true;
  }

  async room(): Promise<void> {}
}
