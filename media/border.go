package media

import (
	"errors"
	"strings"
	"time"
)

// The values in this file cross the border between signalling and the data plane,
// which never import each other. SDP is text on this border.

// SessionID names one peer connection; it is the last part of a WHIP or WHEP session URL.
// 128 random bits in base64url.
type SessionID string

// Short is the beginning of the identifier, for logs: the whole is what protects a session's URL.
func (id SessionID) Short() string { return string(id[:min(8, len(id))]) }

// Role is what a session does for its stream.
type Role uint8

// The roles of a session.
const (
	RolePublisher Role = iota + 1
	RoleSubscriber
)

// String returns "publisher" or "subscriber".
func (r Role) String() string {
	if r == RolePublisher {
		return "publisher"
	}
	return "subscriber"
}

// Answer is what an accepted offer gets.
type Answer struct {
	Session SessionID
	// SDP is the whole answer.
	SDP string
	// ETag identifies the ICE session (RFC 9725 section 4.3.1), without quotes.
	// It changes with an ICE restart.
	ETag string
}

// Wish is what a viewer wants of a stream's picture, however good its line is. The zero value
// is the best there is.
type Wish struct {
	// MaxHeight is the height in pixels that is of use: of the video element on the screen, or
	// of the quality that was chosen by hand; 0 for no limit.
	MaxHeight int
	// Hidden is set while nobody looks: sound, and the least of the picture.
	Hidden bool
}

// Quality is one of the qualities that a stream's picture comes in.
type Quality struct {
	// RID names the encoding; "" when the publisher sends one alone.
	RID RID
	// Width and Height in pixels, 0 while unknown.
	Width, Height int
	Bitrate       Bitrate
}

// PublishOptions is what a publisher may want beside what its offer says.
type PublishOptions struct {
	// PlayoutDelay is what players of the stream are asked to wait for a picture; nil: what the server
	// asks for, else what the publisher's packets say, if anything.
	PlayoutDelay *PlayoutDelay
}

// PlayoutDelay bounds the time from the capture of a picture to its being shown: no sooner than
// Least, no later than Most, in steps of 10 ms up to MaxPlayoutDelay.
type PlayoutDelay struct{ Least, Most time.Duration }

// MaxPlayoutDelay is the longest delay that packets can ask for.
const MaxPlayoutDelay = 40950 * time.Millisecond

// ErrPlayoutDelay: that is no delay of playout.
var ErrPlayoutDelay = errors.New("it takes two times such as 0,200ms or 300ms,1s: from none to " +
	MaxPlayoutDelay.String() + ", the shorter one first")

// ParsePlayoutDelay reads two times, "MIN,MAX".
func ParsePlayoutDelay(text string) (d PlayoutDelay, err error) {
	least, most, ok := strings.Cut(text, ",")
	if !ok {
		return d, ErrPlayoutDelay
	}
	var err2 error
	d.Least, err = time.ParseDuration(strings.TrimSpace(least))
	d.Most, err2 = time.ParseDuration(strings.TrimSpace(most))
	if err != nil || err2 != nil || d.Validate() != nil {
		return PlayoutDelay{}, ErrPlayoutDelay
	}
	return d, nil
}

// Validate tells whether packets can ask for the delay.
func (d PlayoutDelay) Validate() error {
	if d.Least < 0 || d.Least > d.Most || d.Most > MaxPlayoutDelay {
		return ErrPlayoutDelay
	}
	return nil
}

// Bound is what keeps a viewer's picture from being better.
type Bound string

// The bounds.
const (
	BoundNone   Bound = ""       // there is no picture
	BoundLine   Bound = "line"   // what the viewer's line carries
	BoundWish   Bound = "wish"   // the viewer wants no more
	BoundSource Bound = "source" // the publisher sends nothing better
)

// Picture is what one viewer can get of a stream's picture, and what it gets.
type Picture struct {
	// Qualities has one element for each size, from the smallest to the largest; it is empty
	// while there is no picture.
	Qualities []Quality
	// Current is what is being sent; nil before the first packet, and for sound alone.
	Current *Quality
	// Estimate is what the viewer's line carries, 0 while nothing is known of it.
	Estimate Bitrate
	Bound    Bound
}

// ViewerLine is what the owner of a stream is told of one viewer.
type ViewerLine struct {
	// Estimate is what the viewer's line carries, 0 while nothing is known of it.
	Estimate Bitrate
	// Height is that of the picture that the viewer is sent; 0: not known, or none.
	Height int
	Bound  Bound
}

