// The stream's name in the link, when the uploader chooses one: which texts can be a name, and
// what the choice leads to. Without one the server makes a name that nobody can guess. Pure.

import type { Link } from '../signal/core';
import { MAX_NAME } from '../signal/msg.gen';
import { wordsFor } from '../signal/words';
import { type Next, type State, to } from './state';

export interface NameState {
  /** '' leaves it to the server. */
  chosen: string;
  /** The server is being asked for this one; '' asks for one that nobody can guess. */
  asking?: string;
  /** Why the last one that was asked for is not to be had. */
  problem?: string;
}

/** What is wrong with a name, in words; undefined: nothing. */
export function nameFault(text: string): string | undefined {
  if (text.length > MAX_NAME) return `That is too long: at most ${MAX_NAME} signs.`;
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return 'Letters from A to Z, digits, - and _ can be in a link, and nothing else.';
  return undefined;
}

/** The link can be another one now: nobody watches yet, and the server is there to ask. */
export function canName(state: State): boolean {
  const { live, room, link, resume, name } = state;
  return !live && room !== undefined && link.phase === 'open' && !resume && name.asking === undefined;
}

/** The person wants that name, or with '' none of their own. */
export function chooseName(state: State, text: string): Next {
  const asking = text.trim();
  const chosen = state.name.chosen;
  if (!canName(state) || nameFault(asking) !== undefined) return to(state);
  if (asking === chosen) return to({ ...state, name: { chosen } });
  return to({ ...state, name: { chosen, asking } }, { kind: 'rename', name: asking });
}

/** Another tab of this browser shows a stream under that name: it must not be cut off by accident. */
export function nameInUse(state: State): Next {
  const { chosen, asking } = state.name;
  if (asking === undefined) return to(state);
  return to({ ...state, name: { chosen, problem: `“${asking}” is open in another tab of this browser.` } });
}

/** The server has let the page in: under the name that was asked for, or under the one before. */
export function named(name: NameState): NameState {
  return name.asking === undefined ? name : { chosen: name.asking };
}

/** The server refuses the name: back to the one before. undefined: that is not what the refusal is about. */
export function nameRefused(state: State, link: Extract<Link, { phase: 'refused' }>): Next | undefined {
  const { chosen, asking } = state.name;
  if (asking === undefined || link.code === 'unauthorised' || link.code === 'version') return undefined;
  const problem = `“${asking}” is not free. ${link.text || wordsFor(link.code)}`;
  const room = { kind: 'stream' as const, name: state.room?.name ?? '' };
  return to({ ...state, name: { chosen, problem } }, { kind: 'identify', change: { room } });
}
