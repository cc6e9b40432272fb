// Stands for the browser's peer connections where tests are of what a page does with them: they are made, are
// spoken to and are closed, and nothing comes by them.

import { vi } from 'vitest';

export interface FakeConnection extends EventTarget {
  /** As RTCPeerConnection has them. */
  connectionState: string;
  iceConnectionState: string;
}

/** Puts them in the browser's place until vi.unstubAllGlobals(), and gives those that were made. */
export function stubConnections(): FakeConnection[] {
  const made: FakeConnection[] = [];
  const transceiver = (): object => ({
    receiver: { track: {} },
    sender: {
      replaceTrack: async () => undefined,
      getParameters: () => ({ encodings: [] }),
    },
  });
  class Fake extends EventTarget {
    connectionState = 'new';
    iceConnectionState = 'new';
    remoteDescription = null;
    constructor() {
      super();
      made.push(this);
    }
    createDataChannel = (): EventTarget => new EventTarget();
    addTransceiver = transceiver;
    createOffer = async (): Promise<object> => ({ sdp: 'v=0\r\n' });
    createAnswer = this.createOffer;
    setLocalDescription = async (): Promise<void> => undefined;
    setRemoteDescription = async (): Promise<void> => undefined;
    getReceivers = (): object[] => [];
    getSenders = (): object[] => [];
    close(): void {
      this.connectionState = 'closed';
    }
  }
  vi.stubGlobal('RTCPeerConnection', Fake);
  vi.stubGlobal('RTCRtpSender', { getCapabilities: () => null });
  vi.stubGlobal('MediaStream', class {});
  return made;
}
