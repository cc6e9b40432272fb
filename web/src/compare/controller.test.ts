import { afterEach, expect, it, vi } from 'vitest';
import { type Keeps, keepKey, keptKey } from '../signal/key';
import { type FakeSocket, stubSockets } from '../signal/socket.fixture';
import { CompareController } from './controller';

afterEach(() => vi.unstubAllGlobals());

function storage(): Storage {
  const map = new Map<string, string>();
  return {
    getItem: (name: string) => map.get(name) ?? null,
    setItem: (name: string, value: string) => void map.set(name, value),
    removeItem: (name: string) => void map.delete(name),
  } as Storage;
}

/** The page, opened at this fragment by somebody whose browser keeps the key "good". */
function page(hash: string): { compare: CompareController; kept: Keeps; sockets: FakeSocket[] } {
  const kept = { tab: storage(), device: storage() };
  keepKey('good', true, kept);
  const sockets = stubSockets({
    location: { protocol: 'http:', host: 'host', pathname: '/compare', search: '', hash },
    history: { state: null, replaceState: () => undefined },
    sessionStorage: kept.tab,
    localStorage: kept.device,
  });
  return { compare: new CompareController(), kept, sockets };
}

it.each([
  ['from the link does not cost the good one that is kept', '#key=bad', 'good'],
  ['that is kept is kept no longer', '', undefined],
])('a wrong key %s', async (_, hash, left) => {
  const { compare, kept, sockets } = page(hash);
  compare.start();
  sockets[0]?.opens();
  sockets[0]?.says({ type: 'error', code: 'unauthorised', text: '' });
  await vi.waitFor(() => expect(compare.phase.value).toBe('key'));
  expect(compare.keyWrong.value).toBe(true);
  expect(keptKey(kept)).toBe(left);
});
