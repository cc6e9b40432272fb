import { describe, expect, it } from 'vitest';
import type { ClientMessage } from '../../signal/msg.gen';
import type { Bytes } from '../bytes';
import { MAX_FAILURES, Receiver } from '../pake';
import { Codes } from './codes';
import type { Config, Event } from './config';
import type { Introduction } from './introduce';
import type { Room } from './room';

const link = { server: 'https://x', room: 'room', secret: new Uint8Array(16), key: new Uint8Array(16) };

/** The uploader's side, with what it tells the person and the server. */
function uploader() {
  const [told, said, replies]: [Event[], ClientMessage[], Bytes[]] = [[], [], []];
  const intro = { endpoint: 'uploader', online: true };
  const room = {
    send: (message: ClientMessage) => said.push(message),
    envelope: (_to: string, message: Bytes) => replies.push(message),
  };
  const cfg = { link, tell: (event: Event) => told.push(event) };
  const codes = new Codes(cfg as unknown as Config, room as unknown as Room, intro as unknown as Introduction);
  const given = (number: number): void => codes.given({ type: 'code', number: `${number}`, until: 0, failures: 0 });
  return { codes, given, intro, told, said, replies };
}

const ended = (number: number, reason: 'failures' | 'asked' = 'failures') =>
  ({ type: 'code-ended', number: `${number}`, reason }) as const;
const made = (told: readonly Event[]): number[] =>
  told.flatMap((event) => (event.kind === 'code' ? [Number.parseInt(event.text, 10)] : []));

describe('the uploader of a short code', () => {
  it('makes one for each wish of the person, whatever numbers the server names', () => {
    const { codes, given, told } = uploader();
    given(1);
    expect(made(told)).toEqual([]);
    codes.open();
    for (const number of [2, 2, 3]) given(number);
    expect(made(told)).toEqual([2]);
    codes.ended(ended(2));
    expect(told.at(-1)).toEqual({ kind: 'codeEnded', guessed: true });
    for (const number of [2, 4]) given(number);
    expect(made(told)).toEqual([2]);
    codes.open();
    given(2);
    expect(made(told)).toEqual([2, 2]);
  });

  it('asks again when it is back for what was not answered, and for nothing else', () => {
    const { codes, given, intro, said } = uploader();
    intro.online = false;
    codes.open();
    expect(said).toEqual([]);
    intro.online = true;
    codes.ask();
    codes.ask();
    expect(said).toEqual([{ type: 'open-code' }, { type: 'open-code' }]);
    given(2);
    codes.ask();
    codes.ended(ended(2));
    codes.ask();
    expect(said).toHaveLength(2);
  });

  it('keeps its words when the server gives it the number that was asked for, once for each question', () => {
    const { codes, given, told } = uploader();
    codes.open();
    given(7); // of before a reload
    codes.ended(ended(7, 'asked'));
    given(8);
    const words = told.map((event) => (event.kind === 'code' ? event.text.split('-').slice(1) : []));
    expect(made(told)).toEqual([7, 8]);
    expect(words[0]).toEqual(words[1]);
    codes.ended(ended(8, 'asked'));
    given(9);
    expect(made(told)).toEqual([7, 8]);
    expect(told.at(-1)).toEqual({ kind: 'codeEnded', guessed: false });
  });

  it('gives a server that names new numbers five guesses in all', async () => {
    const { codes, given, said, replies } = uploader();
    codes.open();
    const between = { room: 'room', receiver: 'guesser', uploader: 'uploader' };
    for (let number = 1; number <= 2 * MAX_FAILURES; number++) {
      given(number);
      const guess = await Receiver.begin({ number: 1, words: [0, 0, number] }, between);
      await codes.take('guesser', guess.hello);
      codes.left('guesser');
    }
    // A share of the uploader's is what a guess can be tried against.
    expect(replies.filter((message) => message[1] === 2)).toHaveLength(MAX_FAILURES);
    expect(said.filter(({ type }) => type === 'code-failed')).toHaveLength(MAX_FAILURES);
  });
});
