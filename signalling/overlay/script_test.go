package overlay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/internal/script"
	"github.com/fanfare-relay/fanfare/media"
)

// TestScripts plays testdata/*.txt: what the planner does about commands. The clock starts at 0 and moves with
// "tick".
func TestScripts(t *testing.T) {
	script.Run(t, func() func(string) string {
		p := player{planner: NewPlanner(), now: time.UnixMilli(0)}
		return p.do
	})
}

type player struct {
	planner *Planner
	now     time.Time
	// making is what Connect asked for and nobody has said Ready to.
	making []Connect
}

func (p *player) do(line string) string {
	name, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	switch name {
	case "tick":
		return p.tick(words[0])
	case "connected": // everything that is being made shows a picture, until nothing is made any more
		out := ""
		for len(p.making) > 0 {
			c := p.making[0]
			p.making = p.making[1:]
			out += p.step(Ready(c))
		}
		return out
	case "deadline":
		at, ok := p.planner.Deadline()
		return fmt.Sprintln("deadline", at.Sub(time.UnixMilli(0)), ok)
	case "plan":
		return p.plan()
	}
	in, err := p.input(name, words)
	if err != nil {
		return fmt.Sprintln("script error:", err)
	}
	return p.step(in)
}

func (p *player) plan() string {
	out := ""
	for _, at := range p.planner.Plan().Places {
		out += fmt.Sprintf("        %s from %s, depth %d\n", at.Viewer, at.From, at.Depth)
	}
	return out + fmt.Sprintf("        the uploader sends %d, depth %d\n", p.planner.Plan().Copies, p.planner.Plan().Depth)
}

// tick moves the clock and wakes the planner at each of its deadlines on the way.
func (p *player) tick(by string) string {
	d, err := time.ParseDuration(by)
	if err != nil {
		return fmt.Sprintln("script error:", err)
	}
	end, out := p.now.Add(d), ""
	for range 1000 {
		at, ok := p.planner.Deadline()
		if !ok || at.After(end) {
			p.now = end
			return out
		}
		p.now = at
		out += p.step(Tick{})
	}
	return out + "the planner asks for ticks without end\n"
}

func (p *player) step(in Input) string {
	var b strings.Builder
	for _, o := range p.planner.Step(in, p.now) {
		fmt.Fprintf(&b, "%6s  ", p.now.Sub(time.UnixMilli(0)))
		switch o := o.(type) {
		case Connect:
			p.making = append(p.making, o)
			fmt.Fprintf(&b, "connect %s to %s\n", o.Viewer, o.From)
		case Release:
			p.making = without(p.making, func(c Connect) bool { return c == Connect(o) })
			fmt.Fprintf(&b, "release %s from %s\n", o.Viewer, o.From)
		case Explain:
			fmt.Fprintf(&b, "%s: %s\n", o.Plan.Topology, o.Plan.Why)
		}
	}
	return b.String()
}

func without(list []Connect, out func(Connect) bool) (kept []Connect) {
	for _, c := range list {
		if !out(c) {
			kept = append(kept, c)
		}
	}
	return kept
}

func (p *player) input(name string, words []string) (Input, error) {
	switch name {
	case "arrive":
		return parseViewer(words)
	case "leave":
		p.making = without(p.making, func(c Connect) bool { return c.Viewer == words[0] || c.From.Viewer == words[0] })
		return Leave{words[0]}, nil
	case "wish":
		return parseWish(words)
	case "failed":
		return Failed{words[0], parseSource(words[1])}, nil
	case "silent":
		d, err := time.ParseDuration(words[1])
		return Silent{words[0], p.now.Add(-d)}, err
	case "alive":
		return Alive{words[0]}, nil
	}
	return nil, fmt.Errorf("no command %q", name)
}

func parseSource(word string) Source {
	switch word {
	case "sfu":
		return Source{Via: Server}
	case "uploader":
		return Source{Via: Direct}
	}
	return Source{Relayed, word}
}

func parseViewer(words []string) (Input, error) {
	v := Viewer{ID: words[0], Device: Desktop}
	var errs []error
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		var err error
		switch key {
		case "phone", "tablet":
			v.Device = Device(key)
		case "unknown":
			v.Device = Unknown
		case "hidden":
			v.Hidden = true
		case "metered":
			v.Metered = true
		case "refuses":
			v.Refuses = true
		case "rtt":
			v.RTT, err = time.ParseDuration(value)
		case "up":
			v.Uplink, err = parseMegabits(value)
		default:
			err = fmt.Errorf("no property %q", w)
		}
		errs = append(errs, err)
	}
	return Arrive{v}, errors.Join(errs...)
}

func parseWish(words []string) (Input, error) {
	w := Wish{Topology: Topology(words[0])}
	var errs []error
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "fanout":
			w.Fanout, err = strconv.Atoi(value)
		case "rate":
			w.Bitrate, err = parseMegabits(value)
		case "up":
			w.Uplink, err = parseMegabits(value)
		case "room":
			w.ServerRoom, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("no property %q", word)
		}
		errs = append(errs, err)
	}
	return w, errors.Join(errs...)
}

func parseMegabits(text string) (media.Bitrate, error) {
	n, err := strconv.ParseFloat(text, 64)
	return media.Bitrate(n * 1e6), err
}
