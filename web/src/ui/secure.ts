// For pages of files that cannot work: they came by http from another computer, or the browser has no WebRTC.

interface Words {
  title: string;
  advice: string;
}

const TERMINAL = 'At a terminal, “fanfare send” and “fanfare get” work in any case.';

const SECURE: Words = {
  title: 'Sending and receiving files needs a secure page.',
  advice: `Browsers allow what it takes on https only, and this page came by http. Whoever runs the server can switch https on with --tls-self; on the computer where Fanfare runs it is enough to write localhost into this page’s address, in the place of its number. ${TERMINAL}`,
};

/** What a peer is known by is its certificate for WebRTC, by the server's relay too. */
const WEBRTC: Words = {
  title: 'Sending and receiving files needs WebRTC.',
  advice: `It is missing or switched off in this browser. A current Firefox, Chrome, Edge or Safari has it. ${TERMINAL}`,
};

/** Why files cannot be sent or received here; undefined: they can. */
export function lacking(): Words | undefined {
  if (!globalThis.isSecureContext) return SECURE;
  return typeof RTCPeerConnection === 'function' ? undefined : WEBRTC;
}
