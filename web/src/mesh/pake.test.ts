import { beforeEach, describe, expect, it } from 'vitest';
import { type Bytes, hex, utf8 } from './bytes';
import { CodeError, checkText, formatCode, newCode, parseCode, WORDS, wordOf } from './code';
import { MeshError } from './error';
import { golden, unhex } from './golden.fixture';
import { Chance, spoil } from './mutate.fixture';
import {
  type Between,
  CODE_LIFE,
  Guard,
  type Handover,
  MAX_FAILURES,
  type Outcome,
  passwordScalar,
  Receiver,
  refusal,
  type Uploader,
} from './pake';
import { finish, randomScalar, start } from './spake2';

const file = golden<{
  vectors: Record<'a' | 'b' | 'w' | 'x' | 'y' | 'pA' | 'pB' | 'k' | 'ke' | 'ka' | 'cA' | 'cB', string>[];
  codes: {
    good: string[];
    are: string;
    bad: { text: string; word: string; nearest: string }[];
    random: { bytes: string; code: string };
  };
  exchange: Record<
    'code' | 'room' | 'receiver' | 'uploader' | 'w' | 'x' | 'y' | 'nonce' | 'secret' | 'key' | 'ke',
    string
  > & {
    messages: string[];
  };
  check: { numbers: number[]; words: string };
}>('pake.json');

const number = (text: string): bigint => BigInt(`0x${text}`);

describe('the vectors of RFC 9382, appendix B', () => {
  it.each(file.vectors)('A is "$a", B is "$b"', async (v) => {
    const a = start('A', number(v.w), number(v.x));
    const b = start('B', number(v.w), number(v.y));
    expect([hex(a.share), hex(b.share)]).toEqual([v.pA, v.pB]);
    for (const agreed of [
      await finish(a, b.share, v.a, v.b, new Uint8Array()),
      await finish(b, a.share, v.a, v.b, new Uint8Array()),
    ]) {
      expect([agreed.key, agreed.confirmationKey, agreed.confirmA, agreed.confirmB].map(hex)).toEqual([
        v.ke,
        v.ka,
        v.cA,
        v.cB,
      ]);
    }
  });
});

describe('a share', () => {
  const w = 7n;
  const own = start('A', w, randomScalar());

  it('that gives no key is refused: the blinding alone', async () => {
    // Without y·G the uploader's share is w·N, and K would be the point at infinity.
    await expect(finish(own, await blindAlone(w), 'a', 'b', new Uint8Array())).rejects.toThrow(MeshError);
  });

  it.each<[string, Bytes]>([
    ['not on the curve', Uint8Array.from({ length: 65 }, (_, i) => (i === 0 ? 4 : 1))],
    ['compressed', unhex('02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f')],
    ['at infinity', Uint8Array.of(0)],
    ['nothing', new Uint8Array()],
    ['over the field', new Uint8Array(65).fill(0xff)],
  ])('that is %s is refused', async (_, share) => {
    await expect(finish(own, share, 'a', 'b', new Uint8Array())).rejects.toThrow(MeshError);
  });
});

/** w·N. */
async function blindAlone(w: bigint): Promise<Bytes> {
  const { p256 } = await import('@noble/curves/nist.js');
  const n = p256.Point.fromHex('03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49');
  return Uint8Array.from(n.multiply(w).toBytes(false));
}

describe('codes', () => {
  it('have the list of both halves', () => {
    expect(WORDS.length).toBe(1024);
    expect(new Set(WORDS.map((word) => word.slice(0, 4))).size).toBe(1024);
    expect(wordOf(1024 + 3)).toBe(WORDS[3]);
  });

  it('are of the same list as check words', () => {
    expect(checkText(file.check.numbers)).toBe(file.check.words);
  });

  it.each(file.codes.good)('%j is read', (text) => {
    expect(formatCode(parseCode(text))).toBe(file.codes.are);
  });

  it.each(file.codes.bad)('$text is refused', ({ text, word, nearest }) => {
    try {
      parseCode(text);
    } catch (error) {
      expect(error).toBeInstanceOf(CodeError);
      const { word: typed = '', nearest: like = '' } = error as CodeError;
      expect([typed, like]).toEqual([word, nearest]);
      return;
    }
    throw new Error('taken');
  });

  it('are made of random bytes', () => {
    expect(formatCode(newCode(1, unhex(file.codes.random.bytes)))).toBe(file.codes.random.code);
    expect(formatCode(newCode(1, unhex('ffffffff')))).toBe('1-zoom-zoom-zoom');
  });
});

const place: Between = { room: 'room', receiver: 'ann', uploader: 'uma' };
const secrets: Handover = { secret: new Uint8Array(16).fill(1), key: new Uint8Array(16).fill(2) };

it('the golden exchange says the same, message by message', async () => {
  const g = file.exchange;
  const code = parseCode(g.code);
  const between = { room: g.room, receiver: g.receiver, uploader: g.uploader };
  const give = { secret: unhex(g.secret), key: unhex(g.key) };
  expect((await passwordScalar(code)).toString(16).padStart(64, '0')).toBe(g.w);
  const receiver = await Receiver.begin(code, between, number(g.x));
  const uploader = (await new Guard(code, 0).begin(between, give, 0, number(g.y), unhex(g.nonce))) as Uploader;
  const two = await uploader.step(receiver.hello);
  const three = await receiver.step(two.reply as Bytes);
  const four = await uploader.step(three.reply as Bytes);
  expect([receiver.hello, two.reply, three.reply, four.reply].map((m) => hex(m as Bytes))).toEqual(g.messages);
  expect(four.done).toBe(true);
  expect(await receiver.step(four.reply as Bytes)).toEqual({ handover: give });
});

