package nack_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media/nack"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts say now into testdata")

// The scripts in testdata are steps of the form
//
//	command key=value argument ...
//	----
//	what it says
//
// with an empty line after each. Times are milliseconds since the beginning.
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
	s := &script{}
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

// script holds the values that the steps work on.
type script struct {
	receiver  *nack.Receiver
	responder nack.Responder
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(ms int) time.Time { return epoch.Add(ms2(ms)) }

func ms2(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }

func (s *script) run(words []string) (string, error) {
	opts, args, err := parseWords(words[1:])
	if err != nil {
		return "", err
	}
	switch words[0] {
	case "receiver":
		s.receiver = nack.NewReceiver(nack.ReceiverConfig{
			Reorder: ms2(opts["reorder"]), RTT: ms2(opts["rtt"]), MaxAge: ms2(opts["age"]),
			MaxTries: opts["tries"], MaxGap: opts["gap"],
		})
		return "ok", nil
	case "rtt":
		s.receiver.SetRTT(ms2(args[0]))
		return "ok", nil
	case "observe":
		return s.observe(opts["at"], args), nil
	case "due":
		return s.due(opts["at"]), nil
	case "responder":
		s.responder = nack.NewResponder(nack.ResponderConfig{
			RTT: ms2(opts["rtt"]), MaxAge: ms2(opts["age"]), Window: ms2(opts["window"]), Budget: opts["budget"],
		})
		return "ok", nil
	case "ask":
		return s.ask(opts, args), nil
	default:
		return "", errors.New("no such command")
	}
}

func parseWords(words []string) (opts map[string]int, args []int, err error) {
	opts = map[string]int{}
	for _, w := range words {
		key, value, isOpt := strings.Cut(w, "=")
		if !isOpt {
			value = key
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, nil, err
		}
		if isOpt {
			opts[key] = n
		} else {
			args = append(args, n)
		}
	}
	return opts, args, nil
}

func (s *script) observe(ms int, seqs []int) string {
	var out []string
	for _, n := range seqs {
		switch s.receiver.Observe(uint64(n), at(ms)) {
		case nack.Recovered:
			out = append(out, fmt.Sprint(n, " recovered"))
		case nack.Stale:
			out = append(out, fmt.Sprint(n, " stale"))
		case nack.GapTooLarge:
			out = append(out, fmt.Sprint(n, " gap too large"))
		}
	}
	return strings.Join(append(out, s.waiting()), "\n")
}

func (s *script) due(ms int) string {
	due, lost := s.receiver.AppendDue(nil, at(ms))
	out := fmt.Sprint("ask for ", due)
	if lost > 0 {
		out += fmt.Sprintf(", gave up %d", lost)
	}
	return out + "\n" + s.waiting()
}

// waiting says what the receiver waits for.
func (s *script) waiting() string {
	d, ok := s.receiver.Deadline()
	if !ok {
		return "nothing missing"
	}
	return fmt.Sprintf("%d missing, deadline %d", s.receiver.Missing(), d.Sub(epoch).Milliseconds())
}

func (s *script) ask(opts map[string]int, seqs []int) string {
	var out []string
	for _, n := range seqs {
		v := s.responder.Decide(uint64(n), opts["size"], at(opts["arrived"]), at(opts["at"]))
		out = append(out, fmt.Sprint(n, " ", v))
	}
	return strings.Join(out, "\n")
}
