// Whom the uploader lets in of those who have the link. A value: its answers follow from what it was
// told (docs/MESH.md, sections 2 and 8); it signs and sends nothing.

import type { Reason } from '../messages';

export interface Rule {
  /** A person decides about each. */
  approve: boolean;
  /** It has to be known; "" for none. */
  password: string;
  /** So many receivers in all, those who only look at what there is aside; 0 for no limit. */
  most: number;
}

/** The answer to one who asks. */
export type Verdict = { kind: 'token'; serial: number } | { kind: 'refused'; reason: Reason } | { kind: 'wait' };

/** One who asked, by the hexadecimal digits of its key. */
export interface Guest {
  key: string;
  name: string;
  /** Of its token; 0 before there is one. */
  serial: number;
  /** Of other tokens by which it came, of an earlier time. */
  earlier?: readonly number[];
  /** It has begun to receive, and has a place. */
  took: boolean;
  /** It only looked when the last place was taken: its token is worth nothing until there is one again. */
  out: boolean;
  wrong: number;
  refused: Reason | undefined;
  waiting: boolean;
}

/** The serials of all its tokens that are known. */
export const tokensOf = ({ serial, earlier = [] }: Guest): number[] => (serial === 0 ? [] : [serial, ...earlier]);

const WRONG_OF_ONE = 5;
const WRONG_OF_ALL = 50;
/** Whoever has the link can make keys without end. */
const MOST_GUESTS = 1_000;
const MOST_WAITING = 64;

export class Door {
  readonly guests = new Map<string, Guest>();
  private rule: Rule;
  private expires: number;
  private readonly draw: () => number;
  private readonly serials = new Set<number>();
  private wrong = 0;
  private inside = 0;

  /** expires in ms since the epoch; draw gives serials by chance, from 1 on. */
  constructor(rule: Rule, expires: number, draw: () => number) {
    this.rule = rule;
    this.expires = expires;
    this.draw = draw;
  }

  /** What holds from now on for those who ask and who only look. Returns whose tokens are taken back, as takes does. */
  set(rule: Rule): string[] {
    this.rule = rule;
    return this.clear();
  }

  /** Another end, in ms since the epoch. */
  until(expires: number): void {
    this.expires = expires;
  }

  /** Takes up what another door knew of its guests. Who waited has to ask again. */
  restore(guests: readonly Guest[]): void {
    for (const guest of guests) {
      this.guests.set(guest.key, { ...guest, waiting: false });
      this.wrong += guest.wrong;
      for (const serial of tokensOf(guest)) this.serials.add(serial);
      if (guest.took) this.inside += 1;
    }
  }

  /** Who has asked before is answered as before. */
  ask(key: string, name: string, password: string, now: number): Verdict {
    const known = this.guests.get(key);
    if (now >= this.expires) return { kind: 'refused', reason: 'expired' };
    if (known?.refused) return { kind: 'refused', reason: known.refused };
    if (known && known.serial !== 0 && !known.out) return { kind: 'token', serial: known.serial };
    if (known?.waiting) return { kind: 'wait' };
    if (this.isFull || (!known && !this.remembersMore())) return { kind: 'refused', reason: 'full' };
    if (known?.out) return this.admit(known);
    return this.judge(known ?? stranger(key), name, password);
  }

  private judge(guest: Guest, name: string, password: string): Verdict {
    const knows = this.knows(password, guest);
    const waits = knows && (this.rule.approve || this.wrong >= WRONG_OF_ALL);
    if (waits && this.waiting >= MOST_WAITING) return { kind: 'refused', reason: 'full' };
    guest.name = name;
    // Who only hears that a password is asked for is not remembered.
    if (knows || password !== '') this.guests.set(guest.key, guest);
    if (!knows) return { kind: 'refused', reason: 'password' };
    if (!waits) return this.admit(guest);
    guest.waiting = true;
    return { kind: 'wait' };
  }

