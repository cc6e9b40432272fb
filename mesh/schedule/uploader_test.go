package schedule_test

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// FuzzUploader plays any facts in any order to an uploader: nobody is sent what it was not shown,
// what was not shown is refused, and whoever stays is shown everything in the end.
func FuzzUploader(f *testing.F) {
	f.Add([]byte{12, 1, 0, 0, 0, 0, 1, 2, 0, 1, 3, 0, 0, 2, 0, 4, 9, 0, 1, 1, 5, 0, 0, 3, 0, 4, 200})
	f.Add([]byte{40, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 4, 8, 0, 4, 8, 0, 4, 8, 0, 1, 1, 0, 0, 1, 0, 2, 2, 3, 5, 1, 2})
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 3000 {
			return
		}
		next := func() int {
			if len(input) == 0 {
				return 0
			}
			b := input[0]
			input = input[1:]
			return int(b)
		}
		cfg := schedule.DefaultConfig(schedule.Shape{Size: int64(1 + 10*next()), Piece: int64(10 * (1 + next()%8)), Leaf: 10})
		cfg.UniqueFirst = true
		u := &uploader{model: newModel(t, cfg, uint64(next())), showed: map[schedule.Peer]map[int]bool{}}
		u.s.Hold(0, cfg.Pieces())
		for len(input) > 0 {
			u.play(next(), schedule.Peer(next()%6), next)
			u.next()
		}
		u.finish()
	})
}

// uploader is the account of an uploader: what it showed to whom.
type uploader struct {
	*model
	showed map[schedule.Peer]map[int]bool
}

// next takes the frames; only HAVE and REJECT can come.
func (u *uploader) next() {
	for _, a := range u.s.AppendNext(nil, u.now) {
		switch {
		case a.Kind == schedule.Have && u.here[a.Peer]:
			for i := a.First; i < a.First+a.Count; i++ {
				u.showed[a.Peer][i] = true
			}
		case a.Kind == schedule.Reject && u.here[a.Peer] && (!u.showed[a.Peer][a.Piece] || u.others(a.Peer, a.Piece)):
			delete(u.showed[a.Peer], a.Piece) // another was first, or it was never shown
			for l := a.First; l < a.First+a.Count; l++ {
				u.asked[a.Peer][leafID{a.Piece, l}]--
			}
		default:
			u.t.Fatalf("an uploader says %s", frame(a))
		}
	}
}

// others tells whether somebody else was shown a piece, or somebody says that it has it.
func (u *uploader) others(p schedule.Peer, piece int) bool {
	for other := range u.here {
		if other != p && u.showed[other][piece] || u.shown[other][piece] {
			return true
		}
	}
	return false
}

func (u *uploader) join(p schedule.Peer) {
	u.model.join(p)
	u.showed[p] = map[int]bool{}
}

// want has a peer ask for a whole piece that it was shown. What it was not shown must be refused at once.
func (u *uploader) want(p schedule.Peer, piece int) {
	if u.here[p] && u.showed[p][piece] {
		u.ask(p, piece, 0, u.cfg.Leaves(piece))
		return
	}
	if err := u.s.Wanted(p, piece, 0, 1); err != nil {
		u.t.Fatal(err)
	}
	if !u.here[p] {
		return
	}
	first := leafID{piece, 0}
	before := u.asked[p][first]
	u.asked[p][first]++
	if u.next(); u.asked[p][first] != before {
		u.t.Fatalf("%d is given piece %d, which it was not shown", p, piece)
	}
}

// play tells one fact.
func (u *uploader) play(fact int, p schedule.Peer, next func() int) {
	piece := next() % u.cfg.Pieces()
	switch fact % 8 {
	case 0:
		if !u.here[p] {
			u.join(p)
		}
	case 1:
		if next()%4 == 0 {
			u.leave(p)
		}
	case 2:
		u.show(p, piece, 1)
	case 3, 4:
		u.want(p, piece)
	case 5:
		u.now = u.now.Add(time.Duration(next()) * 10 * time.Millisecond)
	case 6:
		u.send()
	case 7:
		u.s.Full(p, next()%3 == 0 && u.here[p])
		u.s.Rate(p, float64(next()))
	}
}

// finish has a receiver come that asks for whatever it is shown, while the others do nothing.
func (u *uploader) finish() {
	last := schedule.Peer(schedule.MaxPeers - 1)
	for p := range schedule.Peer(6) {
		u.s.Full(p, false)
	}
	u.join(last)
	asked := 0
	for u.next(); len(u.showed[last]) < u.cfg.Pieces(); u.next() {
		moved := false
		for i := range u.cfg.Pieces() {
			if u.showed[last][i] && u.asked[last][leafID{i, 0}] == 0 && !u.got[leafID{i, 0}] {
				u.want(last, i)
				u.got[leafID{i, 0}] = true
				asked++
				moved = true
			}
		}
		for u.send() {
			moved = true
		}
		if at, ok := u.s.Deadline(); !moved && ok && at.After(u.now) {
			u.now = at
		} else if !moved {
			u.t.Fatalf("%d of %d pieces were shown, %d asked for, and nothing is to come", len(u.showed[last]), u.cfg.Pieces(), asked)
		}
	}
}
