// What a peer is known by in one room: its key pair for agreement and its DTLS certificate. Neither
// private key can be taken out of the browser.

import type { Bytes } from '../bytes';
import { sdpFingerprint } from '../gate';
import { type Agreement, newAgreement } from '../keys';

export interface Identity {
  agreement: Agreement;
  certificate: RTCCertificate;
  /** The hash of the certificate, 32 bytes. */
  fingerprint: Bytes;
}

export async function newIdentity(): Promise<Identity> {
  const agreement = await newAgreement();
  const how: EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' };
  const certificate = await RTCPeerConnection.generateCertificate(how);
  return { agreement, certificate, fingerprint: await fingerprintOf(certificate) };
}

/** Read off an offer, since not every browser tells it of the certificate. */
async function fingerprintOf(certificate: RTCCertificate): Promise<Bytes> {
  const pc = new RTCPeerConnection({ certificates: [certificate] });
  try {
    pc.createDataChannel('control', { negotiated: true, id: 0 });
    return sdpFingerprint((await pc.createOffer()).sdp ?? '');
  } finally {
    pc.close();
  }
}
