// Package swarmsim runs a swarm in virtual time: the schedulers of mesh/schedule, as real peers
// run them, over uplinks and downlinks that are modelled.
//
// It owns the lines, who knows whom, who comes, goes and sends bad leaves, and the fluid bound to
// compare with. It decides nothing that a peer decides. Equal configurations, seed included, give
// equal results.
package swarmsim

import (
	"errors"
	"fmt"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// Policy is how the swarm works together.
type Policy uint8

// The policies. All but the first are there to compare with.
const (
	UniqueFirst Policy = iota // the scheduler as it is used
	RarestFirst               // the same, but the uploader shows everything to everybody at once
	Sequential                // the same, and all ask for the pieces from the first to the last
	Copies                    // receivers know the uploader only
)

// Config is one swarm. Rates are in bit/s, sizes in bytes.
type Config struct {
	Receivers int
	Size      int64
	Piece     int64
	Leaf      int64
	// Uplinks are the receivers' upload rates, in turn.
	Uplinks    []float64
	UploaderUp float64
	// Down is each receiver's download rate; 0: no limit.
	Down float64
	// Delay is the way of a message from one peer to another. Three of them lie between the last
	// byte of a piece and the first byte passed on: the way here, HAVE, and WANT.
	Delay time.Duration
	// Neighbours is how many others each peer knows when there are more than FullMesh of them; 0:
	// everybody knows everybody.
	Neighbours int
	Policy     Policy
	// Churn is the share of receivers that come late, in the first half of the bound, and the
	// share of those that leave for good before its end.
	Churn float64
	// Accept is within which time receivers take what is shared, each in a moment of its own. Before it they
	// know the others and ask for nothing.
	Accept time.Duration
	// Bad receivers send nothing but bad leaves; who gets one drops the sender for good.
	Bad int
	// LeaveAt makes the uploader leave when it has sent so many copies; 0: it stays.
	LeaveAt float64
	Seed    uint64
}

// FullMesh is up to how many peers know each other all (docs/MESH.md, section 7).
const FullMesh = 9

// maxMembers is the size of a room, docs/MESH.md, section 8.
const maxMembers = schedule.MaxPeers

// Errors of Run.
var (
	ErrReceivers = errors.New("a room has 1 to 63 receivers")
	ErrRate      = errors.New("a rate or a size is not positive")
	ErrNobody    = errors.New("no good receiver stays")
)

func (c *Config) validate() error {
	if c.Receivers < 1 || c.Receivers >= maxMembers {
		return fmt.Errorf("%w, not %d", ErrReceivers, c.Receivers)
	}
	if c.Size <= 0 || c.Piece <= 0 || c.Leaf <= 0 || c.UploaderUp <= 0 || len(c.Uplinks) == 0 || c.Down < 0 || c.Delay < 0 || c.Accept < 0 {
		return ErrRate
	}
	for _, up := range c.Uplinks {
		if up <= 0 {
			return ErrRate
		}
	}
	if c.leavers()+c.Bad >= c.Receivers {
		return ErrNobody
	}
	return nil
}

func (c *Config) leavers() int { return int(c.Churn * float64(c.Receivers)) }

// uplink is the upload rate of a receiver.
func (c *Config) uplink(receiver int) float64 { return c.Uplinks[receiver%len(c.Uplinks)] }

// Bound is the least time in which all can have everything, were it a fluid:
// max(F/u_s, F/d_min, N·F/(u_s + Σu)) (Kumar and Ross, 2006).
func (c *Config) Bound() time.Duration {
	bits, sum := 8*float64(c.Size), c.UploaderUp
	for i := range c.Receivers {
		sum += c.uplink(i)
	}
	seconds := max(bits/c.UploaderUp, float64(c.Receivers)*bits/sum)
	if c.Down > 0 {
		seconds = max(seconds, bits/c.Down)
	}
	return time.Duration(seconds * float64(time.Second))
}

// Result is what became of a swarm.
type Result struct {
	Bound time.Duration
	// Last is when the last receiver that was to finish had everything; of the end when not all have.
	Last time.Duration
	// Finished of Expected receivers have everything: not those that are bad or left.
	Finished, Expected int
	// Copies is what the uploader sent, in copies of everything; Extra is what all receivers got
	// and did not need, as a share of what they need.
	Copies, Extra float64
	// Repeats is how many leaves the uploader sent twice before each had gone out once.
	Repeats int
	// BadLeaves is the most that one receiver accepted from one bad peer.
	BadLeaves int
}

// Efficiency is the bound over the time that it took; 0 when not all finished.
func (r Result) Efficiency() float64 {
	if r.Finished < r.Expected {
		return 0
	}
	return r.Bound.Seconds() / r.Last.Seconds()
}
