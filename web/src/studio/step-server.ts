// What the server and the connection bring. Pure.

import type { Goodbye, ServerMessage, Welcome } from '../signal/msg.gen';
import { wordsFor } from '../signal/words';
import { named, nameRefused } from './name';
import { told } from './relaying';
import { type Event, type Next, nothingOn, type State, to } from './state';

type ServerEvent = Extract<Event, { kind: 'link' | 'restarted' | 'message' | 'path' | 'problem' }>;

export function stepServer(state: State, event: ServerEvent): Next {
  switch (event.kind) {
    case 'link':
      return link(state, event.link);
    case 'restarted':
      return to({ ...state, stale: true });
    case 'message':
      return message(state, event.message);
    case 'path':
      return path(state, event.status);
    case 'problem':
      return to({ ...state, problem: event.text });
  }
}

/** A change of the codec is over when it has succeeded, or when something else is the matter. */
function path(state: State, status: State['path']): Next {
  const recoding = state.recoding && (status === 'reconnecting' || status === 'connecting');
  return to({ ...state, path: status, recoding, everUp: state.everUp || status === 'connected' });
}

function link(state: State, next: State['link']): Next {
  const changed: State = { ...state, link: next };
  if (next.phase === 'replaced') {
    // The newer one goes on; the file here would run to its end unseen.
    return to(
      { ...changed, live: false, everUp: false, stopped: false, owed: false, told: undefined },
      { kind: 'want', want: false },
      ...(state.kind === 'file' ? [{ kind: 'pause' as const }] : []),
    );
  }
  if (next.phase === 'waiting') return to({ ...changed, told: undefined });
  if (next.phase !== 'refused') return to(changed);
  const back = nameRefused(changed, next);
  if (back) return back;
  // The name that this browser kept belongs to another key: begin with a new link.
  if (next.code === 'forbidden' && state.key.phase === 'trying') {
    return to(
      { ...changed, name: { chosen: '' }, owed: false },
      { kind: 'identify', change: { room: { kind: 'stream', name: '' } } },
    );
  }
  const wrong = next.code === 'unauthorised';
  const problem = wrong ? 'This key is wrong, or it is not valid any more.' : wordsFor(next.code);
  return to(
    { ...changed, ...nothingOn, key: { phase: 'missing', problem }, live: false },
    { kind: 'want', want: false },
    { kind: 'unload' },
    ...(wrong ? [{ kind: 'keyWrong' as const }] : []),
  );
}

function message(state: State, heard: ServerMessage): Next {
  switch (heard.type) {
    case 'welcome':
      return welcome(state, heard);
    case 'state':
      return settle({ ...state, stream: heard.state });
    case 'viewers':
      // While nobody watches, the server tells nothing of what it does.
      return to({ ...state, viewers: heard.count, relaying: heard.count > 0 ? state.relaying : {} });
    case 'roster':
      return to({ ...state, roster: heard.peers });
    case 'server-figures':
      return to({ ...state, relaying: told(state.relaying, heard) });
    case 'access':
      return to({ ...state, access: { password: heard.password, embed: heard.embed } });
    case 'moved':
      return moved(state, heard.name);
    case 'notice':
      return to({ ...state, note: { tone: 'info', title: heard.text, advice: '' } });
    case 'error':
      return to({ ...state, note: { tone: 'bad', title: heard.text || wordsFor(heard.code), advice: '' } });
    case 'goodbye':
      return goodbye(state, heard);
    default:
      return to(state);
  }
}

/**
 * A stop that the server has not heard: it is said again to a stream that waits for its publisher.
 * One that runs is left alone: it is someone else's by now, or it will be found waiting soon.
 */
function settle(state: State): Next {
  if (!state.owed) return to(state);
  if (state.stream === 'ended' || state.stream === 'idle') return to({ ...state, owed: false });
  return state.stream === 'away' ? to(state, { kind: 'tell', message: { type: 'stop' } }) : to(state);
}

function welcome(state: State, w: Welcome): Next {
  const room = {
    name: w.room.name,
    publicUrl: w.publicUrl,
    mediaUrl: w.mediaUrl,
    mediaToken: w.mediaToken,
    stun: w.stun,
  };
  const next: State = {
    ...state,
    room,
    name: named(state.name),
    key: { phase: 'good' },
    viewers: w.viewers,
    stream: w.stream?.state ?? 'idle',
    access: w.access ? { password: w.access.password, embed: w.access.embed } : state.access,
    stale: false,
    told: undefined,
  };
  const effects: Next['effects'] = [{ kind: 'keyWorks' }, { kind: 'remember', name: room.name }];
  // A stream that should be live is made anew when its path is gone; a path that holds stays.
  if (state.live)
    effects.push(state.path === 'connected' && !state.stale ? { kind: 'want', want: true } : { kind: 'renew' });
  if (state.resume?.how === 'auto' && state.room === undefined && !state.resume.busy) {
    return to(
      {
        ...next,
        kind: 'camera',
        resume: { ...state.resume, busy: true },
        device: { ...state.device, phase: 'opening' },
      },
      ...effects,
      { kind: 'openDevice', source: 'camera', devices: state.devices },
    );
  }
  const settled = settle(next);
  return to(settled.state, ...effects, ...settled.effects);
}

/** The old link is dead; the connection comes back under the new one, and with it the stream. */
function moved(state: State, name: string): Next {
  const note = {
    tone: 'good' as const,
    title: 'The link is a new one.',
    advice: 'The old one does not work any more.',
  };
  const room = state.room ? { ...state.room, name } : undefined;
  const next: State = { ...state, room, name: { chosen: '' }, viewers: 0, roster: [], relaying: {}, note, stale: true };
  return to({ ...next, told: undefined }, { kind: 'remember', name });
}

function goodbye(state: State, heard: Goodbye): Next {
  return heard.code === 'shutdown'
    ? to({
        ...state,
        note: { tone: 'warn', title: 'The server is being restarted.', advice: 'The stream comes back by itself.' },
      })
    : to(state);
}
