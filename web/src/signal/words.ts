// What the wire codes mean, in words for people. Pages add what can be done about it.

import type { Code } from './msg.gen';

/** A short sentence for a code of the server; the pages never show the code itself. */
export function wordsFor(code: Code): string {
  switch (code) {
    case 'version':
      return 'This page is older or newer than the server. Reload it.';
    case 'unauthorised':
      return 'The key is missing or wrong.';
    case 'password':
      return 'This stream asks for a password.';
    case 'forbidden':
      return 'This is not allowed here.';
    case 'removed':
      return 'The person who shares this stream has removed you from it.';
    case 'not-found':
      return 'There is no such stream here.';
    case 'rate':
      return 'That was too fast. Please wait a moment.';
    case 'too-large':
      return 'That is too long.';
    case 'full':
      return 'There is no room for more people at the moment.';
    case 'shutdown':
      return 'The server is being restarted.';
    case 'expired':
      return 'The time of this room is over.';
    case 'closed':
      return 'The person who shares this has closed it.';
    case 'bad-message':
    case 'internal':
      return 'Something went wrong on the server.';
  }
}
