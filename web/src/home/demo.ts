// Whether the demo is live on this server. The one who knows is the room of the stream, so the
// page greets it once and goes away again.

import { SignalClient, signalUrl } from '../signal/client';

export const DEMO = 'demo';

/** Calls back when the demo is live. Says nothing when it is not, or when the server cannot be asked. */
export function whenDemoLive(live: () => void): () => void {
  const client = new SignalClient(
    signalUrl(window.location),
    { room: { kind: 'stream', name: DEMO }, role: 'subscriber' },
    {
      // One try is enough for a button.
      link: (link) => {
        if (link.phase === 'waiting') client.stop();
      },
      message: (message) => {
        if (message.type !== 'welcome') return;
        if (message.stream?.state === 'live' || message.stream?.state === 'paused') live();
        client.stop();
      },
    },
  );
  client.start();
  return () => client.stop();
}