  /**
   * One who was let in begins to receive, and takes a place if there is one. serial: of its token. Returns
   * whose tokens are to be taken back: its own when there is none or it was refused, and of all who only look when
   * none is left.
   */
  takes(key: string, serial: number): string[] {
    const guest = this.known(key, serial);
    if (!guest.took && !guest.refused && !this.isFull) {
      guest.took = true;
      guest.out = false;
      this.inside += 1;
    }
    const out = this.clear();
    return guest.took || out.includes(key) ? out : [...out, key];
  }

  /**
   * One comes by a good token, of which this door may know nothing, as one of an earlier time. It has no place by that:
   * like takes, it returns whose tokens are to be taken back.
   */
  returned(key: string, serial: number): string[] {
    const { refused, out } = this.known(key, serial);
    const again = refused !== undefined || (out && this.isFull); // and hears it again
    return again ? [...this.clear(), key] : this.clear();
  }

  /** One has left with nothing. Returns whether it had a place. */
  free(key: string): boolean {
    const guest = this.guests.get(key);
    if (!guest?.took) return false;
    guest.took = false;
    this.inside -= 1;
    return true;
  }

  /** The word of the person about one who waits; undefined when nobody of that key does. */
  decide(key: string, yes: boolean): Verdict | undefined {
    const guest = this.guests.get(key);
    if (!guest?.waiting) return undefined;
    if (yes && !this.isFull) return this.admit(guest);
    guest.waiting = false;
    if (yes) return { kind: 'refused', reason: 'full' }; // a place may be free again when it asks again
    this.free(key); // by a token of an earlier time it may have taken one
    guest.refused = 'denied';
    return { kind: 'refused', reason: 'denied' };
  }

  /** Takes back what was given, for good, also to one of whom nothing is known. Returns the serial that is to be revoked, 0 for none. */
  remove(key: string): number {
    const guest = this.guests.get(key) ?? stranger(key);
    this.guests.set(key, guest);
    this.free(key);
    guest.refused = 'removed';
    guest.waiting = false;
    return guest.serial;
  }

  /**
   * Whether there is room for one more guest. Makes it where it can: whom nobody has answered but by the word that a
   * password is wrong is forgotten for another, so that those who guess keep nobody out. What they got wrong over all
   * stays counted.
   */
  private remembersMore(): boolean {
    if (this.guests.size < MOST_GUESTS) return true;
    for (const { key, serial, waiting, refused } of this.guests.values())
      if (serial === 0 && !waiting && (!refused || refused === 'password')) return this.guests.delete(key);
    return false;
  }

  private known(key: string, serial: number): Guest {
    const guest = this.guests.get(key) ?? stranger(key);
    this.guests.set(key, guest);
    // It may have asked, too, and have no answer yet, or another token by that.
    if (guest.serial === 0) guest.serial = serial;
    else if (!tokensOf(guest).includes(serial)) guest.earlier = [...(guest.earlier ?? []), serial];
    this.serials.add(serial);
    return guest;
  }

  private get isFull(): boolean {
    return this.rule.most > 0 && this.inside >= this.rule.most;
  }

  private get waiting(): number {
    return [...this.guests.values()].filter((guest) => guest.waiting).length;
  }

  private clear(): string[] {
    if (!this.isFull) return [];
    const all = [...this.guests.values()].filter((one) => one.serial !== 0 && !one.took && !one.out && !one.refused);
    for (const guest of all) guest.out = true;
    return all.map(({ key }) => key);
  }

  private knows(password: string, guest: Guest): boolean {
    if (this.rule.password === '' || password === this.rule.password) return true;
    if (password === '') return false; // it did not know that one is asked for
    this.wrong += 1;
    guest.wrong += 1;
    if (guest.wrong >= WRONG_OF_ONE) guest.refused = 'password';
    return false;
  }

  private admit(guest: Guest): Verdict {
    // Who has a serial keeps it, be it back or come by a token of an earlier time: else nobody would know of that one.
    if (guest.serial === 0) while (guest.serial === 0 || this.serials.has(guest.serial)) guest.serial = this.draw();
    this.serials.add(guest.serial);
    guest.out = false;
    guest.waiting = false;
    return { kind: 'token', serial: guest.serial };
  }
}

function stranger(key: string): Guest {
  return { key, name: '', serial: 0, took: false, out: false, wrong: 0, refused: undefined, waiting: false };
}
