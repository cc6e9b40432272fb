package main

import (
	"bufio"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/peer"
)

// TestWhoIsLetIn: the person decides; where nobody can, the answer is no, and that is said.
func TestWhoIsLetIn(t *testing.T) {
	for _, c := range []struct {
		name    string
		approve bool
		stdin   string
		who     peer.Asked
		want    bool
		says    string
	}{
		{"yes", true, "y\n", peer.Asked{Name: "ann"}, true, `"ann" asks to come in. Check words: acorn piano zebra absorb. "ann" sees the same`},
		{"no", true, "n\n", peer.Asked{}, false, "Somebody asks to come in"},
		{"a name that speaks", true, "y\n", peer.Asked{Name: `ann" asks. Check words: a b c d`}, true, `"ann\" asks. Check words: a b c d" asks to come in. Check words: acorn`},
		{"nothing typed", true, "\n", peer.Asked{}, false, "asks to come in"},
		{"nobody answers", true, "", peer.Asked{Name: "ann"}, false, `"ann" was refused: standard input has ended`},
		{"nobody to ask", false, "y\n", peer.Asked{Name: "ann", Guessed: true}, false, `"ann" was refused.`},
	} {
		said := &text{}
		s := &sending{cmd: &sendCmd{Approve: c.approve}, std: stdio{in: strings.NewReader(c.stdin)}, status: newStatus(said)}
		if got := s.lets(c.who, "acorn piano zebra absorb", bufio.NewScanner(s.std.in)); got != c.want || !strings.Contains(said.String(), c.says) {
			t.Errorf("%s: %v, %q", c.name, got, said)
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
