// The picture in several qualities at once (simulcast, RFC 8853), and layers inside each. What
// browsers make of it differs; where one cannot, it sends one quality.

/** One of the qualities that the picture is sent in. */
export interface VideoQuality {
  rid: string;
  active: boolean;
  scaleResolutionDownBy: number;
  maxBitrate: number; // bit/s
  maxFramerate?: number;
}

/** Temporal layers, so that a viewer can be spared every other picture before the size changes. */
const LAYERS = 'L1T3';

/** What TypeScript's own declarations leave out (W3C webrtc-svc). */
interface Encoding extends RTCRtpEncodingParameters {
  scalabilityMode?: string;
}

/** Adds the video m-line, in several qualities where that is wanted and the browser takes it. */
export function addVideo(
  connection: RTCPeerConnection,
  init: RTCRtpTransceiverInit,
  qualities: readonly VideoQuality[],
): RTCRtpTransceiver {
  if (qualities.length > 1) {
    const plain = qualities.map((q): Encoding => ({ ...q }));
    const layered = plain.map((q): Encoding => ({ ...q, scalabilityMode: LAYERS }));
    for (const sendEncodings of [layered, plain]) {
      try {
        return connection.addTransceiver('video', { ...init, sendEncodings });
      } catch {
        // A browser that does not know layers, or not this many encodings.
      }
    }
  }
  return connection.addTransceiver('video', init);
}

/**
 * Whether this browser can send the format in several qualities. VP8 and H.264 always; with VP9 and
 * AV1 rids are encodings only where a browser knows scalability modes, else layers of one.
 */
export function sendsSeveral(mime: string): boolean {
  if (typeof RTCPeerConnection !== 'function') return false;
  if (!/^video\/(vp9|av1)$/i.test(mime)) return true;
  const probe = new RTCPeerConnection();
  try {
    const asked: Encoding = { scalabilityMode: LAYERS };
    const { sender } = probe.addTransceiver('video', { sendEncodings: [asked] });
    const [got]: Encoding[] = sender.getParameters().encodings;
    return got?.scalabilityMode === LAYERS;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
