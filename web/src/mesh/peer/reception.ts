// The uploader's side of coming in: those who ask are judged by the door, and hear the answer
// (docs/MESH.md, sections 2 and 4). It knows where each of them is to be reached.

import { type Bytes, hex } from '../bytes';
import { roomHash } from '../keys';
import type { Ask } from '../messages';
import { pointOf } from '../sign';
import { PASS_ON, RECEIVE, signToken } from '../token';
import type { Config } from './config';
import type { Door, Verdict } from './door';
import type { Introduction } from './introduce';

export class Reception {
  private readonly cfg: Config;
  private readonly door: Door;
  private readonly intro: Introduction;
  /** Makes a serial good again that was taken back, if it was. */
  private readonly reinstate: (serial: number) => Promise<void>;
  // By the hexadecimal digits of their keys: these, where they last asked from, their certificates.
  private readonly dhs = new Map<string, Bytes>();
  private readonly endpoints = new Map<string, string>();
  private readonly prints = new Map<string, Bytes>();
  /** Whom the person knows to be in. */
  private readonly told = new Set<string>();

  constructor(cfg: Config, door: Door, intro: Introduction, reinstate: (serial: number) => Promise<void>) {
    this.cfg = cfg;
    this.door = door;
    this.intro = intro;
    this.reinstate = reinstate;
  }

  /** Answers one who wants to come in. */
  async asked(from: string, dh: Bytes, { name, password, fingerprint }: Ask): Promise<void> {
    const key = hex(dh);
    const waited = this.door.guests.get(key)?.waiting === true;
    const verdict = this.door.ask(key, name, password ?? '', Date.now());
    if (!this.door.guests.has(key)) return this.answer(dh, from, verdict); // nobody to be remembered
    if (this.dhs.size >= this.door.guests.size) this.forget();
    this.dhs.set(key, dh.slice());
    this.endpoints.set(key, from);
    this.prints.set(key, fingerprint);
    this.cfg.tell({ kind: 'guests' });
    if (verdict.kind === 'wait' && !waited) this.cfg.tell({ kind: 'asked', key, name });
    await this.answer(dh, from, verdict);
  }

  /** Of those whom the door has forgotten nothing is kept. */
  private forget(): void {
    for (const key of this.dhs.keys())
      if (!this.door.guests.has(key)) for (const one of [this.dhs, this.endpoints, this.prints]) one.delete(key);
  }

  /** Lets in who waits for it, or not. */
  decide(key: string, yes: boolean): void {
    const verdict = this.door.decide(key, yes);
    const { dh, endpoint } = this.whereabouts(key);
    if (!verdict) return;
    this.cfg.tell({ kind: 'guests' });
    if (dh && endpoint) this.intro.later(() => this.answer(dh, endpoint, verdict));
  }

  /** Tells somebody that it was removed, and puts it out of the room. */
  async putOut(key: string): Promise<void> {
    const { dh, endpoint } = this.whereabouts(key);
    if (!dh || !endpoint) return;
    await this.intro.tell(dh, endpoint, { type: 'refused', reason: 'removed' });
    this.intro.send({ type: 'remove', endpoint });
  }

  /** Tells one who only looks that there is no place left. When it is let in again, the person hears of it again. */
  async putBack(key: string): Promise<void> {
    this.told.delete(key);
    const { dh, endpoint } = this.whereabouts(key);
    if (dh && endpoint) await this.intro.tell(dh, endpoint, { type: 'refused', reason: 'full' });
  }

  /** Gives those who were let in tokens for another time. print: what is known elsewhere of one's certificate. */
  renew(print: (key: string) => Bytes | undefined): void {
    for (const { key, serial, refused, out } of this.door.guests.values()) {
      const { dh, endpoint } = this.whereabouts(key);
      const fingerprint = this.prints.get(key) ?? print(key);
      if (serial === 0 || refused || out || !dh || !endpoint || !fingerprint) continue;
      this.prints.set(key, fingerprint);
      this.intro.later(() => this.answer(dh, endpoint, { kind: 'token', serial }));
    }
  }

  /** The key of one who asked or is in the room, and its endpoint. */
  whereabouts(key: string): { dh: Bytes | undefined; endpoint: string | undefined } {
    const here = this.intro.memberWith((dh) => hex(dh) === key);
    const asked = this.endpoints.get(key);
    const endpoint = asked && this.intro.members.has(asked) ? asked : here?.endpoint;
    return { dh: this.dhs.get(key) ?? here?.dh, endpoint };
  }

  private async answer(dh: Bytes, to: string, verdict: Verdict): Promise<void> {
    if (verdict.kind === 'wait') return this.intro.tell(dh, to, { type: 'wait' });
    if (verdict.kind === 'refused') return this.intro.tell(dh, to, { type: 'refused', reason: verdict.reason });
    const { share, link } = this.cfg;
    const key = hex(dh);
    const fingerprint = this.prints.get(key);
    if (!share || !fingerprint) return;
    const { serial } = verdict;
    await this.reinstate(serial);
    const expiry = Math.floor(share.expires / 1000);
    const [room, signer] = [await roomHash(link.room), await pointOf(share.keys.publicKey)];
    const token = await signToken(
      { room, serial, expiry, rights: RECEIVE | PASS_ON, dh, fingerprint, key: signer },
      share.keys.privateKey,
    );
    if (!this.told.has(key)) {
      this.told.add(key);
      this.cfg.tell({ kind: 'admitted', key, name: this.door.guests.get(key)?.name ?? '' });
    }
    await this.intro.tell(dh, to, { type: 'token', token });
  }
}
