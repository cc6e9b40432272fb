// Why a path did not open, and whether another try may do better. Pure.

import { HttpProblem } from './http';

/** The browser took the server's answer for no good: the same offer gets the same answer. */
export class AnswerRefused extends Error {
  override readonly name = 'AnswerRefused';
}

export interface Failure {
  /**
   * away: no answer by HTTP; it may pass.
   * busy: the server asked to come back later, or does not know the stream yet.
   * key: the token is no longer good.
   * browser: the browser failed at something that it can do; it may pass.
   * never: trying again is of no use.
   */
  kind: 'away' | 'busy' | 'key' | 'browser' | 'never';
  /** Seconds, when the server asked for a pause. */
  retryAfter?: number | undefined;
  /** For people. */
  text: string;
}

/** HTTP statuses in the 400s that another time may turn out well. */
const PASSING: ReadonlySet<number> = new Set([404, 408, 409, 425, 429]);

/** Errors by which a browser says that it cannot do this at all; others tell of its state at the moment. */
const LACKING: ReadonlySet<string> = new Set(['NotSupportedError', 'SyntaxError', 'TypeError', 'ReferenceError']);

/** What failed before or during the opening of a path. */
export function failureOf(cause: unknown): Failure {
  if (cause instanceof HttpProblem) {
    return { kind: kindOf(cause.status), retryAfter: cause.retryAfter, text: cause.message };
  }
  if (cause instanceof AnswerRefused) {
    return { kind: 'never', text: 'This browser cannot use the server’s answer.' };
  }
  if (cause instanceof Error && LACKING.has(cause.name)) {
    return { kind: 'never', text: 'This browser cannot make such a connection. Another one, or a newer one, can.' };
  }
  return {
    kind: 'browser',
    text: 'This browser makes no connection at the moment. Reload the page, or start it anew.',
  };
}

function kindOf(status: number): Failure['kind'] {
  if (status === 0) return 'away';
  if (status === 401 || status === 403) return 'key';
  // 501: what the server does not do at all.
  return status === 501 || (status >= 400 && status < 500 && !PASSING.has(status)) ? 'never' : 'busy';
}
