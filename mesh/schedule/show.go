package schedule

import (
	"slices"
	"time"
)

// showFirst is how many pieces the uploader shows that have not gone out, before it knows how
// much its line takes.
const showFirst = 3

// When each piece is at one of the others and they lack no more than a third of everything, they have so
// long at a time to get such a part (one in so many) of that from each other, so that the uploader need not
// send it once more.
const (
	spreadSpan = 500 * time.Millisecond
	spreadPart = 8
)

// showing is the uploader's part: which piece it shows to whom.
type showing struct {
	next    int       // pieces from here on were shown to nobody
	again   []int     // pieces whose receiver has left or did not ask
	pending []shown   // pieces that were shown and have not gone out
	ahead   int       // how many of those there may be, at least
	all     bool      // everything is shown to everybody
	out     time.Time // when a leaf last went out for the first time, or everything had; zero before
	looked  time.Time // when it was last looked at how what went out spreads; zero before
	lacked  int       // pieces that the others lacked then, summed over them
}

type shown struct {
	piece int
	peer  Peer
	at    time.Time // since when the peer is waited for; zero: since now
	asked bool
}

// showsTo tells whether a peer was shown a piece.
func (s *Scheduler) showsTo(i int, p Peer) bool {
	return s.pieces[i].held && (!s.cfg.UniqueFirst || s.showing.all || s.pieces[i].shownTo.has(p))
}

// showHeld shows a peer all that is here.
func (s *Scheduler) showHeld(p Peer) {
	for i := 0; i < len(s.pieces); i++ {
		first := i
		for i < len(s.pieces) && s.pieces[i].held {
			i++
		}
		if i > first {
			s.out = append(s.out, Action{Kind: Have, Peer: p, First: first, Count: i - first})
		}
	}
}

// appendShows shows each piece to one peer, so many ahead that the line never idles, and when
// every piece has gone out once and others do not spread them fast, everything to all.
func (s *Scheduler) appendShows(dst []Action, now time.Time) []Action {
	if !s.cfg.UniqueFirst || s.showing.all || s.here == 0 {
		return dst
	}
	waiting := s.dropShown(now)
	for ahead := s.showAhead(); waiting < ahead; waiting++ {
		i, found := s.nextToShow()
		if !found {
			break
		}
		p := s.neediest(s.here &^ s.pieces[i].shownTo)
		s.showOne(i, p, now)
		dst = append(dst, Action{Kind: Have, Peer: p, First: i, Count: 1})
	}
	if s.allOut() && s.needed(now) {
		s.showing.all = true
		for p := range s.here.all() {
			dst = append(dst, Action{Kind: Have, Peer: p, First: 0, Count: len(s.pieces)})
		}
	}
	return dst
}

// allOut tells whether nobody is waited for: each piece has gone out, or everybody was shown it and nobody
// asked in time.
func (s *Scheduler) allOut() bool {
	sh := &s.showing
	return len(sh.pending) == 0 && len(sh.again) == 0 && sh.next == len(s.pieces)
}

// goesOut notes that a leaf of a piece is sent, for the first time as far as the number of those that went out
// tells: whoever asks for the same again and again must not put off that everything is shown.
// Receivers with much to do ask late for what they were shown, and as long as they do there is something that
// others lack more than what went out.
func (s *Scheduler) goesOut(i int, now time.Time) {
	pc := &s.pieces[i]
	pc.sent++
	if pc.gone++; pc.gone <= s.cfg.Leaves(i) {
		s.showing.out = now
	}
}

// needed tells whether it is for the uploader to send once more what others lack: where they show all that
// went out, when that is much or they do not get it from each other fast; else when they have had the time
// to show it, as what is only on its way must not be asked for again.
func (s *Scheduler) needed(now time.Time) bool {
	sh := &s.showing
	if sh.out.IsZero() {
		sh.out = now
	}
	if s.lonely > 0 {
		sh.looked = time.Time{}
		return !now.Before(s.neededAt())
	}
	lacking := 0
	for p := range s.here.all() {
		lacking += len(s.pieces) - s.peers[p].shows
	}
	looked := !sh.looked.IsZero()
	switch {
	case lacking == 0 || 3*lacking > s.here.len()*len(s.pieces):
		return true
	case looked && now.Before(s.neededAt()):
		return false
	case looked && spreadPart*lacking > (spreadPart-1)*sh.lacked:
		return true
	}
	sh.looked, sh.lacked = now, lacking
	return false
}