// Relaying is what the server does with a stream, in running totals: those of the stream since somebody came to it while nobody
// was in it, those of all streams since the server began.
type Relaying struct {
	// In and Out are RTP packets of the stream: of its publisher, and to its viewers, Repeats among them.
	In, Out, Repeats uint64
	// Dropped are packets of the stream that went nowhere, and what its viewers sent that was thrown away, in order of the
	// reasons' names.
	Dropped []Dropped
	// Datagrams went to viewers of all streams in that many Messages to the system, of one or several (UDP_SEGMENT), and
	// Calls of it.
	Datagrams, Messages, Calls uint64
	// Delays are packets of all streams by the time from their arrival until they were given to the system: element i counts those that
	// took less than 2^(i+1) µs and no less than the one before, the last one all others.
	Delays []uint64
}

// Dropped are packets that went nowhere for one reason.
type Dropped struct {
	Reason  string
	Packets uint64
}

// PatchAnswer is the result of a trickle or restart fragment.
type PatchAnswer struct {
	// Restarted is set when the fragment asked for an ICE restart; then Fragment
	// holds the server's new credentials and candidates (application/trickle-ice-sdpfrag)
	// and ETag the new entity tag. Otherwise both are empty.
	Restarted bool
	Fragment  string
	ETag      string
}

// CloseReason says why a session or a stream ended. It is a log key and, for viewers,
// chooses the words on the page.
type CloseReason string

// The reasons for which sessions end.
const (
	CloseByClient   CloseReason = "client"       // DELETE, or an authentic close_notify
	CloseReplaced   CloseReason = "replaced"     // a newer publisher took the stream over
	CloseRemoved    CloseReason = "removed"      // the owner removed this viewer
	CloseEnded      CloseReason = "ended"        // the owner stopped the stream
	CloseTimeout    CloseReason = "timeout"      // ICE consent or connect deadline ran out
	CloseFailed     CloseReason = "failed"       // DTLS or ICE failed
	CloseShutdown   CloseReason = "shutdown"     // the server stops
	CloseUnfinished CloseReason = "unfinished"   // answered, but never connected
	CloseLinkMoved  CloseReason = "link-changed" // the owner changed the link
)

// Errors of the data plane that signalling maps to wire codes.
var (
	// ErrBadOffer: the text is no SDP offer, or not one that this role can serve. Wrapped with a short stable reason.
	ErrBadOffer = errors.New("the offer cannot be served")
	// ErrNoSuchSession: unknown or already closed.
	ErrNoSuchSession = errors.New("no such session")
	// ErrBusy: too many unfinished sessions; try again later.
	ErrBusy = errors.New("too many sessions are being set up")
	// ErrBadFragment: a PATCH body that is no sdpfrag, or names another session's m-lines.
	ErrBadFragment = errors.New("the fragment cannot be used")
	// ErrNoRestart: this session's ICE cannot be restarted; a new POST takes over instead.
	ErrNoRestart = errors.New("this session cannot restart ICE")
	// ErrClosed: the data plane has been closed.
	ErrClosed = errors.New("the relay is shutting down")
)

// BusyError is ErrBusy with a time.
type BusyError struct {
	After time.Duration // when to try again
}

// Error implements error.
func (e BusyError) Error() string { return ErrBusy.Error() }

// Unwrap returns ErrBusy.
func (e BusyError) Unwrap() error { return ErrBusy }

// EventKind names what happened in the data plane.
type EventKind uint8

// The kinds of event.
const (
	// EventConnected: ICE and DTLS of a session are up. For a publisher: media may flow.
	EventConnected EventKind = iota + 1
	// EventDisconnected: the session is gone, for Reason. Sent once for each session whose offer
	// was accepted, connected or not.
	EventDisconnected
	// EventMedia: the first packet of a publisher's track, or a codec or size change;
	// Track tells which.
	EventMedia
)

// TrackInfo describes a track that is being published.
type TrackInfo struct {
	Kind          Kind
	Codec         Codec
	Width, Height int // of the last key frame, 0 when unknown or audio
}

// Event is one step in a session's life, told by the data plane in order for each session.
type Event struct {
	Kind    EventKind
	Session SessionID
	Stream  string
	Role    Role
	// Reason is set with EventDisconnected.
	Reason CloseReason
	// Track is set with EventMedia.
	Track TrackInfo
	At    time.Time
}
