package peer

import (
	"crypto/subtle"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// Rule says whom the uploader lets in of those who have the link.
type Rule struct {
	Approve  bool   // a person decides about each
	Password string // it has to be known; "" for none
	Max      int    // so many receivers in all, those who only look at what there is aside; 0 for no limit
}

// Limits of guessing, and of those who ask: whoever has the link can make keys without end (docs/MESH.md,
// section 8).
const (
	wrongOfOne = 5
	wrongOfAll = 50
	maxGuests  = 1000
	maxWaiting = 64
)

// door decides who comes in. It is a value: its answers follow from what it was told.
type door struct {
	rule    Rule
	expires time.Time
	guests  map[seal.PublicKey]*guest
	serials map[uint32]bool
	wrong   int // passwords, over all
	inside  int // guests that have a place, also those that have left with something
}

// guest is one who asked.
type guest struct {
	name    string
	serial  uint32   // of its token; 0 before there is one
	earlier []uint32 // of other tokens by which it came, as earlier runs gave them
	took    bool     // it has begun to receive, and has a place
	out     bool     // it only looked when the last place was taken: its token is worth nothing until there is one again
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
	case known && g.serial != 0 && !g.out:
		return verdict{serial: g.serial}
	case known && g.waiting:
		return verdict{wait: true}
	case d.full(), !known && !d.remembersMore():
		return verdict{refused: seal.ReasonFull}
	case known && g.out:
		return d.admit(g, draw)
	}
	if !known {
		g = &guest{}
	}
	g.name = name
	return d.judge(dh, g, password, draw)
}

// judge answers one who has no answer yet, and remembers it unless it only hears that a password is asked for.
func (d *door) judge(dh seal.PublicKey, g *guest, password string, draw func() uint32) verdict {
	knows := d.knows(password, g)
	waits := knows && (d.rule.Approve || d.wrong >= wrongOfAll)
	if waits && d.waiting() >= maxWaiting {
		return verdict{refused: seal.ReasonFull}
	}
	if knows || password != "" {
		d.guests[dh] = g
	}
	switch {
	case !knows:
		return verdict{refused: seal.ReasonPassword}
	case !waits:
		return d.admit(g, draw)
	}
	g.waiting = true
	return verdict{wait: true}
}

// remembersMore tells whether there is room for one more guest, and makes it where it can: whom nobody has answered but
// by the word that a password is wrong is forgotten for another, so that those who guess keep nobody out. What they
// got wrong over all stays counted.
func (d *door) remembersMore() bool {
	if len(d.guests) < maxGuests {
		return true
	}
	for dh, g := range d.guests {
		if g.serial == 0 && !g.waiting && (g.refused == "" || g.refused == seal.ReasonPassword) {
			delete(d.guests, dh)
			return true
		}
	}
	return false
}

func (d *door) full() bool { return d.rule.Max > 0 && d.inside >= d.rule.Max }

func (d *door) waiting() int {
	n := 0
	for _, g := range d.guests {
		if g.waiting {
			n++
		}
	}
	return n
}

// takes notes that one who was let in begins to receive, which takes a place if there is one. It returns whose tokens
// are to be taken back: its own when there is none or it was refused, and of all who only look when none is left.
func (d *door) takes(dh seal.PublicKey) []seal.PublicKey {
	switch g := d.guests[dh]; {
	case g == nil || g.took:
	case g.refused != "":
		return append(d.clear(), dh)
	case d.full():
		g.out = false // it is here all the same, and is told again
	default:
		g.took, g.out = true, false
		d.inside++
	}
	return d.clear()
}

// clear puts out all who only look when no place is left, and returns them.
func (d *door) clear() (out []seal.PublicKey) {
	if !d.full() {
		return nil
	}
	for dh, g := range d.guests {
		if g.serial != 0 && !g.took && !g.out && g.refused == "" {
			g.out = true
			out = append(out, dh)
		}
	}
	return out
}

// free notes that one has left with nothing: its place is another's.
func (d *door) free(dh seal.PublicKey) {
	if g := d.guests[dh]; g != nil && g.took {
		g.took = false
		d.inside--
	}
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
	// Who has a serial keeps it, be it back or come by a token of an earlier run: else nobody would know of that one.
	if g.serial == 0 {
		for g.serial == 0 || d.serials[g.serial] {
			g.serial = draw()
		}
	}
	d.serials[g.serial] = true
	g.waiting, g.out = false, false
	return verdict{serial: g.serial}
}

// returned notes one who comes by a good token, of which this door may know nothing, as an earlier run gave it. It has no
// place by that: like takes, it returns whose tokens are to be taken back.
func (d *door) returned(dh seal.PublicKey, serial uint32, endpoint string) []seal.PublicKey {
	g := d.guests[dh]
	if g == nil {
		g = &guest{endpoint: endpoint, told: true}
		d.guests[dh] = g
	}
	switch { // it may have asked, too, and have no answer yet, or another token by that
	case g.serial == 0:
		g.serial = serial
	case g.serial != serial && !slices.Contains(g.earlier, serial):
		g.earlier = append(g.earlier, serial)
	}
	d.serials[serial] = true
	again := g.refused != "" || g.out && d.full() // and hears it again
	out := d.clear()
	if again {
		out = append(out, dh)
	}
	return out
}

// tokens are the serials of all its tokens that are known.
func (g *guest) tokens() []uint32 {
	if g.serial == 0 {
		return nil
	}
	return append([]uint32{g.serial}, g.earlier...)
}

// outside notes who was removed in an earlier run.
func (d *door) outside(one Removed) {
	g := &guest{serial: one.Serial, earlier: one.Earlier, refused: seal.ReasonRemoved, told: true}
	d.guests[one.Key] = g
	for _, serial := range g.tokens() {
		d.serials[serial] = true
	}
}

// counts tells how many have a place, and how many of those have everything.
func (d *door) counts() (in, complete int) {
	for _, g := range d.guests {
		if !g.took {
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
	g.waiting = false
	switch {
	case !yes:
		d.free(dh) // by a token of an earlier run it may have taken one
		g.refused = seal.ReasonDenied
		return verdict{refused: g.refused}, true
	case d.full(): // a place may be free again when it asks again
		return verdict{refused: seal.ReasonFull}, true
	}
	return d.admit(g, draw), true
}

// remove takes back what was given, for good; it returns the serial that is to be revoked, 0 for none.
func (d *door) remove(dh seal.PublicKey) uint32 {
	g := d.guests[dh]
	if g == nil {
		return 0
	}
	d.free(dh)
	g.refused, g.waiting = seal.ReasonRemoved, false
	return g.serial
}
