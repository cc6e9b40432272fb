// The state machine of one endpoint's connection to /ws. It decides when to connect, what to
// send, when the other side is dead and how long to wait; it is told the time and never looks
// at a clock, and it touches no socket. client.ts is the shell that carries out what it says.

import { Clock, type ClockReading } from './clock';
import {
  type ClientMessage,
  type Code,
  type ErrorMessage,
  type FilesTerms,
  type Goodbye,
  type Hello,
  type Role,
  type RoomRef,
  type ServerMessage,
  VERSION,
  type Welcome,
} from './msg.gen';

/** Who this endpoint is and where it wants to be; all of it goes into Hello. */
export interface Identity {
  room: RoomRef;
  role: Role;
  /** The publish key or a stream key (publishers). */
  token?: string;
  /** The viewer password; in a room of files, what the link's secret proves. */
  password?: string;
  /** The identifier that a removed viewer keeps. */
  viewer?: string;
  /** Opens a room of files (uploaders). */
  files?: FilesTerms;
  /** The number of a short code, in place of the room's name. */
  code?: string;
}

/** What the connection is doing, for the words on the page. */
export type Link =
  | { phase: 'connecting' }
  | { phase: 'open' }
  /** Not connected; the next try is at retryAt (ms). attempt counts the tries since the last Welcome. */
  | { phase: 'waiting'; retryAt: number; attempt: number; code: Code | 'network' }
  /** Refused for good: it does not try again until identify() brings something new. */
  | { phase: 'refused'; code: Code; text: string }
  /** A newer publisher has taken over; this one must not come back by itself. */
  | { phase: 'replaced' }
  | { phase: 'closed' };

/** What happened, as the shell tells it. */
export type Input =
  | { kind: 'start' }
  | { kind: 'opened' }
  | { kind: 'received'; text: string }
  | { kind: 'lost' }
  | { kind: 'tick' }
  /** The network is back, or the page is visible again: do not wait any longer. */
  | { kind: 'hurry' }
  /** The offset of the server's clock is wanted well: several pings, one after the other. */
  | { kind: 'clock' }
  | { kind: 'send'; message: ClientMessage }
  | { kind: 'identify'; change: Partial<Identity> }
  | { kind: 'stop' };

/** What the shell is to do, in this order. */
export type Output =
  | { kind: 'connect' }
  | { kind: 'transmit'; text: string }
  | { kind: 'drop' }
  | { kind: 'link'; link: Link }
  | { kind: 'message'; message: ServerMessage }
  /** The server is another one than before: media sessions of the old one are gone. */
  | { kind: 'restarted' };

/** All times in ms. */
export const TIMES = {
  /** First and longest pause between two tries; each pause is twice the last, less up to half by chance. */
  firstPause: 300,
  longestPause: 5_000,
  /** From the start of a try to its Welcome. */
  greeting: 8_000,
  /** Between two pings, and how long an answer may take before the other side counts as dead. */
  ping: 5_000,
  dead: 7_000,
} as const;

/** Enough for one that meets no queue on its way, and well within what the server takes at once. */
const CLOCK_PINGS = 7;

/** Codes after which trying again with the same words is of no use. */
const FINAL: ReadonlySet<Code> = new Set<Code>([
  'bad-message',
  'version',
  'unauthorised',
  'password',
  'forbidden',
  'removed',
  'not-found',
  'expired',
  'closed',
]);

export class SignalCore {
  private identity: Identity;
  private readonly random: () => number;
  private phase: 'idle' | 'connecting' | 'greeting' | 'open' | 'waiting' | 'stopped' = 'idle';
  private attempt = 0;
  private due: number | undefined;
  private pingSent: number | undefined;
  private pingsWanted = 0;
  private resume: string | undefined;
  private instance: string | undefined;
  private entry = false;
  private readonly clockSamples = new Clock();
  /** What the server said before it closed, so that the closing itself is not taken for a lost network. */
  private parting: { code: Code; retryAfter: number } | undefined;

