package schedule_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts say now into testdata")

// The scripts in testdata are steps of the form
//
//	command key=value argument ...
//	----
//	what it says
//
// with an empty line after each. Times are milliseconds since the beginning and stay until the
// next "at". Every command says which frames are to be sent.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	s := &script{now: epoch}
	for i, block := range strings.Split(strings.TrimSpace(string(b)), "\n\n") {
		command, want, found := strings.Cut(block, "\n----\n")
		if i > 0 {
			out.WriteString("\n")
		}
		if !found && strings.HasPrefix(block, "#") {
			fmt.Fprintf(&out, "%s\n", block)
			continue
		}
		command = strings.TrimSuffix(command, "\n----")
		got, err := s.run(strings.Fields(command))
		if err != nil {
			t.Fatalf("%s: %q: %v", file, command, err)
		}
		if got != want && !*rewrite {
			t.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", file, command, got, want)
		}
		fmt.Fprintf(&out, "%s\n----\n%s\n", command, got)
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// script holds the value that the steps work on.
type script struct {
	s   *schedule.Scheduler
	now time.Time
}

// run carries out one command.
func (s *script) run(words []string) (string, error) {
	opts := map[string]int{}
	var args []int
	for _, word := range words[1:] {
		key, value, named := strings.Cut(word, "=")
		if !named {
			value = key
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return "", err
		}
		if named {
			opts[key] = n
		} else {
			args = append(args, n)
		}
	}
	if words[0] == "new" {
		cfg := schedule.DefaultConfig(schedule.Shape{Size: int64(opts["leaves"] * opts["pieces"]), Piece: int64(opts["leaves"]), Leaf: 1})
		cfg.UniqueFirst = opts["uploader"] == 1
		if n := opts["budget"]; n > 0 {
			cfg.Budget = int64(n)
		}
		s.s = schedule.New(cfg, rand.New(rand.NewPCG(uint64(opts["seed"]), 0)))
		return "ok", nil
	}
	said, err := s.fact(words[0], opts, args)
	if err != nil {
		return "", err
	}
	for _, a := range s.s.AppendNext(nil, s.now) {
		said = append(said, frame(a))
	}
	if at, ok := s.s.Deadline(); ok {
		said = append(said, fmt.Sprintf("deadline %d", at.Sub(epoch).Milliseconds()))
	}
	if len(said) == 0 {
		return "nothing", nil
	}
	return strings.Join(said, "\n"), nil
}

// fact tells the scheduler what has happened.
func (s *script) fact(name string, opts map[string]int, a []int) (said []string, err error) {
	p := func() schedule.Peer { return schedule.Peer(a[0]) }
	switch name {
	case "hold":
		s.s.Hold(a[0], a[1])
	case "select":
		s.s.Select(a[0], a[1], opts["wanted"] == 1, s.now)
	case "play":
		s.s.Play(a[0], a[1])
	case "joined":
		for _, id := range a {
			s.s.PeerJoined(schedule.Peer(id), opts["lanes"], time.Duration(opts["rtt"])*time.Millisecond)
		}
	case "left":
		s.s.PeerLeft(p())
	case "rate":
		s.s.Rate(p(), float64(a[1]))
	case "shown":
		err = s.s.Shown(p(), a[1], a[2])
	case "leaves":
		for l := a[2]; l < a[2]+a[3]; l++ {
			if !s.s.LeafArrived(p(), a[1], l, s.now) {
				said = append(said, "not news")
			}
		}
	case "rejected":
		err = s.s.Rejected(p(), a[1], a[2], a[3], schedule.Reason(opts["reason"]), s.now)
	case "wanted":
		err = s.s.Wanted(p(), a[1], a[2], a[3])
	case "cancelled":
		err = s.s.Cancelled(p(), a[1], a[2], a[3])
	case "full":
		s.s.Full(p(), opts["full"] == 1)
	case "send":
		for range a[0] {
			said = append(said, s.send())
		}
	case "at":
		s.now = epoch.Add(time.Duration(a[0]) * time.Millisecond)
	case "expects":
		said = append(said, [...]string{"unasked", "asked", "withdrawn"}[s.s.Expects(p(), a[1], a[2], s.now)])
	case "state":
		said = append(said, fmt.Sprintf("held %d, missing %d, the swarm holds all: %v", s.s.Held(), s.s.Missing(), s.s.SwarmHolds()))
	default:
		err = fmt.Errorf("no such command")
	}
	if err != nil {
		return []string{"error: " + err.Error()}, nil
	}
	return said, nil
}

func (s *script) send() string {
	n, ok := s.s.NextSend(s.now)
	if !ok {
		return "nothing to send"
	}
	s.s.Sent(n, s.now)
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
