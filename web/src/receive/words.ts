// What the page says about the link, about stalls and about ends. Pure.

import type { LinkFault } from '../mesh/link';
import type { End, PeerStatus, Stall } from '../mesh/peer/config';
import type { Link as Connection } from '../signal/core';
import { wordsFor } from '../signal/words';
import { count } from '../ui/format';

export interface Words {
  title: string;
  advice: string;
}

const ASK = 'Ask for the link again, and open it as it was given, best by copying it.';

export function linkWords(fault: LinkFault): Words {
  switch (fault) {
    case 'cut':
      return { title: 'This link is not whole.', advice: `Some characters at its end are missing. ${ASK}` };
    case 'version':
      return {
        title: 'This link is of a newer Fanfare than this server.',
        advice: 'Whoever runs the server can bring it up to date.',
      };
    default:
      return { title: 'This link has been changed on its way.', advice: `A character of it is wrong. ${ASK}` };
  }
}

/** Somebody answers who is not the one whom the link names. */
export const STRANGER: Words = {
  title: 'This link does not belong to whoever is sharing here.',
  advice: `A character of it may be wrong, or somebody is pretending to be the sender. Nothing was received. ${ASK}`,
};

/** What the server says about the room. */
export function roomWords(connection: Connection): Words {
  if (connection.phase === 'replaced') return endWords({ kind: 'refused', reason: 'removed' });
  const code = connection.phase === 'refused' ? connection.code : 'internal';
  switch (code) {
    case 'not-found':
      return {
        title: 'There is nothing under this link.',
        advice: 'Its time is over, the sender has ended it, or a character of it is wrong. Ask for a new link.',
      };
    case 'password':
      return {
        title: 'This link has been changed on its way.',
        advice: `The server does not let it in: a character of it is wrong. ${ASK}`,
      };
    case 'expired':
      return { title: 'The time of this link is over.', advice: 'Ask for a new one.' };
    case 'closed':
      return { title: 'The sender has ended this link.', advice: 'Ask for a new one if you still need the files.' };
    default:
      return { title: wordsFor(code), advice: 'Try again in a moment.' };
  }
}

export function endWords(end: End): Words {
  switch (end.kind) {
    case 'changed':
      return {
        title: 'A file has changed at the sender.',
        advice: 'What is left could not be had any more as it was shared. Ask the sender to share it again.',
      };
    case 'manifest':
      return {
        title: 'The list of files cannot be used here.',
        advice: 'It holds names or sizes that are not allowed. Nothing was received.',
      };
    case 'storage':
      if (!end.full)
        return { title: 'This browser could not store what came.', advice: 'Reload the page to try again.' };
      return {
        title: 'This browser has no room left.',
        advice: 'Free some space on the disk, then reload this page: it goes on where it was.',
      };
    case 'refused':
      return refusedWords(end.reason);
  }
}

function refusedWords(reason: Extract<End, { kind: 'refused' }>['reason']): Words {
  switch (reason) {
    case 'denied':
      return { title: 'The sender did not let you in.', advice: 'Ask them, if you think it was a mistake.' };
    case 'full':
      return {
        title: 'As many as the sender wanted have come already.',
        advice: 'Ask for a link of your own.',
      };
    case 'password':
      return { title: 'Too many wrong passwords.', advice: 'This browser is not let in any more. Ask the sender.' };
    case 'expired':
      return { title: 'The time of this link is over.', advice: 'Ask for a new one.' };
    case 'removed':
      return { title: 'The sender has removed you.', advice: 'You get nothing more from this link.' };
    case 'closed':
      return { title: 'The sender lets nobody in any more.', advice: 'Ask for a new link.' };
  }
}

/** Why nothing comes. */
export function stallWords(stall: Stall): string {
  switch (stall) {
    case 'no-server':
      return 'The server does not answer, and nobody is connected. Trying again …';
    case 'no-uploader':
      return 'The sender is not here at the moment. This page waits.';
    case 'no-answer':
      return 'The sender has been asked; waiting for the answer.';
    case 'not-linked':
      return 'Finding a way to the others …';
    case 'no-list':
      return 'Connected; the list of files is on its way.';
    case 'no-piece':
      return 'Nobody who is here has what is missing. It goes on when somebody comes who has.';
    case 'paused':
      return 'Paused.';
    case 'quiet':
      return 'Those who have what is missing are not sending at the moment.';
    case 'hidden':
      return 'Those who have what is missing have their page in the background, where their browser slows it down.';
    case 'disk':
      return 'This computer’s disk is still writing what has come.';
    case 'download':
      return 'The browser’s download takes nothing at the moment. It may be paused, or be waiting for your word.';
  }
}

/** Something that lay here from an earlier time is fetched again. saved: paths of files that were saved with it. */
export function spoiltWords(saved: readonly string[]): string {
  const words = 'A part of what this browser had stored is not as it was. It is fetched again.';
  if (saved.length === 0) return words;
  return `${words} Save ${saved.map((path) => `“${path}”`).join(', ')} again then.`;
}

/** From whom it comes: "from 2 of 3 peers, 1 of them relayed". */
export function fromWords(peers: readonly PeerStatus[]): string {
  const giving = peers.filter(({ rate }) => rate > 0);
  if (peers.length === 0) return 'nobody connected';
  const path = relayedWords(giving.length > 0 ? giving : peers);
  if (giving.length === 0) return `${count(peers.length, 'peer', 'peers')} connected${path}`;
  const of = giving.length < peers.length ? `${giving.length} of ` : '';
  return `from ${of}${count(peers.length, 'peer', 'peers')}${path}`;
}

function relayedWords(peers: readonly PeerStatus[]): string {
  const relayed = peers.filter((peer) => peer.relayed).length;
  if (relayed === 0) return '';
  return relayed === peers.length ? ', relayed' : `, ${relayed} of them relayed`;
}

/** What a relayed path means. */
export const RELAYED =
  'There is no direct path to some of the others, so what they give comes through a server, which cannot read it and may be slower. A direct path is tried again every minute.';

/** "Firefox on Linux": what the sender is shown, when a person has given no name. */
export function browserName(agent: string): string {
  const browser = /Edg/u.test(agent)
    ? 'Edge'
    : /Firefox/u.test(agent)
      ? 'Firefox'
      : /Chrome|Chromium/u.test(agent)
        ? 'Chrome'
        : /Safari/u.test(agent)
          ? 'Safari'
          : 'A browser';
  const systems = [
    ['Android', /Android/u],
    ['iPhone', /iPhone/u],
    ['iPad', /iPad/u],
    ['Windows', /Windows/u],
    ['Mac', /Mac OS X/u],
    ['Linux', /Linux/u],
  ] as const;
  const system = systems.find(([, pattern]) => pattern.test(agent))?.[0];
  return system ? `${browser} on ${system}` : browser;
}
