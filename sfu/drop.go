package sfu

// DropReason says why a packet that came in did not go out. Every such packet is
// counted under exactly one reason.
type DropReason uint8

// The reasons. The first group counts datagrams on the socket, the second packets of
// publishers, the third packets of one viewer's track.
const (
	// DropUnknownKind: the first bytes are none of RFC 7983.
	DropUnknownKind DropReason = iota
	// DropUnknownUfrag: a connectivity check for a session that is not there.
	DropUnknownUfrag
	// DropUnknownAddress: from an address that passed no connectivity check.
	DropUnknownAddress
	// DropInboxFull: the worker that owns the viewer is behind; the viewer repeats what matters.
	DropInboxFull
	// DropViewerShare: one viewer's datagrams wait in greater number than any viewer needs.
	DropViewerShare
	// DropMuxFull: pion's side of the socket is behind.
	DropMuxFull
	// DropBindingLimit: a plain STUN Binding request above the rate limits.
	DropBindingLimit
	// DropUnknownSource: a publisher's RTP or RTCP of an SSRC that neither its offer nor a rid
	// accounts for.
	DropUnknownSource
	// DropEarlyRepeat: a publisher's repeat of a source of which nothing has come yet.
	DropEarlyRepeat
	// DropNotAuthentic: a publisher's SRTP or SRTCP that cannot be opened: forged, broken, replayed.
	DropNotAuthentic
	// DropBadPacket: a publisher's packet that is no RTP.
	DropBadPacket
	// DropNotNegotiated: a publisher's payload type that the answer does not hold.
	DropNotNegotiated
	// DropDuplicate: a publisher's packet that was there already, or too old for the history.
	DropDuplicate
	// DropPadding: a packet without payload (a probe).
	DropPadding
	// DropNoFormat: the viewer offered no format for the publisher's codec.
	DropNoFormat
	// DropWaitKeyFrame: the viewer's picture cannot start, or go on, before a key frame.
	DropWaitKeyFrame
	// DropLapped: the viewer's worker fell behind the history.
	DropLapped
	// DropOldSource: of a source that the viewer has been switched away from, or left out before.
	DropOldSource
	// DropLayer: of a layer that the viewer does not get, by its line or its wish.
	DropLayer
	// DropSeal: the viewer's leg refused to encrypt it.
	DropSeal
	// DropSend: the socket refused the datagram.
	DropSend

	dropReasons = int(DropSend) + 1
)

var dropNames = [dropReasons]string{
	DropUnknownKind:    "unknown_kind",
	DropUnknownUfrag:   "unknown_ufrag",
	DropUnknownAddress: "unknown_address",
	DropInboxFull:      "inbox_full",
	DropViewerShare:    "viewer_share",
	DropMuxFull:        "mux_full",
	DropBindingLimit:   "binding_limit",
	DropUnknownSource:  "unknown_source",
	DropEarlyRepeat:    "early_repeat",
	DropNotAuthentic:   "not_authentic",
	DropBadPacket:      "bad_packet",
	DropNotNegotiated:  "not_negotiated",
	DropDuplicate:      "duplicate",
	DropPadding:        "padding",
	DropNoFormat:       "no_format",
	DropWaitKeyFrame:   "wait_key_frame",
	DropLapped:         "lapped",
	DropOldSource:      "old_source",
	DropLayer:          "layer",
	DropSeal:           "seal",
	DropSend:           "send",
}

// String returns the reason's name as metrics and logs show it.
func (r DropReason) String() string {
	if int(r) < dropReasons {
		return dropNames[r]
	}
	return "unknown"
}

// DropReasons returns every reason, in order.
func DropReasons() []DropReason {
	all := make([]DropReason, dropReasons)
	for i := range all {
		all[i] = DropReason(i)
	}
	return all
}