/** Runs an exchange; change may spoil the message of a step, counted from 0. */
async function run(
  receiver: Receiver,
  uploader: Uploader,
  change: (step: number, m: Bytes) => Bytes = (_, m) => m,
): Promise<{ up: Outcome; down: Outcome }> {
  let up: Outcome = {};
  let down: Outcome = { reply: receiver.hello };
  for (let step = 0; step < 6 && down.reply; step += 2) {
    up = await uploader.step(change(step, down.reply));
    if (!up.reply) break;
    down = await receiver.step(change(step + 1, up.reply));
  }
  return { up, down };
}

describe('an exchange', () => {
  const code = parseCode('7-acorn-piano-zebra');
  let guard: Guard;
  beforeEach(() => {
    guard = new Guard(code, 0);
  });
  const begin = async (now = 0): Promise<Uploader> => (await guard.begin(place, secrets, now)) as Uploader;

  it('hands over the secrets, as often as there are receivers', async () => {
    for (let i = 0; i < 2 * MAX_FAILURES; i++) {
      const { up, down } = await run(await Receiver.begin(code, place), await begin());
      expect([up.done, down.handover]).toEqual([true, secrets]);
    }
    expect(guard.alive(0)).toBe(true);
  });

  it('with another code fails on both sides, and five kill the code', async () => {
    const wrong = parseCode('7-acorn-piano-zoom');
    for (let i = 0; i < MAX_FAILURES; i++) {
      const { up, down } = await run(await Receiver.begin(wrong, place), await begin());
      expect([up.failure, down.failure, down.handover]).toEqual(['wrong', 'wrong', undefined]);
    }
    expect(guard.alive(0)).toBe(false);
    expect(await guard.begin(place, secrets, 0)).toBe('spent');
  });

  it('elsewhere fails: another room, endpoint or number', async () => {
    for (const other of [{ room: 'x' }, { receiver: 'x' }, { uploader: 'x' }]) {
      const { down } = await run(await Receiver.begin(code, { ...place, ...other }), await begin());
      expect(down.handover).toBeUndefined();
    }
    const { down } = await run(await Receiver.begin({ ...code, number: 8 }, place), await begin());
    expect(down.handover).toBeUndefined();
    expect(guard.alive(0)).toBe(true);
  });

  it('under way counts as a failure until it is confirmed', async () => {
    const open = await Promise.all(Array.from({ length: MAX_FAILURES }, () => begin()));
    expect(await guard.begin(place, secrets, 0)).toBe('busy');
    open[0]?.abandon();
    open[0]?.abandon();
    expect(await guard.begin(place, secrets, 0)).toBe('busy');
    await run(await Receiver.begin(code, place), open[1] as Uploader);
    expect(await guard.begin(place, secrets, 0)).not.toBe('busy');
  });

  it('ends with the life of the code', async () => {
    expect(await begin(CODE_LIFE - 1)).not.toBe('spent');
    expect(await guard.begin(place, secrets, CODE_LIFE)).toBe('spent');
  });

  it('takes no message twice, and none out of turn', async () => {
    const receiver = await Receiver.begin(code, place);
    const uploader = await begin();
    const { reply } = await uploader.step(receiver.hello);
    expect((await uploader.step(receiver.hello)).failure).toBe('protocol');
    expect((await uploader.step((await receiver.step(reply as Bytes)).reply as Bytes)).failure).toBe('protocol');
    expect((await receiver.step(reply as Bytes)).failure).toBe('protocol');
  });

  it('sent back to whom it came from fails', async () => {
    const receiver = await Receiver.begin(code, place);
    expect((await receiver.step(receiver.hello)).failure).toBe('protocol');
  });

  it('that is refused says why, and is not answered', async () => {
    for (const failure of ['wrong', 'spent', 'busy', 'protocol'] as const) {
      const receiver = await Receiver.begin(code, place);
      expect(await receiver.step(refusal(failure))).toEqual({ failure });
    }
    expect(await (await begin()).step(refusal('wrong'))).toEqual({ failure: 'wrong' });
  });

  it.each([0, 1, 2, 3])('with message %d damaged hands over nothing', async (at) => {
    const chance = new Chance(21 + at);
    for (let round = 0; round < 6; round++) {
      const patient = new Guard(code, 0);
      const uploader = (await patient.begin(place, secrets, 0)) as Uploader;
      const { down } = await run(await Receiver.begin(code, place), uploader, (step, m) => {
        if (step !== at) return m;
        const bad = spoil(m, chance);
        return hex(bad) === hex(m) ? utf8('x') : bad;
      });
      expect(down.handover).toBeUndefined();
      expect(down.failure ?? 'protocol').toMatch(/wrong|protocol|spent|busy/u);
    }
  });

  it('has no room of a wrong name', async () => {
    await expect(Receiver.begin(code, { ...place, room: 'a\0b' })).rejects.toThrow(MeshError);
    await expect(guard.begin({ ...place, receiver: '' }, secrets, 0)).rejects.toThrow(MeshError);
  });
});
