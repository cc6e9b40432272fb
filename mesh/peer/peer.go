// Package peer is one endpoint of a file mesh (docs/MESH.md): it meets others through a room of the
// server, is let in or lets in, and sends and fetches pieces on data channels.
//
// One goroutine owns the swarm's state (swarm.go); those that read and write channels are thin, and so
// is the one that talks to the server (room.go). What is decided is decided elsewhere: what to ask and
// to send by mesh/schedule, what frames mean by mesh/wire, who is who by mesh/seal. What is written has
// been verified before (content.go). It never prints, and never asks a person: Config has functions
// for that.
package peer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

// Config says what a peer is to do. Link, Identity and one of Share and Fetch are needed.
type Config struct {
	Link      seal.Link
	Identity  Identity
	Transport Transport
	UpRate    int // bytes of leaves a second that are sent at most, over all peers; 0 for no limit
	Share     *Share
	Fetch     *Fetch
	Log       *slog.Logger // nil for none
	// Tell hears of what people may want to know. It is called by the swarm's goroutine and must not
	// wait, nor call the Peer. Nil for nobody.
	Tell func(Event)
}

// Share makes the uploader.
type Share struct {
	Key      seal.SigningKey
	Owner    string // what the server knows the uploader by: a publish key, or a secret of its own
	Manifest manifest.Manifest
	Source   *store.Source // its files are those of the manifest
	Rule     Rule
	Removed  []Removed // in earlier runs; they stay outside
	Expires  time.Time
	Code     bool // ask for a short code
}

// Removed is a receiver that was removed.
type Removed struct {
	Key     seal.PublicKey
	Serial  uint32   // of its token; 0 when it had none
	Earlier []uint32 // of other tokens by which it came
}

// Fetch makes a receiver.
type Fetch struct {
	Name     string // what the uploader is shown
	Password string // where one is asked for
	// Accept is told what is shared, and opens the place where it is kept; nil ends the transfer, with
	// nothing fetched, unless there is a text alone, which it then has. It may take its time.
	Accept func(context.Context, Offered) (*store.Sink, error)
	Seed   bool // go on serving when all is here
	Look   bool // Accept only looks: then nothing is taken, not even a text alone
}

// Reasons for a transfer to end without everything.
var (
	ErrDenied   = errors.New("the uploader does not let you in")
	ErrFull     = errors.New("as many receivers as the uploader wants have been let in")
	ErrPassword = errors.New("the password is missing or wrong")
	ErrExpired  = errors.New("the time of this link is over")
	ErrRemoved  = errors.New("the uploader has removed you")
	ErrClosed   = errors.New("the uploader lets nobody in any more")
	ErrChanged  = errors.New("a file has changed at the uploader since it was shared")
	ErrStranger = errors.New("the link is not this uploader's: a character at its end is wrong, or somebody else answers in its place")
	ErrNobody   = errors.New("nobody who has the files is there any more")
	// ErrManyRemoved: one more was removed than others can be told of.
	ErrManyRemoved = errors.New("so many were removed that the other receivers cannot be told of one more")
)

var (
	errNoKey = errors.New("the other side's key is not known")
	errEnded = errors.New("the transfer has ended")
)

// Event is one of the types below.
type Event interface{ event() }

// The events.
type (
	// Opened: the room is open, and the link works.
	Opened struct{}
	// Code is a short code that works from now on, until it has ended.
	Code struct {
		Text  string
		Until time.Time
	}
	// CodeEnded: the short code is of no use any more, by its time or, when Guessed, by failures.
	CodeEnded struct{ Guessed bool }
	// Asked: somebody waits to be let in; Peer.Decide answers. Guessed: since wrong passwords came so often
	// that the right one alone lets nobody in any more.
	Asked struct {
		Key     seal.PublicKey
		Name    string
		Guessed bool
	}
	// Admitted: somebody was let in; at a receiver, itself, without Key and Name.
	Admitted struct {
		Key  seal.PublicKey
		Name string
	}
	// Untold: at the uploader, others cannot be told of all who have no place, or were denied one: they may go on
	// serving those. It is told once.
	Untold struct{}
	// Complete: at the uploader, somebody has all that it wants. It is told once of each.
	Complete struct {
		Key  seal.PublicKey
		Name string
	}
	// Waits: the uploader's person has to decide about us.
	Waits struct{}
	// Wrong: a peer was dropped for good, since it sent what was not shared.
	Wrong struct{ Name string }
	// Lost and Back: the server.
	Lost struct{}
	Back struct{}
	// Full and Room: the disk. Fetching goes on by itself.
	Full struct{ Err error }
	Room struct{}
	// Finished: everything that is wanted is in its place, under these names.
	Finished struct{ Names []string }
	// Unreadable: a file cannot be read, or has changed. It is told once of each.
	Unreadable struct{ Err error }
)

func (Opened) event()     {}
func (Code) event()       {}
func (CodeEnded) event()  {}
func (Asked) event()      {}
func (Admitted) event()   {}
func (Untold) event()     {}
func (Complete) event()   {}
func (Waits) event()      {}
func (Wrong) event()      {}
func (Lost) event()       {}
func (Back) event()       {}
func (Full) event()       {}
func (Room) event()       {}
func (Finished) event()   {}
func (Unreadable) event() {}

// Peer is one endpoint. Make it by New and Run it once.
type Peer struct{ swarm *swarm }

// New makes a peer; nothing happens before Run.
func New(cfg Config) (*Peer, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Tell == nil {
		cfg.Tell = func(Event) {}
	}
	s, err := newSwarm(cfg)
	if err != nil {
		return nil, err
	}
	return &Peer{s}, nil
}

// Run takes part until ctx ends, or, at a receiver that does not seed, until everything is there: then
// it returns nil. Other errors are the ones above, a *RoomError, or those of Accept and of the disk.
func (p *Peer) Run(ctx context.Context) error { return p.swarm.run(ctx) }

// Decide lets in who waits for it, or not.
func (p *Peer) Decide(key seal.PublicKey, yes bool) {
	p.swarm.post(func() { p.swarm.decide(key, yes) })
}

// Remove takes back what somebody was given, for good: nobody who hears of it serves it any more. What it returns is
// for Share.Removed of the next run. It fails for one who never asked, after the end of Run, and with ErrManyRemoved:
// then other receivers may go on serving it. It must not be called by Tell.
func (p *Peer) Remove(key seal.PublicKey) (removed Removed, err error) {
	if !p.swarm.call(func() { removed, err = p.swarm.remove(key) }) {
		err = errEnded
	}
	return removed, err
}

// CheckWords are four words that the person at the other end sees, too, when nobody stands between
// (docs/MESH.md, section 2). Key is that of a receiver; at a receiver the zero key is the uploader's. They take
// some tens of milliseconds, so Tell must not wait for them. None before the other's key is known, and none
// after the end of Run.
func (p *Peer) CheckWords(key seal.PublicKey) string {
	s := p.swarm
	var pair seal.Pair
	err := errNoKey
	s.call(func() {
		if key == (seal.PublicKey{}) {
			key = s.uploader
		}
		pair, err = s.pair(key)
	})
	if err != nil {
		return ""
	}
	numbers, err := pair.Check()
	if err != nil {
		s.cfg.Log.Warn("no check words", "error", err)
		return ""
	}
	return pake.CheckWords(numbers)
}

// Status is how it goes now; the zero Status after the end of Run.
func (p *Peer) Status() Status {
	answer := make(chan Status, 1)
	p.swarm.post(func() { answer <- p.swarm.status() })
	select {
	case s := <-answer:
		return s
	case <-p.swarm.ended:
		return Status{}
	}
}
