import { describe, expect, it } from 'vitest';
import { AnswerRefused, failureOf } from './failure';
import { HttpProblem } from './http';

const named = (name: string): Error => Object.assign(new Error('x'), { name });

describe('why a path did not open', () => {
  it.each([
    [new HttpProblem(0, 'x'), 'away'],
    [new HttpProblem(401, 'x'), 'key'],
    [new HttpProblem(403, 'x'), 'key'],
    [new HttpProblem(404, 'x'), 'busy'],
    [new HttpProblem(409, 'x'), 'busy'],
    [new HttpProblem(429, 'x'), 'busy'],
    [new HttpProblem(503, 'x'), 'busy'],
    [new HttpProblem(501, 'x'), 'never'],
    [new HttpProblem(400, 'x'), 'never'],
    [new HttpProblem(406, 'x'), 'never'],
    [new HttpProblem(415, 'x'), 'never'],
    [new AnswerRefused('x'), 'never'],
    [named('NotSupportedError'), 'never'],
    [new TypeError('x'), 'never'],
    [named('OperationError'), 'browser'],
    [named('InvalidStateError'), 'browser'],
    [named('UnknownError'), 'browser'],
    [named('InvalidModificationError'), 'browser'],
    ['no error at all', 'browser'],
  ])('%s: %s', (cause, kind) => expect(failureOf(cause).kind).toBe(kind));

  it('keeps the words and the pause of the server', () => {
    expect(failureOf(new HttpProblem(429, 'Too fast.', 7))).toEqual({ kind: 'busy', retryAfter: 7, text: 'Too fast.' });
  });

  it('has words for everything else', () => {
    for (const cause of [new AnswerRefused('x'), named('OperationError'), new TypeError('x'), undefined]) {
      expect(failureOf(cause).text).toMatch(/[a-z]{4}.*\.$/);
    }
  });
});
