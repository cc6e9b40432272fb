// The exchange in which a short code becomes the secrets of a link (docs/MESH.md section 3), and
// the count that burns a code. Receiver and Uploader are its two sides: a message in, a message out.
// Time is given; nothing here sends or waits. One message at a time: the next after the last's outcome.

import { type Bytes, concat, equal, utf8 } from './bytes';
import { type Code, passwordOf } from './code';
import { NONCE, PAKE } from './envelope';
import { MeshError } from './error';
import { hkdf, random, sealingKey } from './keys';
import { KEY_HASH, SECRET } from './link';
import { checkNames } from './names';
import { PUBLIC } from './sign';
import { type Agreed, finish, randomScalar, type Started, scalarOf, start } from './spake2';

/** How many exchanges of one code may fail, over all receivers, and how long a code is good, in ms. */
export const MAX_FAILURES = 5;
export const CODE_LIFE = 600_000;

// The second byte of a message.
const REFUSE = 0;
const SHARE_A = 1;
const SHARE_B = 2;
const CONFIRM = 3;
const HAND = 4;
const DONE = 5;

const HEAD = 2;
const CONFIRMATION = 32;
const TAG = 16;
const RECEIVER = 'receiver';
const UPLOADER = 'uploader';

/** Where an exchange runs: it works only when both sides were told the same. */
export interface Between {
  room: string;
  /** Endpoints, as the server tells them. */
  receiver: string;
  uploader: string;
}

/** What a code is exchanged for: all that a link has besides its address. */
export interface Handover {
  /** S and K. */
  secret: Bytes;
  key: Bytes;
}

/**
 * Why there is no exchange. wrong: the two had different codes, or somebody stood between them.
 * spent: the code has had its time or its failures. busy: so many exchanges are under way that the
 * next failures would be too many. protocol: a message that is not the next one.
 */
export type Failure = 'wrong' | 'spent' | 'busy' | 'protocol';

const FAILURES: readonly Failure[] = ['wrong', 'spent', 'busy', 'protocol'];

/** What follows from a message. */
export interface Outcome {
  /** What is to be sent, also after a failure. */
  reply?: Bytes;
  /** The secrets, at the receiver; the exchange is over. */
  handover?: Handover;
  /** The secrets are in the reply, at the uploader; the exchange is over. */
  done?: true;
  /** The exchange is over. */
  failure?: Failure;
}

class PakeError extends MeshError {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure);
    this.failure = failure;
  }
}

/** What the two sides have in common: whose turn it is, and the keys once there are some. */
class Side {
  readonly started: Started;
  readonly between: Between;
  private next: number;
  private agreed: Agreed | undefined;

  constructor(started: Started, between: Between, next: number) {
    this.started = started;
    this.between = between;
    this.next = next;
  }

  get over(): boolean {
    return this.next === DONE;
  }

  get aad(): Bytes {
    const { room, receiver, uploader } = this.between;
    return utf8(`fanfare code v1\0${room}\0${receiver}\0${uploader}`);
  }

  /** What follows the head of a message, when it is the next one. Whatever is not ends the exchange. */
  take(m: Bytes, step: number, length: number): Bytes {
    const next = this.next;
    this.next = DONE;
    if (next !== DONE && isRefusal(m)) throw new PakeError(FAILURES[(m[HEAD] as number) - 1] ?? 'protocol');
    const fits = m.length === HEAD + length && m[0] === PAKE && m[1] === step;
    if (!fits || next !== step) throw new PakeError('protocol');
    return m.subarray(HEAD);
  }

  async agree(theirs: Bytes): Promise<Agreed> {
    this.agreed = await finish(this.started, theirs, RECEIVER, UPLOADER, this.aad);
    return this.agreed;
  }

  /** The next message may come. */
  await(step: number): void {
    this.next = step;
  }

  end(): void {
    this.next = DONE;
  }

  get keys(): Agreed {
    if (!this.agreed) throw new PakeError('protocol');
    return this.agreed;
  }

  /** The key of the last message. */
  async handKey(): Promise<CryptoKey> {
    return sealingKey(await hkdf(this.keys.key, utf8(this.between.room), utf8('fanfare code v1 hand-over'), 32));
  }
}

/** w of RFC 9382: the words as a number below the order of the group. */
export async function passwordScalar(code: Code): Promise<bigint> {
  return scalarOf(await hkdf(utf8(passwordOf(code)), utf8(`${code.number}`), utf8('fanfare mesh v1 code'), 40));
}

/** The side that typed the code: A of RFC 9382. */
export class Receiver {
  /** The message that begins the exchange. */
  readonly hello: Bytes;
  private readonly side: Side;

  private constructor(side: Side) {
    this.side = side;
    this.hello = message(SHARE_A, side.started.share);
  }

  /** Throws MeshError when a name is none. secret is random but for tests. */
  static async begin(code: Code, between: Between, secret = randomScalar()): Promise<Receiver> {
    checkNames(between.room, between.receiver, between.uploader);
    return new Receiver(new Side(start('A', await passwordScalar(code), secret), between, SHARE_B));
  }

  /**
   * Takes a message of the uploader. After the failure "wrong" nobody may try the same code again by
   * itself: whoever stood between has had one guess for each try, and the uploader does not see these.
   */
  step(m: Bytes): Promise<Outcome> {
    return settle(m, m[1] === HAND ? this.unseal(m) : this.confirm(m));
  }

