// Whether this browser has a decoder for what is sent.

/** The formats that a receiver of this browser offers, as media types; undefined when it does not say. */
export function offeredFormats(): readonly string[] | undefined {
  return RTCRtpReceiver.getCapabilities?.('video')?.codecs.map((c) => c.mimeType);
}

/** codec is the rtpmap name, for example "H264". A browser that says nothing is given the chance. */
export function canPlay(codec: string, mimeTypes: readonly string[] | undefined): boolean {
  return !mimeTypes || mimeTypes.some((m) => m.toLowerCase() === `video/${codec.toLowerCase()}`);
}
