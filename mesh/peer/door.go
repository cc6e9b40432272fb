package peer

import (
	"crypto/subtle"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// Rule says whom the uploader lets in of those who have the link.
type Rule struct {
	Approve  bool   // a person decides about each
	Password string // it has to be known; "" for none
	Max      int    // so many receivers in all; 0 for no limit
}

// Limits of guessing (docs/MESH.md, section 8).
const (
	wrongOfOne = 5
	wrongOfAll = 50
)

// door decides who comes in. It is a value: its answers follow from what it was told.
type door struct {
	rule    Rule
	expires time.Time
	guests  map[seal.PublicKey]*guest
	serials map[uint32]bool
	wrong   int // passwords, over all
	inside  int // guests that were let in, also those that have left
}

// guest is one who asked.
type guest struct {
	name    string
	serial  uint32 // of its token; 0 before there is one
	wrong   int
	refused seal.Reason // for good
	waiting bool        // for the person

	// For the shell: where its token goes, and for which certificate.
	endpoint    string
	fingerprint seal.Fingerprint
	told        bool // the person knows that it is in
	complete    bool // and that it has everything
}

func newDoor(rule Rule, expires time.Time) *door {
	return &door{rule: rule, expires: expires, guests: map[seal.PublicKey]*guest{}, serials: map[uint32]bool{}}
}

// verdict is the answer to one who asks: one of the three is set.
type verdict struct {
	serial  uint32 // of the token
	refused seal.Reason
	wait    bool
}

// ask judges. draw gives a serial that may be used for a newcomer; it is taken only with a token.
// Who has asked before is answered as before.
func (d *door) ask(dh seal.PublicKey, name, password string, draw func() uint32, now time.Time) verdict {
	g, known := d.guests[dh]
	switch {
	case !now.Before(d.expires):
		return verdict{refused: seal.ReasonExpired}
	case known && g.refused != "":
		return verdict{refused: g.refused}
	case known && g.serial != 0:
		return verdict{serial: g.serial}
	case known && g.waiting:
		return verdict{wait: true}
	case d.rule.Max > 0 && d.inside >= d.rule.Max:
		return verdict{refused: seal.ReasonFull}
	}
	if !known {
		g = &guest{name: name}
		d.guests[dh] = g
	}
	g.name = name
	if !d.knows(password, g) {
		return verdict{refused: seal.ReasonPassword}
	}
	if d.rule.Approve || d.wrong >= wrongOfAll {
		g.waiting = true
		return verdict{wait: true}
	}
	return d.admit(g, draw)
}

func (d *door) knows(password string, g *guest) bool {
	if d.rule.Password == "" || subtle.ConstantTimeCompare([]byte(password), []byte(d.rule.Password)) == 1 {
		return true
	}
	if password == "" { // it did not know that one is asked for
		return false
	}
	d.wrong++
	if g.wrong++; g.wrong >= wrongOfOne {
		g.refused = seal.ReasonPassword
	}
	return false
}

func (d *door) admit(g *guest, draw func() uint32) verdict {
	for g.serial == 0 || d.serials[g.serial] {
		g.serial = draw()
	}
	d.serials[g.serial] = true
	g.waiting = false
	d.inside++
	return verdict{serial: g.serial}
}

// returned notes a guest of an earlier run, whose token is still good.
func (d *door) returned(dh seal.PublicKey, serial uint32, endpoint string) {
	if d.guests[dh] == nil {
		d.guests[dh] = &guest{serial: serial, endpoint: endpoint, told: true}
		d.serials[serial] = true
		d.inside++
	}
}

// counts tells how many were let in and not removed, and how many of those have everything.
func (d *door) counts() (in, complete int) {
	for _, g := range d.guests {
		if g.serial == 0 || g.refused != "" {
			continue
		}
		in++
		if g.complete {
			complete++
		}
	}
	return in, complete
}

// decide is the word of the person about one who waits; false when nobody of that key does.
func (d *door) decide(dh seal.PublicKey, yes bool, draw func() uint32) (verdict, bool) {
	g := d.guests[dh]
	if g == nil || !g.waiting {
		return verdict{}, false
	}
	if d.rule.Max > 0 && d.inside >= d.rule.Max {
		yes, g.refused = false, seal.ReasonFull
	}
	if !yes {
		g.waiting = false
		if g.refused == "" {
			g.refused = seal.ReasonDenied
		}
		return verdict{refused: g.refused}, true
	}
	return d.admit(g, draw), true
}

// remove takes back what was given, for good; it returns the serial that is to be revoked, 0 for none.
func (d *door) remove(dh seal.PublicKey) uint32 {
	g := d.guests[dh]
	if g == nil {
		return 0
	}
	g.refused, g.waiting = seal.ReasonRemoved, false
	return g.serial
}
