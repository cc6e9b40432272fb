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

  it('counts receivers, also those that have left', () => {
    const d = door({ most: 1 });
    expect(d.ask('a', '', '', 0)).toEqual(token(41));
    expect(d.ask('b', '', '', 0)).toEqual(refused('full'));
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
    before.ask('b', 'Ben', 'right', 0);
    before.remove('b');
    for (let i = 0; i < 5; i++) before.ask('c', '', 'wrong', 0);
    const d = new Door({ ...OPEN, password: 'right', most: 3 }, END, () => 50);
    d.restore([...before.guests.values()]);
    expect(d.ask('a', 'Anna', '', 0)).toEqual(token(41));
    expect(d.ask('b', 'Ben', 'right', 0)).toEqual(refused('removed'));
    expect(d.ask('c', '', 'right', 0)).toEqual(refused('password'));
    expect(d.ask('d', '', 'right', 0)).toEqual(token(50));
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
