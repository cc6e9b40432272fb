package schedule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/internal/script"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// TestScripts plays the scripts in testdata, which the TypeScript half plays too: one command a block,
// and a word for nothing. Times are milliseconds since the beginning and stay until the next "at". Every
// command says which frames are to be sent.
func TestScripts(t *testing.T) {
	script.Run(t, func() func(string) string {
		p := &player{now: epoch}
		return func(command string) string {
			said, err := p.run(command)
			if err != nil {
				return fmt.Sprintln("script error:", err)
			}
			return said + "\n"
		}
	})
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// player holds the values that the steps work on.
type player struct {
	s    *schedule.Scheduler
	line schedule.Uplink
	lag  schedule.Lag
	now  time.Time
}

// run carries out one command.
func (p *player) run(command string) (string, error) {
	name, opts, args, err := script.Numbers(command)
	if err != nil {
		return "", err
	}
	if name == "new" {
		cfg := schedule.DefaultConfig(schedule.Shape{Size: int64(opts["leaves"] * opts["pieces"]), Piece: int64(opts["leaves"]), Leaf: 1})
		cfg.UniqueFirst = opts["uploader"] == 1
		if n := opts["budget"]; n > 0 {
			cfg.Budget = int64(n)
		}
		p.s = schedule.New(cfg, rand.New(rand.NewPCG(uint64(opts["seed"]), 0)))
		return "ok", nil
	}
	if p.s == nil {
		return p.uplink(name, opts, args)
	}
	said, err := p.fact(name, opts, args)
	if err != nil {
		return "", err
	}
	for _, a := range p.s.AppendNext(nil, p.now) {
		said = append(said, frame(a))
	}
	if at, ok := p.s.Deadline(); ok {
		said = append(said, fmt.Sprintf("deadline %d", at.Sub(epoch).Milliseconds()))
	}
	if len(said) == 0 {
		return "nothing", nil
	}
	return strings.Join(said, "\n"), nil
}

// fact tells the scheduler what has happened.
func (p *player) fact(name string, opts map[string]int, a []int) (said []string, err error) {
	peer := func() schedule.Peer { return schedule.Peer(a[0]) }
	switch name {
	case "hold":
		p.s.Hold(a[0], a[1])
	case "select":
		p.s.Select(a[0], a[1], opts["wanted"] == 1, p.now)
	case "play":
		p.s.Play(a[0], a[1])
	case "joined":
		for _, id := range a {
			p.s.PeerJoined(schedule.Peer(id), opts["lanes"], time.Duration(opts["rtt"])*time.Millisecond)
		}
	case "left":
		p.s.PeerLeft(peer())
	case "going":
		p.s.Leaves(peer(), opts["going"] == 1)
	case "rate":
		p.s.Rate(peer(), float64(a[1]))
	case "shown":
		err = p.s.Shown(peer(), a[1], a[2])
	case "leaves":
		for l := a[2]; l < a[2]+a[3]; l++ {
			if !p.s.LeafArrived(peer(), a[1], l, p.now) {
				said = append(said, "not news")
			}
		}
	case "rejected":
		err = p.s.Rejected(peer(), a[1], a[2], a[3], schedule.Reason(opts["reason"]), p.now)
	case "wanted":
		err = p.s.Wanted(peer(), a[1], a[2], a[3])
	case "cancelled":
		err = p.s.Cancelled(peer(), a[1], a[2], a[3])
	case "full":
		p.s.Full(peer(), opts["full"] == 1)
	case "send":
		for range a[0] {
			said = append(said, p.send())
		}
	case "at":
		p.now = epoch.Add(time.Duration(a[0]) * time.Millisecond)
	case "expects":
		said = append(said, [...]string{"unasked", "asked", "withdrawn"}[p.s.Expects(peer(), a[1], a[2], p.now)])
	case "state":
		said = append(said, fmt.Sprintf("held %d, missing %d, the swarm holds all: %v", p.s.Held(), p.s.Missing(), p.s.SwarmHolds()))
	default:
		err = fmt.Errorf("no such command")
	}
	if err != nil {
		return []string{"error: " + err.Error()}, nil
	}
	return said, nil
}

// uplink carries out a command of a script without a scheduler.
func (p *player) uplink(name string, opts map[string]int, a []int) (string, error) {
	so := schedule.Gone{Handed: int64(opts["handed"]), Left: int64(opts["left"])}
	ms := func(key string) time.Duration { return time.Duration(opts[key]) * time.Millisecond }
	p.now = epoch.Add(ms("at"))
	switch name {
	case "line":
		p.line.Begin(float64(a[0]), ms("rtt"), so, p.now)
	case "asks":
		return fmt.Sprintf("asks: %v", p.line.Asks(so, p.now)), nil
	case "answered":
		p.line.Answered(schedule.Peer(opts["by"]), ms("took"), ms("waited"), so, p.now)
	case "lag":
		return fmt.Sprintf("%d more", p.lag.Over(ms("took"), p.now).Milliseconds()), nil
	default:
		return "", fmt.Errorf("no such command")
	}
	return fmt.Sprintf("rate %.0f kB/s, a PING every %d", math.Floor(p.line.Rate()/1000+0.5), p.line.Every().Milliseconds()), nil
}

func (p *player) send() string {
	n, ok := p.s.NextSend(p.now)
	if !ok {
		return "nothing to send"
	}
	p.s.Sent(n, p.now)
	return fmt.Sprintf("send to %d piece %d leaf %d", n.Peer, n.Piece, n.Leaf)
}

func frame(a schedule.Action) string {
	name := [...]string{"HAVE", "WANT", "CANCEL", "REJECT"}[a.Kind]
	switch a.Kind {
	case schedule.Have:
		return fmt.Sprintf("%s to %d: pieces %d to %d", name, a.Peer, a.First, a.First+a.Count-1)
	case schedule.Reject:
		return fmt.Sprintf("%s to %d: piece %d leaves %d to %d, reason %d", name, a.Peer, a.Piece, a.First, a.First+a.Count-1, a.Reason)
	}
	return fmt.Sprintf("%s to %d: piece %d leaves %d to %d", name, a.Peer, a.Piece, a.First, a.First+a.Count-1)
}
