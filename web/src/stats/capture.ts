// When a decoded picture was captured, by the server's clock: from what the browser tells of the
// source of a track (abs-capture-time, W3C webrtc-extensions). Pure.
//
// The extension says the time by the clock of the capture system, and the offset of that clock against
// the sender's. The sender is the server: it fills in the offset (docs/PROTOCOL.md, section 2).

/** What an RTCRtpSynchronizationSource has where the browser knows the extension. */
export interface CaptureSource {
  rtpTimestamp: number;
  /** ms since 1900 by the clock of the capture system. */
  captureTimestamp?: number;
  /** That clock minus the sender's, ms. */
  senderCaptureTimeOffset?: number;
}

const NTP_EPOCH = 2_208_988_800_000; // ms from 1900 to 1970
const RATE = 90; // units of an RTP timestamp of a picture in one ms

/** ms since the epoch by the sender's clock; undefined when the browser does not tell. */
export function capturedAt(source: CaptureSource | undefined, rtpTimestamp: number | undefined): number | undefined {
  const { captureTimestamp, senderCaptureTimeOffset } = source ?? {};
  if (!source || captureTimestamp === undefined || senderCaptureTimeOffset === undefined) return undefined;
  // The source is that of the picture decoded last, which may be a later one than the one that is shown.
  const ahead = rtpTimestamp === undefined ? 0 : ((rtpTimestamp - source.rtpTimestamp) | 0) / RATE;
  return captureTimestamp - NTP_EPOCH - senderCaptureTimeOffset + ahead;
}
