package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// TestStallSaid: why nothing comes is said once, after a moment, and again when it comes again.
func TestStallSaid(t *testing.T) {
	var s stallSaid
	at := time.Unix(1_800_000_000, 0)
	for i, c := range []struct {
		after time.Duration
		stall peer.Stall
		want  bool
	}{
		{0, peer.NoCard, false}, {time.Second, peer.NoCard, false}, {2 * time.Second, peer.NoCard, true}, {time.Hour, peer.NoCard, false},
		{time.Second, peer.Flowing, false}, {time.Hour, peer.Flowing, false},
		{time.Second, peer.NoCard, false}, {time.Second, peer.NotLinked, false}, {3 * time.Second, peer.NotLinked, true},
	} {
		at = at.Add(c.after)
		if got := s.due(c.stall, at); got != c.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

// TestStalls: each has a name for programs and words for people, and how far the look at what is here has come.
func TestStalls(t *testing.T) {
	names := map[string]bool{}
	for stall := peer.NoServer; stall <= peer.Quiet; stall++ {
		name, words := stallName(stall), stallWords(peer.Status{Stall: stall})
		if name == "" || names[name] || words == "" {
			t.Errorf("stall %d: %q, %q", stall, name, words)
		}
		names[name] = true
	}
	st := peer.Status{Stall: peer.Checking, Checked: 0.428}
	if got := getLine(st, 0, stallWords(st)); got != "Looking at what is here, 42 % …" || stallName(st.Stall) != "checking" {
		t.Errorf("%q, %q", got, stallName(st.Stall))
	}
}

// TestLater: after a short code the command is said that goes on when that is over.
func TestLater(t *testing.T) {
	link := seal.Link{Server: "https://files.example.org", Room: "room"}
	all := &getCmd{
		Out: "down loads", Only: []string{"*.jpg", "it's"}, RelayOnly: true, UpRate: 500_000, Seed: true, Password: "open sesame",
	}
	rest := []string{
		"--out", shellWord("down loads", runtime.GOOS), "--only", shellWord("*.jpg", runtime.GOOS), "--only", shellWord("it's", runtime.GOOS),
		"--relay-only --up-rate 500000 --seed --password -",
	}
	for cmd, want := range map[*getCmd]string{{Out: "."}: "", all: " " + strings.Join(rest, " ")} {
		g := &getting{cmd: cmd, link: link, byCode: true}
		if got := g.interrupted().Error(); got != "interrupted; to go on: fanfare get "+shellWord(link.String(), runtime.GOOS)+want {
			t.Errorf("%q", got)
		}
	}
	g := &getting{cmd: &getCmd{}, link: link}
	if got := g.interrupted().Error(); !strings.Contains(got, "the same command") {
		t.Errorf("by the link: %q", got)
	}
}

func TestShellWord(t *testing.T) {
	for word, want := range map[string][2]string{
		"plain": {`'plain'`, `"plain"`}, "a$b `c`": {"'a$b `c`'", "\"a$b `c`\""}, "it's": {`'it'\''s'`, `"it's"`},
	} {
		if got := [2]string{shellWord(word, "linux"), shellWord(word, "windows")}; got != want {
			t.Errorf("%q: %q", word, got)
		}
	}
}

// TestOneLine: what a server says moves no cursor.
func TestOneLine(t *testing.T) {
	said, failed := &text{}, &text{}
	words := "no\x1b]52;c;cm0gLXJm\a\n\u202eroom"
	newStatus(said).say(words)
	fail(stdio{err: failed}, &peer.RoomError{Text: words})
	for _, got := range []string{said.String(), failed.String()} {
		if !strings.HasSuffix(got, "no\uFFFD]52;c;cm0gLXJm\uFFFD \uFFFDroom\n") {
			t.Errorf("%q", got)
		}
	}
}

// TestUnreachableServer: the words say what to do.
func TestUnreachableServer(t *testing.T) {
	err := transferError(fmt.Errorf("%w: it does not answer", peer.ErrUnreachable), false)
	if !errors.Is(err, peer.ErrUnreachable) || !strings.Contains(err.Error(), "check its address") {
		t.Error(err)
	}
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"one\n\ttwo, ü":              "one\n\ttwo, ü",
		"\x1b]52;c;cm0gLXJm\a":       "\uFFFD]52;c;cm0gLXJm\uFFFD",
		"invoice\u202Egpj.exe\r\x9b": "invoice\uFFFDgpj.exe\uFFFD\uFFFD",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
