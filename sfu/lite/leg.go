package lite

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Times and limits of a leg. See Config for those that can be changed.
const (
	// DefaultConnectTimeout is how long a leg may take to connect.
	DefaultConnectTimeout = 15 * time.Second
	// DefaultConsentTimeout is how long an address is trusted without an authentic
	// check (RFC 7675 section 5.1).
	DefaultConsentTimeout = 30 * time.Second
	// MaxAddresses is how many addresses of the peer a leg knows at once.
	MaxAddresses = 8
)

// Config describes a leg. Strings are copied, so that they may be parts of an offer.
type Config struct {
	// Local are our ICE credentials, as in our answer. The ufrag must be unique among
	// the legs of one socket.
	Local Credentials
	// Remote are the peer's, from its offer.
	Remote Credentials
	// ConnectTimeout and ConsentTimeout are used in place of the defaults when not 0.
	ConnectTimeout, ConsentTimeout time.Duration
}

// Leg is one viewer's connection. Make it with New; the zero value is of no use. A leg
// belongs to one goroutine.
type Leg struct{}

// New makes a leg for an accepted offer at the time now.
func New(cfg Config, now time.Time) *Leg { return nil }

// Receive takes one datagram from the peer, of any kind. b is not kept and not changed.
// It returns why the datagram was thrown away, or DropNone; nothing in b is fatal.
func (l *Leg) Receive(b []byte, from Path, now time.Time, out *Out) DropReason { return DropNone }

// Reason says what happens at a deadline.
type Reason uint8

// The reasons of deadlines.
const (
	// ReasonConnect: the leg ends because it never connected.
	ReasonConnect Reason = iota + 1
	// ReasonConsent: an address is forgotten because no check came from it; the leg
	// ends with its last address.
	ReasonConsent
)

// Deadline returns when Advance must be called at the latest, and what happens then.
// It is false when there is nothing to wait for. It may change with every call of
// another method.
func (l *Leg) Deadline() (time.Time, Reason, bool) { return time.Time{}, 0, false }

// Advance does what is due at now. Calling it early does no harm.
func (l *Leg) Advance(now time.Time, out *Out) {}

// Finish gives the leg the result of its handshake. Afterwards the leg is connected, or
// waits for another ClientHello, or (wrong fingerprint) is closed.
func (l *Leg) Finish(r Result, now time.Time, out *Out) {}

// Restart begins an ICE restart (RFC 8445 section 9): checks with the new credentials
// are taken from now on. Those of before stay valid until the peer nominates a path
// under the new ones; then EventUfragGone tells the old local ufrag. Media is not
// interrupted.
func (l *Leg) Restart(local, remote Credentials, out *Out) {}

// Close ends the leg on our side: out gets the close_notify when there is one, and
// EventClosed with reason. Closing twice does nothing.
func (l *Leg) Close(reason media.CloseReason, out *Out) {}

// Closed tells whether the leg has ended.
func (l *Leg) Closed() bool { return false }

// Connected tells whether the keys are there and the leg has not ended.
func (l *Leg) Connected() bool { return false }

// Path is where media goes; false before the leg is connected and after it ended.
func (l *Leg) Path() (Path, bool) { return Path{}, false }

// Profile is the SRTP profile of a connected leg, else 0.
func (l *Leg) Profile() Profile { return 0 }

// SealRTP appends the encrypted packet to dst. header is the whole RTP header with CSRCs
// and extension, payload all that follows. To encrypt in place, build the packet in the
// spare capacity of dst and pass it in its two parts; Overhead bytes of room after it
// avoid a new array. header and payload may not overlap the result otherwise.
//
// A nonce is made of the SSRC and the packet's index, so no index may be used twice with
// different content. The leg sees to that itself: it extends the 16-bit sequence number
// as the receiver does (RFC 3711 section 3.3.1, starting at rollover 0 with the first
// packet of an SSRC) and remembers which of the last 1,024 indices of each SSRC it has
// used. Packets may be sent out of order within that window. A second packet with the
// same number, or one before the window, is refused with ErrIndexUsed, identical or not;
// so repeats go by RTX on an SSRC of its own (RFC 4588). At most MaxSources SSRCs.
func (l *Leg) SealRTP(dst, header, payload []byte) ([]byte, error) { return nil, ErrNotConnected }

// SealRTCP appends the encrypted compound packet to dst. The index is the leg's own. In
// place works as with SealRTP.
func (l *Leg) SealRTCP(dst, packet []byte) ([]byte, error) { return nil, ErrNotConnected }
