package peer

import (
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// TestUntold: when the list of what was taken back has no place for those who only look, nobody is left out of it for them, and the
// uploader hears of that once.
func TestUntold(t *testing.T) {
	r := &rig{t: t, url: "http://files.example.org"}
	at, share := r.offer(small(t))
	share.Rule.Max = 1
	var told []Event
	p, err := New(Config{Link: at, Identity: r.identity(), Share: share, Tell: func(e Event) { told = append(told, e) }})
	if err != nil {
		t.Fatal(err)
	}
	s := p.swarm
	for i := range uint32(seal.MaxRevoked) {
		s.revoked.Serials = append(s.revoked.Serials, i+1)
	}
	before := slices.Clone(s.revoked.Serials)
	looks, takes := r.identity().dh.Public(), r.identity().dh.Public()
	for i, dh := range []seal.PublicKey{looks, takes} {
		s.door.ask(dh, "", "", func() uint32 { return uint32(seal.MaxRevoked + 1 + i) }, time.Now())
	}
	s.takesPlace(&link{peer: takes})
	s.putBack(s.door.returned(looks, seal.MaxRevoked+1, "")) // it comes again
	if len(told) != 1 || told[0] != (Untold{}) {
		t.Errorf("the uploader hears %v", told)
	}
	if g := s.door.guests[looks]; !g.out || !s.door.guests[takes].took || !slices.Equal(s.revoked.Serials, before) {
		t.Errorf("put back: %v; %d serials", g.out, len(s.revoked.Serials))
	}
}
