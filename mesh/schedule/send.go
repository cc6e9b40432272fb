package schedule

import (
	"slices"
	"time"
)

// request is a WANT that waits, or what is left of it: leaves first to end-1.
type request struct{ piece, first, end int }

// turn is a request that is being served.
type turn struct {
	peer Peer
	request
}

// Send is a leaf to be sent to a peer.
type Send struct {
	Peer        Peer
	Piece, Leaf int
}

// Wanted tells that a peer asks for leaves. Who asks for more than one peer may breaks the
// protocol.
func (s *Scheduler) Wanted(p Peer, piece, first, count int) error {
	if !s.exists(piece, first, count) {
		return ErrRange
	}
	if !s.here.has(p) {
		return nil
	}
	if !s.showsTo(piece, p) || !s.claim(p, piece) {
		s.out = append(s.out, Action{Kind: Reject, Peer: p, Piece: piece, First: first, Count: count, Reason: NotHere})
		return nil
	}
	r := request{piece, first, first + count}
	at := &s.peers[p]
	if at.queued+s.bytes(r) > s.cfg.Pair {
		return ErrTooMuch
	}
	at.queued += s.bytes(r)
	at.queue = append(at.queue, r)
	return nil
}

func (s *Scheduler) bytes(r request) int64 {
	last := s.cfg.LeafBytes(r.piece, r.end-1)
	return int64(r.end-1-r.first)*s.cfg.Leaf + last
}

// Cancelled tells that a peer no longer asks for leaves.
func (s *Scheduler) Cancelled(p Peer, piece, first, count int) error {
	if !s.exists(piece, first, count) {
		return ErrRange
	}
	at := &s.peers[p]
	queue := at.queue
	for k, t := range s.turns {
		if t.peer == p && t.piece == piece {
			queue = append([]request{t.request}, queue...)
			s.turns = slices.Delete(s.turns, k, k+1)
			break
		}
	}
	at.queue, at.queued = nil, 0
	end := first + count
	for _, r := range queue {
		if r.piece != piece || r.end <= first || end <= r.first {
			s.enqueue(at, r)
			continue
		}
		s.enqueue(at, request{piece, r.first, min(r.end, first)})
		s.enqueue(at, request{piece, max(r.first, end), r.end})
	}
	s.pieces[piece].sentTo.remove(p)
	s.unclaim(p, piece)
	return nil
}

func (s *Scheduler) enqueue(at *peer, r request) {
	if r.first < r.end {
		at.queue = append(at.queue, r)
		at.queued += s.bytes(r)
	}
}

// Full tells whether a peer's channel takes more.
func (s *Scheduler) Full(p Peer, full bool) { s.peers[p].full = full }

// NextSend returns the leaf that is to be sent next; call it whenever the line has room, and Sent
// when the leaf has left. One peer is served at a time, another while its channel is full, and so
// on; whose turn has begun goes on first.
func (s *Scheduler) NextSend(now time.Time) (Send, bool) {
	for k := 0; ; k++ {
		if k == len(s.turns) && !s.openTurn() {
			return Send{}, false
		}
		t := &s.turns[k]
		at := &s.peers[t.peer]
		if at.full {
			continue
		}
		next := Send{t.peer, t.piece, t.first}
		s.sent.begin(now)
		s.handed++
		at.handed++
		at.queued -= s.cfg.LeafBytes(t.piece, t.first)
		s.goesOut(t.piece, now)
		if t.first++; t.first == t.end {
			s.turns = slices.Delete(s.turns, k, k+1)
			s.unclaim(next.Peer, next.Piece)
		}
		return next, true
	}
}

// Sent tells that a leaf has left.
func (s *Scheduler) Sent(n Send, now time.Time) {
	at := &s.peers[n.Peer]
	if at.handed == 0 { // the peer has left meanwhile
		return
	}
	at.handed--
	s.handed--
	s.sent.add(s.cfg.LeafBytes(n.Piece, n.Leaf), now, s.handed > 0 || s.Waiting())
}

// Waiting tells whether somebody asks for leaves that are not on their way.
func (s *Scheduler) Waiting() bool {
	for p := range s.here.all() {
		if s.peers[p].queued > 0 {
			return true
		}
	}
	return false
}

// openTurn begins to serve another request: of the peer that has waited longest, the piece with
// the fewest copies, for with that it has something to pass on. Rarest first over all peers would
// starve who is behind, since what it lacks is what most have.
func (s *Scheduler) openTurn() bool {
	waiting := s.here
	for _, t := range s.turns {
		waiting.remove(t.peer)
	}
	chosen := Peer(-1)
	for p := range waiting.all() {
		at := &s.peers[p]
		if !at.full && len(at.queue) > 0 && (chosen < 0 || at.served < s.peers[chosen].served) {
			chosen = p
		}
	}
	if chosen < 0 {
		return false
	}
	at := &s.peers[chosen]
	rarest := 0
	for k, r := range at.queue {
		if s.copies(r.piece) < s.copies(at.queue[rarest].piece) {
			rarest = k
		}
	}
	r := at.queue[rarest]
	at.queue = slices.Delete(at.queue, rarest, rarest+1)
	s.turn++
	at.served = s.turn
	s.pieces[r.piece].sentTo.add(chosen)
	s.turns = append(s.turns, turn{chosen, r})
	return true
}

// copies is how many others have a piece or are being sent it by us.
func (s *Scheduler) copies(i int) int {
	return (s.pieces[i].shown | s.pieces[i].sentTo).len()
}

// endTurn forgets what is being sent to a peer.
func (s *Scheduler) endTurn(p Peer) {
	for k, t := range s.turns {
		if t.peer == p {
			s.turns = slices.Delete(s.turns, k, k+1)
			return
		}
	}
}
