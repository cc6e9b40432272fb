package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/peer"
)

// TestStallSaid: why nothing comes is said once, after a moment, and again when it comes again.
func TestStallSaid(t *testing.T) {
	var s stallSaid
	at := time.Unix(1_800_000_000, 0)
	for i, c := range []struct {
		after time.Duration
		words string
		want  bool
	}{
		{0, "Waiting", false}, {time.Second, "Waiting", false}, {2 * time.Second, "Waiting", true}, {time.Hour, "Waiting", false},
		{time.Second, "", false}, {time.Hour, "", false},
		{time.Second, "Waiting", false}, {time.Second, "Connecting", false}, {3 * time.Second, "Connecting", true},
	} {
		at = at.Add(c.after)
		if got := s.due(c.words, at); got != c.want {
			t.Errorf("step %d: %v", i, got)
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
