import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ServerMessage, Welcome } from '../signal/msg.gen';
import { type FakeSocket, stubSockets } from '../signal/socket.fixture';
import { KeyNeeded, Room } from './room';

let sockets: FakeSocket[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  sockets = stubSockets();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const welcome = { type: 'welcome', room: { kind: 'stream', name: 'film' }, instance: 'a', resume: 'b' } as Welcome;

/** What was lost, in words, and what came of the opening, before a server that says this. */
function open(...messages: ServerMessage[]): { lost: string[]; opened: Promise<Room>; socket: FakeSocket } {
  const lost: string[] = [];
  const opened = Room.open('key', {
    lost: (words) => lost.push(words),
    told: () => undefined,
    heard: () => undefined,
  });
  const socket = sockets[0];
  if (!socket) throw new Error('it did not connect');
  socket.opens();
  for (const message of messages) socket.says(message);
  return { lost, opened, socket };
}

const CLOSED = 'The person who shares this has closed it.';
const REMOVED = 'The person who shares this stream has removed you from it.';

it.each<[string, ServerMessage, string]>([
  ['closes the stream', { type: 'goodbye', code: 'closed', text: '' }, CLOSED],
  ['says why in words of its own', { type: 'goodbye', code: 'closed', text: 'It is closed.' }, 'It is closed.'],
  ['removes the page', { type: 'error', code: 'removed', text: '' }, REMOVED],
  ['no longer takes the key', { type: 'goodbye', code: 'unauthorised', text: '' }, 'The key is missing or wrong.'],
  ['has another publisher', { type: 'replaced' }, 'Another page or program publishes under this link now.'],
])('tells when the server %s while it is open', async (_, message, words) => {
  const { lost, opened, socket } = open(welcome);
  await vi.advanceTimersByTimeAsync(2_000);
  const room = await opened;
  expect(lost).toEqual([]);
  socket.says(message);
  expect(lost).toEqual([words]);
  room.close();
});

it('tells when the connection is lost while it is open', async () => {
  const { lost, opened, socket } = open(welcome);
  await vi.advanceTimersByTimeAsync(2_000);
  const room = await opened;
  socket.dispatchEvent(new Event('close'));
  expect(lost).toEqual(['The connection to the server was lost.']);
  room.close();
});

it('does not open without a good key, or where the server says no', async () => {
  await expect(open({ type: 'error', code: 'unauthorised', text: '' }).opened).rejects.toThrow(KeyNeeded);
  sockets.length = 0;
  await expect(open({ type: 'error', code: 'forbidden', text: '' }).opened).rejects.toThrow(
    'This is not allowed here.',
  );
});