// neededAt is when that may change though nothing happens.
func (s *Scheduler) neededAt() time.Time {
	if s.lonely > 0 {
		return s.showing.out.Add(s.settling())
	}
	return s.showing.looked.Add(spreadSpan)
}

// settling is how long nothing more may go out for the first time until what nobody shows is shown to all:
// as long as an answer may take, and the next leaf.
func (s *Scheduler) settling() time.Duration {
	next := time.Duration(0)
	if rate := s.sent.rate; rate > 0 {
		next = min(s.cfg.Stall, time.Duration(float64(1000*s.cfg.Leaf)/rate)*time.Millisecond)
	}
	return patienceFor(s.farthest()) + next
}

func (s *Scheduler) showOne(i int, p Peer, now time.Time) {
	s.carry(i, p)
	s.pieces[i].shownTo.add(p)
	s.showing.pending = append(s.showing.pending, shown{piece: i, peer: p, at: now})
}

// carry makes a peer the one that has to pass a piece on, and to whom it goes out from its beginning.
func (s *Scheduler) carry(i int, p Peer) {
	s.passedOn(i, -1)
	s.pieces[i].carrier, s.pieces[i].sent = p, 0
	s.peers[p].carrying++
}

// nextToShow takes the next piece that nobody has and somebody here was not shown.
func (s *Scheduler) nextToShow() (int, bool) {
	sh := &s.showing
	for len(sh.again) > 0 || sh.next < len(s.pieces) {
		i := sh.next
		if len(sh.again) > 0 {
			i = sh.again[0]
			sh.again = sh.again[1:]
			if !s.pieces[i].again { // it was asked for after all
				continue
			}
			s.pieces[i].again = false
		} else {
			sh.next++
		}
		pc := &s.pieces[i]
		if pc.shown == 0 && s.here&^pc.shownTo != 0 {
			return i, true
		}
		if pc.shown == 0 { // everybody was shown it, and any may ask
			s.passedOn(i, -1)
		}
	}
	return 0, false
}

// neediest is the receiver with the least to pass on for what it can send, so that fast ones get
// more of the pieces and none has a long queue. Who cannot take more comes last.
func (s *Scheduler) neediest(from peerSet) Peer {
	sum, known := 0.0, 0.0
	ready := from
	for p := range from.all() {
		if rate := s.peers[p].uploads; rate > 0 {
			sum += rate
			known++
		}
		if s.peers[p].full {
			ready.remove(p)
		}
	}
	if ready == 0 {
		ready = from
	}
	return ready.least(s.rand, func(p Peer) float64 {
		rate := s.peers[p].uploads
		if rate == 0 && known > 0 {
			rate = sum / known
		} else if rate == 0 {
			rate = 1
		}
		return float64(s.peers[p].carrying+1) / rate
	})
}

// dropShown takes off the list what has gone out, and what was not asked for in time, which is
// shown to another. It returns how many of the rest count: not those for peers that cannot take
// more.
func (s *Scheduler) dropShown(now time.Time) (waiting int) {
	sh := &s.showing
	kept, late := sh.pending[:0], false
	for _, one := range sh.pending {
		pc, full := &s.pieces[one.piece], s.peers[one.peer].full
		if one.at.IsZero() || one.asked && !full { // then it waits for us
			one.at = now
		}
		switch {
		case pc.shown != 0 || pc.sent >= s.cfg.Leaves(one.piece):
		case now.Sub(one.at) >= s.patience(one):
			late = late || !one.asked
			s.showAgain(one.piece)
		default:
			kept = append(kept, one)
			if !full {
				waiting++
			}
		}
	}
	sh.pending = kept
	if late { // a receiver that picks single files, or that is far away: show more at a time
		sh.ahead = min(2*sh.ahead, len(s.pieces))
	}
	return waiting
}

