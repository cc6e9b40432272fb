import { expect, it } from 'vitest';
import { iceServers } from './ice';

const files = { expires: 0, members: 64 };
const turn = [{ url: 'turn:turn.example.org', username: '1700086400:me', credential: 'north' }];

it.each([
  { what: 'nothing', welcome: { files }, servers: [] },
  {
    what: 'the STUN answerer alone',
    welcome: { stun: '192.0.2.7:8080', files },
    servers: [{ urls: 'stun:192.0.2.7:8080' }],
  },
  {
    what: 'both',
    welcome: { stun: '192.0.2.7:8080', files: { ...files, turn } },
    servers: [
      { urls: 'stun:192.0.2.7:8080' },
      { urls: 'turn:turn.example.org', username: '1700086400:me', credential: 'north' },
    ],
  },
  { what: 'a room of no files', welcome: { stun: '192.0.2.7:8080' }, servers: [{ urls: 'stun:192.0.2.7:8080' }] },
])('paths are looked for with $what', ({ welcome, servers }) => {
  expect(iceServers(welcome)).toEqual(servers);
});
