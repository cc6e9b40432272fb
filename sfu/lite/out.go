package lite

import (
	"net/netip"

	"github.com/pion/stun/v3"

	"github.com/fanfare-relay/fanfare/media"
)

// Path is where a datagram came from, or goes to. It has the same shape as udp.Path, and
// being an unnamed type it can be assigned to and from it without a conversion; so this
// package needs nothing of the socket's.
type Path = struct {
	// Remote is the peer's address.
	Remote netip.AddrPort
	// Local is our address that the peer knows; the zero Addr where it is unknown.
	Local netip.Addr
}

// Datagram is bytes with where they go to or came from.
type Datagram struct {
	Data []byte
	Path Path
}

// Out collects what a leg hands back, in order. One Out serves any number of calls and
// legs; the caller resets it when it has used what is inside. All slices in it are valid
// until then (those of Handshake only as long as the datagram given to Receive).
type Out struct {
	// Send is to be sent, in order.
	Send []Datagram
	// RTCP holds decrypted compound packets, in order. Their content is authentic but
	// not parsed.
	RTCP [][]byte
	// Handshake holds DTLS datagrams for the leg's handshake. When there is none in
	// progress, the first one begins it: Handshaker.Begin, then Handshake.Feed. If that
	// fails, the leg must hear of it by Finish.
	Handshake []Datagram
	// Events are in the order in which they happened.
	Events []Event

	arena             []byte
	request, response stun.Message // scratch space of ICE
}

// Reset empties o and keeps its memory.
func (o *Out) Reset() {
	o.Send, o.RTCP, o.Handshake, o.Events = o.Send[:0], o.RTCP[:0], o.Handshake[:0], o.Events[:0]
	o.arena = o.arena[:0]
}

// keep copies b into the arena. Growing leaves earlier slices on the old array, so they
// stay valid.
func (o *Out) keep(b []byte) []byte {
	n := len(o.arena)
	o.arena = append(o.arena, b...)
	return o.arena[n:len(o.arena):len(o.arena)]
}

func (o *Out) send(b []byte, p Path) { o.Send = append(o.Send, Datagram{Data: b, Path: p}) }

func (o *Out) event(e Event) { o.Events = append(o.Events, e) }

// EventKind names what happened to a leg.
type EventKind uint8

// The kinds of event.
const (
	// EventAddress: the address Path passed its first check; datagrams from it belong to
	// this leg.
	EventAddress EventKind = iota + 1
	// EventProbe: an authentic report came from the address Path, which passed no check,
	// and the leg has sent a check of its own there. Until EventAddressGone, datagrams
	// from Path should reach this leg, unless the address belongs to another. When the
	// answer comes, EventAddress follows.
	EventProbe
	// EventAddressGone: the address Path belongs to this leg no longer.
	EventAddressGone
	// EventConnected: the keys are there, media may flow. Path is where it goes.
	EventConnected
	// EventPath: media goes to Path from now on.
	EventPath
	// EventUfragGone: the local ufrag Ufrag of before an ICE restart is accepted no longer.
	EventUfragGone
	// EventSender: the viewer reports under SSRC, seen authentic for the first time. A
	// report with that sender from an address of nobody may be this viewer's, behind a
	// NAT that has changed its port; giving it to the leg makes the media follow at once
	// (EventProbe). All Chromiums report under the same few SSRCs, so only an SSRC
	// that one leg alone has leads to it.
	EventSender
	// EventClosed: the leg has ended, for Close. Nothing follows. All its addresses and
	// ufrags are gone; a handshake that still runs should be cancelled.
	EventClosed
)

// Event is one step in a leg's life.
type Event struct {
	Kind  EventKind
	Path  Path
	Ufrag string
	SSRC  media.SSRC
	Close media.CloseReason
}
