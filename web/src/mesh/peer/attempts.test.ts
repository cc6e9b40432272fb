import { afterEach, expect, it, vi } from 'vitest';
import { newAgreement, pairKeys, random } from '../keys';
import { Attempts } from './attempts';
import type { Config } from './config';
import type { Introduction } from './introduce';
import type { Member } from './members';

/** A connection that makes an offer, and nothing more happens. */
class Offering extends EventTarget {
  connectionState = 'new';
  readonly createOffer = async () => ({ sdp: 'v=0' });
  readonly setLocalDescription = async () => undefined;
  readonly createDataChannel = () => Object.assign(new EventTarget(), { readyState: 'connecting', bufferedAmount: 0 });
  readonly close = () => undefined;
}

afterEach(() => vi.unstubAllGlobals());

it('offers to each endpoint that says it has a key, since only one of them can answer', async () => {
  vi.stubGlobal('RTCPeerConnection', Offering);
  const [mine, theirs, secret] = [await newAgreement(), await newAgreement(), random(16)];
  const member = (endpoint: string): Member => ({
    ...{ endpoint, listed: true, publisher: false, neighbour: true, told: true, next: 0, pause: 0 },
    ...{ dh: theirs.dh, proven: false, card: undefined },
  });
  const offered: string[] = [];
  let work = Promise.resolve();
  const intro = {
    ...{ token: random(256), online: true, ice: [], endpoint: 'me' },
    members: new Map(['hostile', 'victim'].map((endpoint) => [endpoint, member(endpoint)])),
    pair: () => pairKeys(mine, theirs.dh, secret, 'room'),
    later: (next: () => Promise<void>) => {
      work = work.then(next);
    },
    tell: async (_dh: unknown, to: string) => offered.push(to),
  };
  const attempts = new Attempts(
    { identity: { agreement: mine, certificate: {} } } as unknown as Config,
    intro as unknown as Introduction,
    { barred: () => false } as unknown as ConstructorParameters<typeof Attempts>[2],
  );
  attempts.connect(performance.now());
  await vi.waitFor(() => expect(offered).toEqual(['hostile', 'victim']));
  await work;
  attempts.dropTo('hostile', theirs.dh);
  attempts.dropAll();
});