// showAhead is how many pieces may be shown that have not gone out: what the line takes until a
// receiver has asked, and a few.
func (s *Scheduler) showAhead() int {
	line := s.sent.rate * (2*s.farthest() + 50*time.Millisecond).Seconds()
	return s.showing.ahead + int(line/float64(s.cfg.Piece))
}

// farthest is the longest round trip to a peer.
func (s *Scheduler) farthest() (far time.Duration) {
	for p := range s.here.all() {
		far = max(far, s.peers[p].roundTrip)
	}
	return far
}

// patienceFor is how long an answer may take from somebody at such a distance.
func patienceFor(roundTrip time.Duration) time.Duration { return 4*roundTrip + 500*time.Millisecond }

// patience is how long a receiver has to ask for what it was shown, and, when it has asked, how long its
// channel may take nothing.
func (s *Scheduler) patience(one shown) time.Duration {
	if one.asked {
		return s.cfg.Stall
	}
	return patienceFor(s.peers[one.peer].roundTrip)
}

// claim gives a piece to the first who asks for it of those that it was shown to, since who did not ask in
// time may still do: before every piece went out once, none goes out to two. It tells whether p gets it.
func (s *Scheduler) claim(p Peer, i int) bool {
	pc := &s.pieces[i]
	if !s.cfg.UniqueFirst || s.showing.all {
		return true
	}
	one := s.pending(i)
	switch {
	case one != nil && (one.peer == p || !one.asked):
		one.peer, one.asked = p, true
	case one == nil && (pc.carrier == p || pc.carrier < 0 && pc.shown == 0): // late, or once more
		pc.again = false
	default:
		pc.shownTo.remove(p)
		return false
	}
	if pc.carrier != p {
		s.carry(i, p)
	}
	if one == nil && pc.shown == 0 && pc.sent < s.cfg.Leaves(i) {
		s.showing.pending = append(s.showing.pending, shown{piece: i, peer: p, asked: true})
	}
	return true
}

// pending is the entry of a piece that was shown and has not gone out, or nil.
func (s *Scheduler) pending(i int) *shown {
	for k := range s.showing.pending {
		if one := &s.showing.pending[k]; one.piece == i {
			return one
		}
	}
	return nil
}

// unclaim notes that a request for leaves of a piece was served or taken back. Who asks for no others of it
// has as long as at first, and is not waited for for ever.
func (s *Scheduler) unclaim(p Peer, i int) {
	asks := func(r request) bool { return r.piece == i }
	if one := s.pending(i); one != nil && one.peer == p && !slices.ContainsFunc(s.peers[p].queue, asks) {
		one.asked = false
	}
}

// passedOn notes that somebody has a piece: its carrier, if that is another, has done its part.
func (s *Scheduler) passedOn(i int, p Peer) {
	pc := &s.pieces[i]
	if pc.carrier >= 0 && pc.carrier != p {
		s.peers[pc.carrier].carrying--
		pc.carrier = -1
	}
}

func (s *Scheduler) showAgain(i int) {
	if pc := &s.pieces[i]; !pc.again {
		pc.again = true
		s.showing.again = append(s.showing.again, i)
	}
}

// showLeft takes back what was shown to a peer that has left and that nobody has.
func (s *Scheduler) showLeft(p Peer) {
	sh := &s.showing
	kept := sh.pending[:0]
	for _, one := range sh.pending {
		if one.peer != p {
			kept = append(kept, one)
		}
	}
	sh.pending = kept
	for i := range s.pieces {
		pc := &s.pieces[i]
		pc.shownTo.remove(p)
		if pc.carrier == p {
			pc.carrier = -1
		}
	}
	s.showUnclaimed()
}

// showUnclaimed has what nobody has or is to pass on shown to those who were not shown it: somebody has come,
// or has left.
func (s *Scheduler) showUnclaimed() {
	for i := range s.showing.next {
		if pc := &s.pieces[i]; pc.shown == 0 && pc.carrier < 0 && s.here&^pc.shownTo != 0 {
			s.showAgain(i)
		}
	}
}
