package main

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
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

// TestTypedAtATerminal: somebody can be removed when nobody asks; what was typed before a question is no answer to it.
func TestTypedAtATerminal(t *testing.T) {
	said := &text{}
	in, typed := io.Pipe()
	s := &sending{
		cmd: &sendCmd{}, terminal: true, std: stdio{in: in}, status: newStatus(said),
		events: &eventLog{}, peer: idlePeer(t), waiting: make(chan peer.Asked),
	}
	s.letsIn(peer.Admitted{Key: seal.PublicKey{1}, Name: "ann"})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.attend(ctx) }()
	for _, line := range []string{"y\n", "remove bob\n", "remove 1\n", ""} {
		if _, err := io.WriteString(typed, line); err != nil {
			t.Fatal(err)
		}
	}
	s.waiting <- peer.Asked{Name: "bob"}
	_ = typed.Close()
	s.waiting <- peer.Asked{Name: "cat"}
	s.letsIn(peer.Admitted{Key: seal.PublicKey{2}, Name: "dan"})
	cancel()
	<-ended
	if got := s.guessed(); !strings.Contains(got, "nobody can be asked here") || !strings.Contains(said.String(), "Let in: \"dan\".\n") {
		t.Errorf("when nothing is read any more it says %q, %q", got, said)
	}
	for _, want := range []string{
		`Let in: "ann". Type remove 1 to take that back.`, `Type remove and one of these numbers: 1 "ann".`,
		`Cannot remove "ann": the transfer has ended.`, `"bob" asks to come in.`, `"bob" was refused: standard input has ended`,
	} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %q: %q", want, said)
		}
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
		if who, words := in.find(whom); who.Key != (seal.PublicKey{want.key}) || words != want.words {
			t.Errorf("remove %s: %d, %q", whom, who.Key[0], words)
		}
	}
	// Those of an earlier run have numbers when they are connected; who was removed is not back by that.
	in.note([]peer.PeerStatus{{Key: seal.PublicKey{1}, Name: "ann"}, {Key: seal.PublicKey{9}}})
	if who, _ := in.find("6"); who.Key != (seal.PublicKey{9}) {
		t.Errorf("one of an earlier run: %d", who.Key[0])
	}
	if _, words := in.find("1"); words != "" {
		t.Errorf("by the name 1: %q", words)
	}
}

// TestRemovedStaysOutside: the session of a transfer knows whom the person has removed.
func TestRemovedStaysOutside(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	m := manifest.Manifest{Text: "see you at eight"}
	first, err := openSession("https://files.example.org", nil, m, time.Hour, false)
	if err != nil {
		t.Fatal(err)
	}
	eve := peer.Removed{Key: seal.PublicKey{4, 5}, Serial: 6, Earlier: []uint32{7, 5}}
	if err := first.remove(eve); err != nil {
		t.Fatal(err)
	}
	second, err := openSession("https://files.example.org", nil, m, time.Hour, false)
	if err != nil || !second.resumed || !reflect.DeepEqual(second.outside(), []peer.Removed{eve}) {
		t.Errorf("%v, going on: %v, outside %v", err, second.resumed, second.outside())
	}
	if anew, err := openSession("https://files.example.org", nil, m, time.Hour, true); err != nil || len(anew.outside()) > 0 {
		t.Errorf("a new link: %v, outside %v", err, anew.outside())
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
