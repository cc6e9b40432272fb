import { describe, expect, it } from 'vitest';
import { Door, type Rule } from './door';

const OPEN: Rule = { approve: false, password: '', most: 0 };
const END = 1_000_000;

function door(rule: Partial<Rule> = {}): Door {
  let serial = 40;
  return new Door({ ...OPEN, ...rule }, END, () => ++serial);
}

const token = (serial: number) => ({ kind: 'token', serial }) as const;
const refused = (reason: string) => ({ kind: 'refused', reason });

describe('the door', () => {
  it('lets in whoever has the link, and answers who comes again as before', () => {
    const d = door();
    expect(d.ask('a', 'Anna', '', 0)).toEqual(token(41));
    expect(d.ask('b', '', '', 0)).toEqual(token(42));
    expect(d.ask('a', 'Anna', '', 0)).toEqual(token(41));
  });

  it('is closed when the time is over, also to those who were in', () => {
    const d = door();
    d.ask('a', '', '', 0);
    expect(d.ask('a', '', '', END)).toEqual(refused('expired'));
  });

  it('counts who receives, and not who looks', () => {
    const d = door({ most: 1 });
    expect(d.ask('preview', '', '', 0)).toEqual(token(41));
    expect(d.ask('a', '', '', 0)).toEqual(token(42));
    expect(d.takes('a', 42)).toEqual(['preview']); // what only looks must not go on behind the limit
    expect(d.takes('a', 42)).toEqual([]);
    expect(d.ask('b', '', '', 0)).toEqual(refused('full'));
    expect(d.ask('preview', '', '', 0)).toEqual(refused('full'));
    expect(d.ask('a', '', '', 0)).toEqual(token(42));
  });

  it('turns away who begins when the places are taken', () => {
    const d = door({ most: 1 });
    d.ask('a', '', '', 0);
    d.takes('a', 41);
    expect(d.takes('known by its token alone', 77)).toEqual(['known by its token alone']);
  });

  it('gives no place for a token of an earlier time', () => {
    const d = door({ most: 1 });
    expect(d.returned('early', 9)).toEqual([]);
    d.ask('a', '', '', 0);
    expect(d.takes('a', 41)).toEqual(['early']);
    expect(d.returned('late', 7)).toEqual(['late']);
    expect(d.takes('late', 7)).toEqual(['late']); // what it said was under way
    expect(d.returned('late', 7)).toEqual(['late']);
    expect(d.ask('late', '', '', 0)).toEqual(refused('full'));
    d.free('a');
    expect(d.ask('late', '', '', 0)).toEqual(token(7));
    d.set({ ...OPEN, password: 'right' });
    d.ask('guesses', '', 'wrong', 0);
    d.returned('guesses', 5);
    expect(d.remove('guesses')).toBe(5);
  });

  it('lets one who comes by a token of an earlier time keep that, and takes all back from who is denied', () => {
    const d = door({ approve: true, most: 2 });
    for (const [key, serial] of [
      ['a', 7],
      ['b', 8],
    ] as const) {
      d.ask(key, '', '', 0);
      expect(d.returned(key, serial)).toEqual([]);
      d.takes(key, serial);
    }
    d.set({ ...OPEN, approve: true, most: 3 });
    expect(d.decide('a', true)).toEqual(token(7));
    d.decide('b', false);
    expect(d.returned('b', 9)).toEqual(['b']);
    expect(d.takes('b', 9)).toEqual(['b']);
    expect(d.guests.get('b')).toMatchObject({ took: false, serial: 8, earlier: [9] });
    d.set({ ...OPEN, most: 2 });
    expect(d.ask('c', '', '', 0)).toEqual(token(41)); // the place of b is free
  });

  it('gives the place of one who left with nothing, or was removed, to the next', () => {
    const d = door({ most: 1 });
    for (const key of ['a', 'b']) d.ask(key, '', '', 0);
    expect(d.takes('a', 41)).toEqual(['b']);
    d.free('a');
    d.free('a');
    expect(d.ask('b', '', '', 0)).toEqual(token(42)); // the same again, so that it can leave the list
    expect(d.takes('b', 42)).toEqual(['a']);
    d.remove('b');
    expect(d.ask('c', '', '', 0)).toEqual(token(43));
  });

  it('lets a smaller number hold for who only looks', () => {
    const d = door();
    for (const key of ['a', 'b']) d.ask(key, '', '', 0);
    d.takes('a', 41);
    expect(d.set({ ...OPEN, most: 2 })).toEqual([]);
    expect(d.set({ ...OPEN, most: 1 })).toEqual(['b']);
  });

  it('asks the person once about one who was put back', () => {
    const d = door({ approve: true, most: 1 });
    for (const key of ['a', 'b']) {
      d.ask(key, '', '', 0);
      d.decide(key, true);
    }
    d.takes('a', 41);
    d.free('a');
    expect(d.ask('b', '', '', 0)).toEqual(token(42));
  });

  it('remembers a thousand, of whom sixty-four wait', () => {
    const d = door({ approve: true });
    for (let i = 0; i < 64; i++) expect(d.ask(`waits ${i}`, '', '', 0)).toEqual({ kind: 'wait' });
    expect(d.ask('one more', '', '', 0)).toEqual(refused('full'));
    expect(d.ask('waits 0', '', '', 0)).toEqual({ kind: 'wait' });
    d.set(OPEN);
    for (let i = 64; i < 1_000; i++) expect(d.ask(`comes ${i}`, '', '', 0).kind).toBe('token');
    expect(d.ask('one more', '', '', 0)).toEqual(refused('full'));
    expect(d.guests.size).toBe(1_000);
    expect(d.ask('comes 64', '', '', 0).kind).toBe('token');
  });

  it('forgets those who guess for those who come, and nobody who waits, is in, was denied or removed', () => {
    const rule = { ...OPEN, password: 'right' };
    const d = door(rule);
    d.ask('in', '', 'right', 0);
    d.remove('removed');
    d.set({ ...rule, approve: true });
    for (const key of ['waits', 'denied']) d.ask(key, '', 'right', 0);
    d.decide('denied', false);
    d.set(rule);
    for (let i = 0; i < 2_000; i++)
      for (let n = 0; n <= i % 5; n++) expect(d.ask(`guesser ${i}`, '', 'wrong', 0)).toEqual(refused('password'));
    expect(d.ask('one more', '', 'right', 0)).toEqual({ kind: 'wait' });
    expect(d.guests.size).toBe(1_000);
    expect(d.ask('in', '', '', 0)).toEqual(token(41));
    expect(d.ask('waits', '', '', 0)).toEqual({ kind: 'wait' });
    expect(d.ask('denied', '', '', 0)).toEqual(refused('denied'));
    expect(d.ask('removed', '', '', 0)).toEqual(refused('removed'));
  });

  it('does not remember who only hears that there is a password', () => {
    const d = door({ password: 'right' });
    for (let i = 0; i < 2_000; i++) expect(d.ask(`${i}`, '', '', 0)).toEqual(refused('password'));
    expect(d.guests.size).toBe(0);
  });

  it('waits for the person, and for each once', () => {
    const d = door({ approve: true });
    expect(d.ask('a', '', '', 0)).toEqual({ kind: 'wait' });
    expect(d.ask('a', '', '', 0)).toEqual({ kind: 'wait' });
    expect(d.decide('a', true)).toEqual(token(41));
    expect(d.decide('a', true)).toBeUndefined();
    d.ask('b', '', '', 0);
    expect(d.decide('b', false)).toEqual(refused('denied'));
    expect(d.ask('b', '', '', 0)).toEqual(refused('denied'));
    expect(d.decide('nobody', true)).toBeUndefined();
  });

  it('refuses whom it has no place for when the person says yes', () => {
    const d = door({ approve: true, most: 1 });
    d.ask('a', '', '', 0);
    d.ask('b', '', '', 0);
    d.decide('a', true);
    d.takes('a', 41);
    expect(d.decide('b', true)).toEqual(refused('full'));
  });

  it('counts wrong passwords of one, but not missing ones', () => {
    const d = door({ password: 'right' });
    for (let i = 0; i < 10; i++) expect(d.ask('a', '', '', 0)).toEqual(refused('password'));
    for (let i = 0; i < 4; i++) d.ask('a', '', 'wrong', 0);
    expect(d.ask('a', '', 'right', 0)).toEqual(token(41));
    for (let i = 0; i < 5; i++) d.ask('b', '', 'wrong', 0);
    expect(d.ask('b', '', 'right', 0)).toEqual(refused('password'));
  });

  it('asks the person about everybody after fifty wrong passwords', () => {
    const d = door({ password: 'right' });
    for (let i = 0; i < 50; i++) d.ask(`guesser ${i}`, '', 'wrong', 0);
    expect(d.ask('a', '', 'right', 0)).toEqual({ kind: 'wait' });
  });

  it('takes back for good', () => {
    const d = door();
    d.ask('a', '', '', 0);
    expect(d.remove('a')).toBe(41);
    expect(d.ask('a', '', '', 0)).toEqual(refused('removed'));
    expect(d.remove('nobody')).toBe(0);
    expect(d.ask('nobody', '', '', 0)).toEqual(refused('removed'));
  });

  it('knows after a reload whom it let in, whom it removed and how often was guessed', () => {
    const before = door({ password: 'right', most: 3 });
    before.ask('a', 'Anna', 'right', 0);
    before.takes('a', 41);
    before.ask('b', 'Ben', 'right', 0);
    before.remove('b');
    for (let i = 0; i < 5; i++) before.ask('c', '', 'wrong', 0);
    const d = new Door({ ...OPEN, password: 'right', most: 2 }, END, () => 50);
    d.restore([...before.guests.values()]);
    expect(d.ask('a', 'Anna', '', 0)).toEqual(token(41));
    expect(d.ask('b', 'Ben', 'right', 0)).toEqual(refused('removed'));
    expect(d.ask('c', '', 'right', 0)).toEqual(refused('password'));
    expect(d.ask('d', '', 'right', 0)).toEqual(token(50));
    d.takes('d', 50);
    expect(d.ask('e', '', 'right', 0)).toEqual(refused('full'));
  });

  it('asks the person again about those who waited at a reload', () => {
    const before = door({ approve: true });
    before.ask('a', 'Anna', '', 0);
    const d = door({ approve: true });
    d.restore([...before.guests.values()]);
    expect(d.decide('a', true)).toBeUndefined();
    expect(d.ask('a', 'Anna', '', 0)).toEqual({ kind: 'wait' });
    expect(d.decide('a', true)).toEqual(token(41));
  });

  it('can be open longer, or end sooner', () => {
    const d = door();
    d.until(5);
    expect(d.ask('a', '', '', 5)).toEqual(refused('expired'));
    d.until(6);
    expect(d.ask('a', '', '', 5)).toEqual(token(41));
  });

  it('gives no serial twice', () => {
    const serials = [7, 7, 7, 8];
    const d = new Door(OPEN, END, () => serials.shift() ?? 0);
    expect(d.ask('a', '', '', 0)).toEqual(token(7));
    expect(d.ask('b', '', '', 0)).toEqual(token(8));
  });
});
