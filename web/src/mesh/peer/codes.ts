// Short codes, at both ends (docs/MESH.md, section 3): the uploader's code with its count of
// failures, and the exchange in which a receiver gets the link for it.

import { SignalClient, signalUrl } from '../../signal/client';
import type { CodeEnded, ServerMessage, ShortCode, Code as WireCode } from '../../signal/msg.gen';
import { fromBase64, toBase64 } from '../base64';
import type { Bytes } from '../bytes';
import { type Code, formatCode, newCode } from '../code';
import { PAKE } from '../envelope';
import { random } from '../keys';
import type { Link } from '../link';
import { type Between, Guard, Receiver, refusal, type Uploader } from '../pake';
import type { Config } from './config';
import type { Introduction } from './introduce';
import type { Room } from './room';

/** How long a receiver may take (ms). */
const WITHIN = 30_000;
const SHARE_A = 1;

interface Exchange {
  step: Uploader;
  until: number;
}

/** The uploader's side. */
export class Codes {
  private readonly cfg: Config;
  private readonly room: Room;
  private readonly intro: Introduction;
  private guard: Guard | undefined;
  /** The person wants a code, and the server has not given a number for it yet. */
  private wanted = false;
  /** How often the server may still give the code another number: once for each question of ours. */
  private moves = 0;
  private moving = false;
  private readonly exchanges = new Map<string, Exchange>();

  constructor(cfg: Config, room: Room, intro: Introduction) {
    this.cfg = cfg;
    this.room = room;
    this.intro = intro;
  }

  /** The person wants a code: asks the server for a number. */
  open(): void {
    this.wanted = true;
    this.ask();
  }

  /** Asks again where the answer to a question of before may be lost: that is no wish for another code. */
  ask(): void {
    if (!this.wanted || !this.intro.online) return;
    this.moves += 1;
    this.room.send({ type: 'open-code' });
  }

  /**
   * The server has a number for us; it says so again after each failure. Each wish of the person makes
   * one code: new words for every number that the server names would be new guesses without end.
   */
  given({ number }: ShortCode): void {
    if (this.guard?.code.number === Number(number)) return;
    if (this.moving && this.guard) this.guard.move(Number(number));
    else if (this.wanted) this.guard = new Guard(newCode(Number(number), random(4)), Date.now());
    else return;
    this.wanted = false;
    this.moving = false;
    this.cfg.tell({ kind: 'code', text: formatCode(this.guard.code), until: this.guard.expires });
  }

  /**
   * A code is of no use any more. At our own asking it only gets another number, with the same words and
   * the same count: after a reload the server first names the number of before, and then reads our question.
   */
  ended({ number, reason }: CodeEnded): void {
    if (this.guard?.code.number !== Number(number)) return;
    if (reason === 'asked' && (this.wanted || this.moves > 0)) {
      this.moving = !this.wanted;
      if (this.moving) this.moves -= 1;
      return;
    }
    this.guard = undefined;
    this.cfg.tell({ kind: 'codeEnded', guessed: reason === 'failures' });
  }

  /** Takes a message of the exchange from somebody in the antechamber. */
  async take(from: string, message: Bytes): Promise<void> {
    let one = this.exchanges.get(from);
    if (!one || message[1] === SHARE_A) {
      if (one) this.failed(from, one);
      one = await this.begin(from);
      if (!one) return;
    }
    const { reply, done, failure } = await one.step.step(message);
    if (reply) this.room.envelope(from, reply);
    if (done || failure) this.exchanges.delete(from);
    if (failure) this.room.send({ type: 'code-failed', endpoint: from });
  }

  /** Somebody who tried the code may be gone. */
  left(endpoint: string): void {
    const one = this.exchanges.get(endpoint);
    if (one) this.failed(endpoint, one);
  }

  expire(now: number): void {
    for (const [from, one] of this.exchanges) if (now > one.until) this.failed(from, one);
  }

  private async begin(from: string): Promise<Exchange | undefined> {
    const { guard } = this;
    if (!guard) return undefined;
    const { room, secret, key } = this.cfg.link;
    const now = Date.now();
    const between = { room, receiver: from, uploader: this.intro.endpoint };
    const step = await guard.begin(between, { secret, key }, now);
    if (typeof step === 'string') {
      this.room.envelope(from, refusal(step));
      return undefined;
    }
    const one = { step, until: now + WITHIN };
    this.exchanges.set(from, one);
    return one;
  }

  private failed(from: string, one: Exchange): void {
    one.step.abandon();
    this.exchanges.delete(from);
    this.room.send({ type: 'code-failed', endpoint: from });
  }
}

/** Why a code gave no link. away: nobody answers. */
export type RedeemFault = 'wrong' | 'spent' | 'busy' | 'protocol' | 'away' | WireCode;

export class RedeemError extends Error {
  readonly fault: RedeemFault;

  constructor(fault: RedeemFault) {
    super(`the code gave no link: ${fault}`);
    this.fault = fault;
  }
}

/**
 * Exchanges a short code for the link that it stands for, once: only the person may try another.
 * Throws RedeemError.
 */
export function redeem(code: Code): Promise<Link> {
  return new Promise((resolve, reject) => {
    const redeemer = new Redeemer(code, (outcome) => {
      clearTimeout(timer);
      if (typeof outcome === 'string') reject(new RedeemError(outcome));
      else resolve(outcome);
    });
    const timer = setTimeout(() => redeemer.end('away'), 2 * WITHIN);
    redeemer.start();
  });
}

class Redeemer {
  private readonly client: SignalClient;
  private readonly code: Code;
  private readonly tell: (outcome: Link | RedeemFault) => void;
  private between: Between | undefined;
  private step: Receiver | undefined;
  private over = false;
  private chain: Promise<void> = Promise.resolve();

  constructor(code: Code, tell: (outcome: Link | RedeemFault) => void) {
    this.code = code;
    this.tell = tell;
    const member = { room: { kind: 'files', name: '' }, role: 'subscriber', code: `${code.number}` } as const;
    this.client = new SignalClient(signalUrl(window.location), member, {
      link: (link) => {
        if (link.phase === 'refused') this.end(link.code);
      },
      message: (message) => {
        this.chain = this.chain.then(() => this.take(message)).catch(() => this.end('protocol'));
      },
    });
  }

  start(): void {
    this.client.start();
  }

  end(outcome: Link | RedeemFault): void {
    if (this.over) return;
    this.over = true;
    this.client.stop();
    this.tell(outcome);
  }

  private async take(message: ServerMessage): Promise<void> {
    if (message.type === 'undelivered') this.end('away');
    if (message.type === 'error') this.end(message.code);
    if (message.type === 'welcome') {
      const { endpoint, room, files } = message;
      if (!files?.owner) return this.end('away');
      this.between = { room: room.name, receiver: endpoint, uploader: files.owner };
      this.step = await Receiver.begin(this.code, this.between);
      this.send(this.step.hello);
    }
    if (message.type === 'deliver' && message.from === this.between?.uploader) {
      await this.answer(fromBase64(message.sealed));
    }
  }

  private async answer(envelope: Bytes): Promise<void> {
    if (!this.step || !this.between || envelope[0] !== PAKE) return;
    const { reply, handover, failure } = await this.step.step(envelope);
    if (reply) this.send(reply);
    if (handover) this.end({ server: window.location.origin, room: this.between.room, ...handover });
    if (failure) this.end(failure);
  }

  private send(message: Bytes): void {
    this.client.send({ type: 'send', to: this.between?.uploader ?? '', sealed: toBase64(message) });
  }
}
