// Header extensions that a browser knows and offers only when it is asked to. Chromium lets pages
// ask; elsewhere nothing changes.

/** H.264 and AV1 tell the server their layers by it. */
const DEPENDENCY = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension';

/** When a picture or sound was captured: the server puts its own clock to it, viewers can tell the delay. */
const CAPTURE_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

interface HeaderExtension {
  uri: string;
  direction: RTCRtpTransceiverDirection;
}

type Choosable = RTCRtpTransceiver & {
  getHeaderExtensionsToNegotiate?(): HeaderExtension[];
  setHeaderExtensionsToNegotiate?(list: HeaderExtension[]): void;
};

/** Offers what the server has a use for and passes on. Before the offer is made. */
export function offerExtensions(transceiver: Choosable): void {
  const list = transceiver.getHeaderExtensionsToNegotiate?.();
  const wanted = list?.filter((e) => e.uri === DEPENDENCY || e.uri === CAPTURE_TIME) ?? [];
  if (!list || wanted.length === 0) return;
  for (const extension of wanted) extension.direction = 'sendrecv';
  transceiver.setHeaderExtensionsToNegotiate?.(list);
}
