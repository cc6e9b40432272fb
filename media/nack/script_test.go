package nack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/internal/script"
	"github.com/fanfare-relay/fanfare/media/nack"
)

// TestScripts plays the scripts in testdata. Times are milliseconds since the beginning.
func TestScripts(t *testing.T) {
	script.Run(t, func() func(string) string {
		p := &player{}
		return func(command string) string {
			said, err := p.run(command)
			if err != nil {
				return fmt.Sprintln("script error:", err)
			}
			return said + "\n"
		}
	})
}

// player holds the values that the steps work on.
type player struct {
	receiver  *nack.Receiver
	responder nack.Responder
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(ms int) time.Time { return epoch.Add(ms2(ms)) }

func ms2(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }

func (p *player) run(command string) (string, error) {
	name, opts, args, err := script.Numbers(command)
	if err != nil {
		return "", err
	}
	switch name {
	case "receiver":
		p.receiver = nack.NewReceiver(nack.ReceiverConfig{
			Reorder: ms2(opts["reorder"]), RTT: ms2(opts["rtt"]), MaxAge: ms2(opts["age"]),
			MaxTries: opts["tries"], MaxGap: opts["gap"],
		})
		return "ok", nil
	case "rtt":
		p.receiver.SetRTT(ms2(args[0]))
		return "ok", nil
	case "observe":
		return p.observe(opts["at"], args), nil
	case "due":
		return p.due(opts["at"]), nil
	case "responder":
		p.responder = nack.NewResponder(nack.ResponderConfig{
			RTT: ms2(opts["rtt"]), MaxAge: ms2(opts["age"]), Window: ms2(opts["window"]), Budget: opts["budget"],
		})
		return "ok", nil
	case "ask":
		return p.ask(opts, args), nil
	default:
		return "", errors.New("no such command")
	}
}

func (p *player) observe(ms int, seqs []int) string {
	var out []string
	for _, n := range seqs {
		switch p.receiver.Observe(uint64(n), at(ms)) {
		case nack.Recovered:
			out = append(out, fmt.Sprint(n, " recovered"))
		case nack.Stale:
			out = append(out, fmt.Sprint(n, " stale"))
		case nack.GapTooLarge:
			out = append(out, fmt.Sprint(n, " gap too large"))
		}
	}
	return strings.Join(append(out, p.waiting()), "\n")
}

func (p *player) due(ms int) string {
	due, lost := p.receiver.AppendDue(nil, at(ms))
	out := fmt.Sprint("ask for ", due)
	if lost > 0 {
		out += fmt.Sprintf(", gave up %d", lost)
	}
	return out + "\n" + p.waiting()
}

// waiting says what the receiver waits for.
func (p *player) waiting() string {
	d, ok := p.receiver.Deadline()
	if !ok {
		return "nothing missing"
	}
	return fmt.Sprintf("%d missing, deadline %d", p.receiver.Missing(), d.Sub(epoch).Milliseconds())
}

func (p *player) ask(opts map[string]int, seqs []int) string {
	var out []string
	for _, n := range seqs {
		v := p.responder.Decide(uint64(n), opts["size"], at(opts["arrived"]), at(opts["at"]))
		out = append(out, fmt.Sprint(n, " ", v))
	}
	return strings.Join(out, "\n")
}
