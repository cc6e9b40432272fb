/** Puts the named formats of pictures first and keeps all others behind them, so that nothing is lost from the offer. */
export function prefer(transceiver: RTCRtpTransceiver, mimes: readonly string[]): void {
  const all = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  if (mimes.length === 0 || all.length === 0) return;
  const rank = (mime: string): number => {
    const at = mimes.findIndex((m) => m.toLowerCase() === mime.toLowerCase());
    return at < 0 ? mimes.length : at;
  };
  transceiver.setCodecPreferences?.([...all].sort((a, b) => rank(a.mimeType) - rank(b.mimeType)));
}
