import { describe, expect, it } from 'vitest';
import { type Signal, seal, unseal } from './envelope';

const sealed = (text: string): string => Buffer.from(text).toString('base64url');

describe('envelopes between the ends of a way', () => {
  it.each<Signal>([
    { way: 7, offer: 'v=0\r\ns=–\r\n' },
    { way: 7, answer: 'v=0\r\n' },
    { way: 1_764_106_772_735, candidates: [{ candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 }] },
    { way: 7, candidates: [] },
  ])('come out as they went in: %j', (signal) => {
    expect(seal(signal)).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(unseal(seal(signal))).toEqual(signal);
  });

  it.each([
    ['nothing', ''],
    ['no base64url', 'a+b='],
    ['no UTF-8', '_w'],
    ['no JSON', sealed('{')],
    ['no object', sealed('null')],
    ['no way', sealed('{"offer":"v=0"}')],
    ['a way that is no number', sealed('{"way":"7","offer":"v=0"}')],
    ['a broken way', sealed('{"way":1.5,"offer":"v=0"}')],
    ['a way below one', sealed('{"way":0,"offer":"v=0"}')],
    ['nothing of use', sealed('{"way":7,"offer":1}')],
    ['candidates that are none', sealed('{"way":7,"candidates":{}}')],
    ['too many candidates', sealed(`{"way":7,"candidates":[${Array(65).fill('{}').join()}]}`)],
    ['too much', 'A'.repeat(49_153)],
  ])('are nothing when they hold %s', (_, text) => expect(unseal(text)).toBeUndefined());

  it('leave out candidates that are none', () => {
    const text = sealed('{"way":7,"candidates":[1,null,{"candidate":5},{"candidate":"candidate:1","sdpMid":5}]}');
    expect(unseal(text)).toEqual({ way: 7, candidates: [{ candidate: 'candidate:1' }] });
  });
});
