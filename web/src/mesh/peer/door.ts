// Whom the uploader lets in of those who have the link. A value: its answers follow from what it was
// told (docs/MESH.md, sections 2 and 8); it signs and sends nothing.

import type { Reason } from '../messages';

export interface Rule {
  /** A person decides about each. */
  approve: boolean;
  /** It has to be known; "" for none. */
  password: string;
  /** So many receivers in all; 0 for no limit. */
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
  wrong: number;
  refused: Reason | undefined;
  waiting: boolean;
}

const WRONG_OF_ONE = 5;
const WRONG_OF_ALL = 50;

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

  /** What holds for those who ask from now on. */
  set(rule: Rule): void {
    this.rule = rule;
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
      if (guest.serial === 0) continue;
      this.serials.add(guest.serial);
      this.inside += 1;
    }
  }

  /** Who has asked before is answered as before. */
  ask(key: string, name: string, password: string, now: number): Verdict {
    const known = this.guests.get(key);
    if (now >= this.expires) return { kind: 'refused', reason: 'expired' };
    if (known?.refused) return { kind: 'refused', reason: known.refused };
    if (known && known.serial !== 0) return { kind: 'token', serial: known.serial };
    if (known?.waiting) return { kind: 'wait' };
    if (this.isFull) return { kind: 'refused', reason: 'full' };
    const guest = known ?? stranger(key);
    guest.name = name;
    this.guests.set(key, guest);
    if (!this.knows(password, guest)) return { kind: 'refused', reason: 'password' };
    if (!this.rule.approve && this.wrong < WRONG_OF_ALL) return this.admit(guest);
    guest.waiting = true;
    return { kind: 'wait' };
  }

  /** The word of the person about one who waits; undefined when nobody of that key does. */
  decide(key: string, yes: boolean): Verdict | undefined {
    const guest = this.guests.get(key);
    if (!guest?.waiting) return undefined;
    if (yes && !this.isFull) return this.admit(guest);
    guest.waiting = false;
    guest.refused = yes ? 'full' : 'denied';
    return { kind: 'refused', reason: guest.refused };
  }

  /** Takes back what was given, for good, also to one of whom nothing is known. Returns the serial that is to be revoked, 0 for none. */
  remove(key: string): number {
    const guest = this.guests.get(key) ?? stranger(key);
    this.guests.set(key, guest);
    guest.refused = 'removed';
    guest.waiting = false;
    return guest.serial;
  }

  private get isFull(): boolean {
    return this.rule.most > 0 && this.inside >= this.rule.most;
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
    while (guest.serial === 0 || this.serials.has(guest.serial)) guest.serial = this.draw();
    this.serials.add(guest.serial);
    guest.waiting = false;
    this.inside += 1;
    return { kind: 'token', serial: guest.serial };
  }
}

function stranger(key: string): Guest {
  return { key, name: '', serial: 0, wrong: 0, refused: undefined, waiting: false };
}
