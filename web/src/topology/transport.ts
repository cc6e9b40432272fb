// Whoever ends a peer connection says so by DTLS (close_notify), which connectionState does not show.

/** Tells when the other side has ended the connection, or it has failed. To be called once both descriptions are there. */
export function whenEnded(connection: RTCPeerConnection, ended: (how: 'closed' | 'failed') => void): void {
  const dtls = [...connection.getReceivers(), ...connection.getSenders()].find((r) => r.transport)?.transport;
  dtls?.addEventListener('statechange', () => {
    if (dtls.state === 'closed' || dtls.state === 'failed') ended(dtls.state);
  });
}
