package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// TestQuestion: it has the check words, and a name passes for nothing else.
func TestQuestion(t *testing.T) {
	for want, who := range map[string]peer.Asked{
		`"ann" asks to come in. Check words: acorn piano zebra absorb. "ann" sees the same`:     {Name: "ann"},
		`Somebody asks to come in. Check words: acorn`:                                          {},
		`"ann\" asks. Check words: a b c d" asks to come in. Check words: acorn piano zebra ab`: {Name: `ann" asks. Check words: a b c d`},
	} {
		if got := question(who, "acorn piano zebra absorb"); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for line, want := range map[string]bool{"y": true, " Yes ": true, "n": false, "": false, "yeah": false, "remove ann": false} {
		if isYes(line) != want {
			t.Errorf("%q is taken for %v", line, !want)
		}
	}
}

// TestNobodyToAsk: where nobody can decide, the answer is no, and that is said.
func TestNobodyToAsk(t *testing.T) {
	for approve, want := range map[bool]string{
		true: `"ann" was refused: standard input has ended, so nobody can answer.`, false: `"ann" was refused.`,
	} {
		said := &text{}
		s := &sending{
			cmd: &sendCmd{Approve: approve}, std: stdio{in: strings.NewReader("")}, status: newStatus(said),
			events: &eventLog{}, peer: idlePeer(t), waiting: make(chan peer.Asked),
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.attend(ctx) }()
		for range 2 { // the second has to be refused, too
			s.waiting <- peer.Asked{Name: "ann"}
		}
		for strings.Count(said.String(), want) < 2 {
			select {
			case <-t.Context().Done():
				t.Fatalf("it says %q", said)
			case <-time.After(time.Millisecond):
			}
		}
		cancel()
		<-ended
	}
}

// idlePeer is one that has ended: it takes what it is told, and nothing follows.
func idlePeer(t *testing.T) *peer.Peer {
	t.Helper()
	id, err := peer.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	p, err := peer.New(peer.Config{Identity: id, Link: seal.Link{Room: "room"}, Fetch: &peer.Fetch{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = p.Run(ctx) // says that it was cancelled
	return p
}

// TestWhomToRemove: by number or by name, where that is one alone.
func TestWhomToRemove(t *testing.T) {
	var in inside
	if _, words := in.find("1"); words != "Nobody is in." {
		t.Errorf("%q", words)
	}
	for i, name := range []string{"ann", "bob", "bob", "", "1"} {
		in.add(peer.Admitted{Key: seal.PublicKey{byte(i + 1)}, Name: name})
	}
	in.remove(seal.PublicKey{1})
	const list = `Type remove and one of these numbers: 2 "bob", 3 "bob", 4 Somebody, 5 "1".`
	for whom, want := range map[string]struct {
		key   byte
		words string
	}{
		"2": {2, ""}, "4": {4, ""}, "bob": {0, list}, "ann": {0, list}, "": {0, list}, "6": {0, list}, "1": {5, ""},
	} {
		if key, words := in.find(whom); key != (seal.PublicKey{want.key}) || words != want.words {
			t.Errorf("remove %s: %d, %q", whom, key[0], words)
		}
	}
}

// TestGuessedPassword: what to do is said to somebody at a terminal, and where nobody is.
func TestGuessedPassword(t *testing.T) {
	for approve, want := range map[bool]string{true: "you are asked about each", false: "--new-link"} {
		s := &sending{cmd: &sendCmd{Approve: approve}, std: stdio{in: strings.NewReader("")}}
		if got := s.guessed(); !strings.Contains(got, want) {
			t.Errorf("%q", got)
		}
	}
}

// TestEndOfSending: with --max-receivers it ends when all have everything, wherever they are; when they
// have left without, it says whom it waits for.
func TestEndOfSending(t *testing.T) {
	for _, c := range []struct {
		name   string
		most   int
		st     peer.Status
		enough bool
		says   string
	}{
		{"no limit", 0, peer.Status{LetIn: 3, Complete: 3}, false, ""},
		{"one of two", 2, peer.Status{LetIn: 1, Complete: 1}, false, ""},
		{"both, who have left", 2, peer.Status{LetIn: 2, Complete: 2}, true, ""},
		{"one has left without", 2, peer.Status{LetIn: 2, Complete: 1}, false, "1 of 2 have everything"},
		{"one is still there", 2, peer.Status{LetIn: 2, Complete: 1, Peers: make([]peer.PeerStatus, 1)}, false, ""},
	} {
		said := &text{}
		s := &sending{cmd: &sendCmd{MaxReceivers: c.most}, status: newStatus(said), events: &eventLog{}}
		first, second := s.look(c.st), s.look(c.st)
		if first != c.enough || second != c.enough || !strings.Contains(said.String(), c.says) || strings.Count(said.String(), "\n") > 1 || c.says == "" && said.String() != "" {
			t.Errorf("%s: %v %v, %q", c.name, first, second, said)
		}
	}
}

// TestSendLine: how each receiver fares, and by which way.
func TestSendLine(t *testing.T) {
	for want, st := range map[string]peer.Status{
		"Waiting for the server …": {},
		"Waiting for receivers …":  {Online: true},
		`2.1 MB/s up, 5.0 MB sent; "ann" 50 %, Somebody 25 % relayed`: {
			Online: true, Up: 2.1e6, Sent: 5e6, Pieces: 100,
			Peers: []peer.PeerStatus{{Name: "ann", Held: 50}, {Held: 25, Relayed: true}},
		},
	} {
		if got := sendLine(st); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