  /** random gives numbers from 0 (included) to 1 (not included). */
  constructor(identity: Identity, random: () => number) {
    this.identity = identity;
    this.random = random;
  }

  /** The next moment (ms) at which a tick is wanted. */
  deadline(): number | undefined {
    return this.due;
  }

  /** The offset of the server's clock, once measured. */
  clock(): ClockReading | undefined {
    return this.clockSamples.reading();
  }

  step(input: Input, now: number): Output[] {
    switch (input.kind) {
      case 'start':
        return this.phase === 'idle' || this.phase === 'stopped' ? this.connect(now, true) : [];
      case 'opened':
        return this.opened();
      case 'received':
        return this.received(input.text, now);
      case 'lost':
        return this.lost(now);
      case 'tick':
        return this.tick(now);
      case 'hurry':
        return this.phase === 'waiting' ? this.connect(now, false) : this.phase === 'open' ? this.ping(now) : [];
      case 'clock':
        this.pingsWanted = CLOCK_PINGS;
        return this.phase === 'open' && this.pingSent === undefined ? this.ping(now) : [];
      case 'send':
        return this.phase === 'open' ? [transmit(input.message)] : [];
      case 'identify':
        return this.identify(input.change, now);
      case 'stop':
        return this.stop({ phase: 'closed' });
    }
  }

  private connect(now: number, tell: boolean): Output[] {
    this.phase = 'connecting';
    this.parting = undefined;
    this.pingSent = undefined;
    this.due = now + TIMES.greeting;
    const out: Output[] = [{ kind: 'connect' }];
    if (tell) out.unshift({ kind: 'link', link: { phase: 'connecting' } });
    return out;
  }

  private opened(): Output[] {
    if (this.phase !== 'connecting') return [];
    this.phase = 'greeting';
    const { room, role, token, password, viewer, files, code } = this.identity;
    const hello: Hello = { type: 'hello', version: VERSION, room, role };
    if (token) hello.token = token;
    if (password) hello.password = password;
    if (viewer) hello.viewer = viewer;
    if (files) hello.files = files;
    if (code) hello.code = code;
    if (this.resume) hello.resume = this.resume;
    return [transmit(hello)];
  }

  private received(text: string, now: number): Output[] {
    if (this.phase !== 'greeting' && this.phase !== 'open') return [];
    const message = parse(text);
    // Not of this protocol: the next version of the server may know more messages than this page.
    if (!message) return [];
    switch (message.type) {
      case 'welcome':
        return this.welcomed(message, now);
      case 'pong':
        this.pingSent = undefined;
        this.clockSamples.observe(message.sent, message.server, now);
        if (this.pingsWanted === 0) return [];
        this.pingsWanted -= 1;
        return this.ping(now);
      case 'error':
        return this.refused(message, now);
      case 'goodbye':
        this.parting = { code: message.code, retryAfter: message.retryAfter ?? 0 };
        if (FINAL.has(message.code)) return this.refuse(message);
        return [{ kind: 'message', message }];
      case 'replaced':
        return [{ kind: 'message', message }, ...this.stop({ phase: 'replaced' })];
      case 'moved':
        // What could be resumed belongs to the room under its old name.
        this.resume = undefined;
        this.identity = { ...this.identity, room: { ...this.identity.room, name: message.name } };
        return [{ kind: 'message', message }];
      default:
        return [{ kind: 'message', message }];
    }
  }

  private welcomed(welcome: Welcome, now: number): Output[] {
    const restarted = this.instance !== undefined && this.instance !== welcome.instance;
    this.phase = 'open';
    this.attempt = 0;
    this.instance = welcome.instance;
    this.resume = welcome.resume;
    this.entry = welcome.files?.entry ?? false;
    // The server may have made the name; a new connection must ask for the same room. Who came by a
    // number comes back by it, too.
    if (!this.entry) this.identity = { ...this.identity, room: welcome.room };
    const out: Output[] = [{ kind: 'link', link: { phase: 'open' } }];
    if (restarted) out.push({ kind: 'restarted' });
    out.push({ kind: 'message', message: welcome });
    return [...out, ...this.ping(now)];
  }