  private async confirm(m: Bytes): Promise<Outcome> {
    const body = this.side.take(m, SHARE_B, PUBLIC + CONFIRMATION);
    const agreed = await this.side.agree(body.subarray(0, PUBLIC));
    if (!equal(body.subarray(PUBLIC), agreed.confirmB)) throw new PakeError('wrong');
    this.side.await(HAND);
    return { reply: message(CONFIRM, agreed.confirmA) };
  }

  private async unseal(m: Bytes): Promise<Outcome> {
    const body = this.side.take(m, HAND, NONCE + SECRET + KEY_HASH + TAG);
    const how = { name: 'AES-GCM', iv: body.subarray(0, NONCE), additionalData: this.side.aad };
    const plain = await crypto.subtle.decrypt(how, await this.side.handKey(), body.subarray(NONCE));
    return { handover: { secret: new Uint8Array(plain, 0, SECRET), key: new Uint8Array(plain, SECRET) } };
  }
}

/** The side that shows the code: B of RFC 9382. Guard.begin makes one. */
export class Uploader {
  private readonly side: Side;
  private readonly give: Handover;
  private readonly nonce: Bytes;
  private readonly ended: (confirmed: boolean) => void;
  private counted = false;

  constructor(side: Side, give: Handover, nonce: Bytes, ended: (confirmed: boolean) => void) {
    this.side = side;
    this.give = give;
    this.nonce = nonce;
    this.ended = ended;
  }

  /** Takes a message of the receiver. A failure is one of the code. */
  async step(m: Bytes): Promise<Outcome> {
    if (this.counted) return { failure: 'protocol' };
    const outcome = await settle(m, m[1] === CONFIRM ? this.hand(m) : this.answer(m));
    if (outcome.done) this.count(true);
    if (outcome.failure) this.count(false);
    return outcome;
  }

  /** Ends an exchange whose receiver is gone or silent: a failure of the code, unless it had ended. */
  abandon(): void {
    this.side.end();
    this.count(false);
  }

  private async answer(m: Bytes): Promise<Outcome> {
    const pA = this.side.take(m, SHARE_A, PUBLIC);
    const agreed = await this.side.agree(pA);
    this.side.await(CONFIRM);
    return { reply: message(SHARE_B, this.side.started.share, agreed.confirmB) };
  }

  private async hand(m: Bytes): Promise<Outcome> {
    const confirmA = this.side.take(m, CONFIRM, CONFIRMATION);
    if (!equal(confirmA, this.side.keys.confirmA)) throw new PakeError('wrong');
    const how = { name: 'AES-GCM', iv: this.nonce, additionalData: this.side.aad };
    const plain = concat(this.give.secret, this.give.key);
    const sealed = new Uint8Array(await crypto.subtle.encrypt(how, await this.side.handKey(), plain));
    return { reply: message(HAND, this.nonce, sealed), done: true };
  }

  private count(confirmed: boolean): void {
    if (this.counted) return;
    this.counted = true;
    this.ended(confirmed);
  }
}

/**
 * Lets a code be tried a few times. Whoever tries learns by each exchange whether one guess was
 * right, so a begun exchange counts as a failure until it is confirmed.
 */
export class Guard {
  /** Its number may change, and its words never: guesses at them are counted here. */
  code: Code;
  /** When the code ends by itself, in ms since the epoch. */
  readonly expires: number;
  private failed = 0;
  private open = 0;

  constructor(code: Code, now: number) {
    this.code = code;
    this.expires = now + CODE_LIFE;
  }

  /** The server finds the room by another number from now on. */
  move(number: number): void {
    this.code = { ...this.code, number };
  }

  alive(now: number): boolean {
    return this.failed < MAX_FAILURES && now < this.expires;
  }

  /**
   * Starts an exchange with one receiver; its first message goes to step. A receiver that begins
   * anew gets a new exchange, after abandon of its old one. "spent" or "busy" (refusal tells the
   * receiver) count nothing. Throws MeshError when a name is none. The last two are random but for tests.
   */
  async begin(
    between: Between,
    give: Handover,
    now: number,
    secret = randomScalar(),
    nonce = random(NONCE),
  ): Promise<Uploader | 'spent' | 'busy'> {
    checkNames(between.room, between.receiver, between.uploader);
    if (!this.alive(now)) return 'spent';
    if (this.failed + this.open >= MAX_FAILURES) return 'busy';
    this.open++;
    const side = new Side(start('B', await passwordScalar(this.code), secret), between, SHARE_A);
    return new Uploader(side, give, nonce, (confirmed) => this.ended(confirmed));
  }

  private ended(confirmed: boolean): void {
    this.open--;
    if (!confirmed) this.failed++;
  }
}

/** The message that tells the other side why there is no exchange. Nothing seals it: the server can forge one. */
export function refusal(failure: Failure): Bytes {
  return message(REFUSE, Uint8Array.of(FAILURES.indexOf(failure) + 1));
}

const isRefusal = (m: Bytes): boolean => m.length === HEAD + 1 && m[0] === PAKE && m[1] === REFUSE;

const message = (step: number, ...parts: readonly Bytes[]): Bytes => concat(Uint8Array.of(PAKE, step), ...parts);

/** An error as an outcome: what is not of this exchange, does not open or is no point breaks the protocol. */
async function settle(came: Bytes, work: Promise<Outcome>): Promise<Outcome> {
  try {
    return await work;
  } catch (error) {
    const failure = error instanceof PakeError ? error.failure : 'protocol';
    return isRefusal(came) ? { failure } : { failure, reply: refusal(failure) };
  }
}