  private refused(error: ErrorMessage, now: number): Output[] {
    // A refused command leaves the connection as it is; a refused endpoint, or one that was removed, does not.
    // Whoever is put out of an antechamber must not try the code again by itself.
    const ends = error.code === 'removed' || (this.entry && FINAL.has(error.code));
    if (this.phase === 'open' && !ends) return [{ kind: 'message', message: error }];
    if (FINAL.has(error.code)) return this.refuse(error);
    this.parting = { code: error.code, retryAfter: error.retryAfter ?? 0 };
    return [{ kind: 'drop' }, ...this.wait(now)];
  }

  private refuse(last: ErrorMessage | Goodbye): Output[] {
    return this.stop({ phase: 'refused', code: last.code, text: last.text });
  }

  private stop(link: Link): Output[] {
    if (this.phase === 'stopped') return link.phase === 'closed' ? [{ kind: 'link', link }] : [];
    this.phase = 'stopped';
    this.due = undefined;
    return [{ kind: 'drop' }, { kind: 'link', link }];
  }

  private lost(now: number): Output[] {
    return this.phase === 'stopped' || this.phase === 'idle' || this.phase === 'waiting' ? [] : this.wait(now);
  }

  private wait(now: number): Output[] {
    const doubled = Math.min(TIMES.longestPause, TIMES.firstPause * 2 ** this.attempt);
    const asked = (this.parting?.retryAfter ?? 0) * 1000;
    // Spread, so that a thousand viewers do not come back in the same moment after a restart.
    const pause = asked > 0 ? asked * (1 + 0.25 * this.random()) : doubled * (0.5 + 0.5 * this.random());
    const code = this.parting?.code ?? 'network';
    this.phase = 'waiting';
    this.attempt += 1;
    this.due = now + pause;
    return [{ kind: 'link', link: { phase: 'waiting', retryAt: this.due, attempt: this.attempt, code } }];
  }

  private tick(now: number): Output[] {
    if (this.due === undefined || now < this.due) return [];
    switch (this.phase) {
      case 'waiting':
        return this.connect(now, false);
      case 'connecting':
      case 'greeting':
        return [{ kind: 'drop' }, ...this.wait(now)];
      case 'open':
        if (this.pingSent !== undefined && now - this.pingSent >= TIMES.dead)
          return [{ kind: 'drop' }, ...this.wait(now)];
        return this.ping(now);
      default:
        this.due = undefined;
        return [];
    }
  }

  /** One ping at a time: the answer that is missing is what tells a dead connection. */
  private ping(now: number): Output[] {
    if (this.pingSent !== undefined) {
      this.due = this.pingSent + TIMES.dead;
      return [];
    }
    this.pingSent = now;
    this.due = now + TIMES.ping;
    return [transmit({ type: 'ping', sent: now })];
  }

  private identify(change: Partial<Identity>, now: number): Output[] {
    this.identity = { ...this.identity, ...change };
    if (this.phase === 'idle') return [];
    this.attempt = 0;
    const drop: Output[] = this.phase === 'stopped' || this.phase === 'waiting' ? [] : [{ kind: 'drop' }];
    return [...drop, ...this.connect(now, true)];
  }
}

function transmit(message: ClientMessage): Output {
  return { kind: 'transmit', text: JSON.stringify(message) };
}

/** Reads one text message; undefined when it is not an object with a type. */
export function parse(text: string): ServerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    return undefined;
  }
  // The server is the one that served this page; its messages are held to the schema by tests on its side.
  return value as ServerMessage;
}
