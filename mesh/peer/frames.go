package peer

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// banTime is how long a peer that broke the protocol is left alone. One that sent a bad leaf is left
// alone for good.
const (
	banTime = 30 * time.Second
	forGood = 100 * 365 * 24 * time.Hour
)

// maxShown is how many ranges of HAVE are kept of a peer before we know what is shared.
const maxShown = 64 * wire.MaxRanges

// link takes up a peer whose HELLO was right. An older connection to it gives way: the other side has
// made a new one, since the old one failed it.
func (s *swarm) link(a *attempt, theirs wire.Hello, over connection, ctx context.Context, drop context.CancelFunc) {
	if old := s.links[a.peer]; old != nil {
		if old.stays(a.id) {
			drop()
			s.tasks.Go(over.close)
			return
		}
		s.unlink(old)
	}
	slot := -1
	for i, l := range s.slots {
		if l == nil {
			slot = i
			break
		}
	}
	l := &link{
		attempt: a.id, peer: a.peer, token: *a.token, pair: a.pair, conn: over, largest: min(int(theirs.Largest), largestMessage),
		slot: schedule.Peer(slot), since: time.Now(), ctx: ctx, drop: drop,
		outbox: newOutbox(), feed: make(chan schedule.Send, feedQueue), pinged: time.Now(),
	}
	l.control, l.lane = over.channels()
	s.tasks.Go(func() {
		err := l.writeControl()
		s.post(func() { s.controlWritten(l, err) })
	})
	if slot < 0 {
		s.bye(l, wire.TooManyPeers, "")
		return
	}
	s.links[l.peer], s.slots[slot] = l, l
	s.cfg.Log.Debug("connected", "serial", l.token.Serial, "slot", slot, "relayed", over.relayed())
	s.tasks.Go(func() {
		err := l.readControl(func(f wire.Frame) { s.post(func() { s.frame(l, f) }) })
		s.post(func() { s.broke(l, err) })
	})
	s.tasks.Go(func() {
		err := l.readLane(intake{
			expects: func(piece, leaf int) (schedule.Expectation, int) { return s.expects(l, piece, leaf) },
			whole:   func(leaf *wire.Parts, piece, index int) error { return s.takeLeaf(l, leaf, piece, index) },
			buffers: &s.buffers,
		})
		s.post(func() { s.broke(l, err) })
	})
	s.tasks.Go(func() {
		select {
		case <-l.conn.lostC():
			s.post(func() { s.unlink(l) })
		case <-l.ctx.Done():
		}
	})
	s.greetLink(l, theirs)
}

// stays tells whether a link does not give way to a new connection: when both were made at the same time,
// since both sides had offered, both sides have to keep the same one.
func (l *link) stays(other seal.Attempt) bool {
	const together = 5 * time.Second
	return !l.dead && time.Since(l.since) < together && bytes.Compare(l.attempt[:], other[:]) > 0
}

// greetLink tells a new peer all that it has to know.
func (s *swarm) greetLink(l *link, theirs wire.Hello) {
	s.say(l, wire.Ping{Value: uint64(time.Since(s.started))})
	if s.revokeList != nil {
		s.say(l, wire.Revoke{List: s.revokeList})
	}
	if s.blob != nil && !theirs.Seed {
		s.sendBlob(l)
	}
	if s.sched != nil {
		s.join(l)
	}
	if m := s.memberOf(l.peer); m != nil {
		m.pause = 0
	}
}

func (s *swarm) memberOf(dh seal.PublicKey) *member {
	for _, m := range s.members {
		if m.dh != nil && *m.dh == dh {
			return m
		}
	}
	return nil
}

func (s *swarm) sendBlob(l *link) {
	for f := range wire.CutManifest(s.blob, l.largest) {
		s.say(l, f)
	}
	l.sentBlob = true
}

// join makes a link part of what the scheduler knows.
func (s *swarm) join(l *link) {
	s.sched.PeerJoined(l.slot, 1, max(leastRoundTrip, l.rtt))
	s.tasks.Go(func() {
		err := l.sendLeaves(feeder{
			content: s.content, limit: s.limit,
			sent: func(n schedule.Send, err error) { s.post(func() { s.sent(l, n, err) }) },
		})
		s.post(func() { s.broke(l, err) })
	})
	for _, r := range l.shown {
		s.shows(l, r)
	}
	l.shown = nil
}

// bye ends a link with a word; its connection is closed when that is out, or soon.
func (s *swarm) bye(l *link, reason wire.ByeReason, text string) {
	if l.dead {
		return
	}
	l.outbox.put(wire.Bye{Reason: reason, Text: text})
	s.forget(l)
	time.AfterFunc(partingTime, l.drop)
}

// controlWritten: a link's writer has ended, by BYE or by an error.
func (s *swarm) controlWritten(l *link, err error) {
	if !l.dead {
		s.broke(l, err)
		return
	}
	// What is in the channel goes out before it is closed; the other side closes first where it is there.
	s.tasks.Go(func() {
		l.flush()
		l.drop()
		l.conn.close()
		s.post(func() { s.unlink(l) })
	})
}

// flush waits until the last words have left.
func (l *link) flush() {
	low := make(chan struct{}, 1)
	l.control.SetBufferedAmountLowThreshold(0)
	l.control.OnBufferedAmountLow(func() {
		select {
		case low <- struct{}{}:
		default:
		}
	})
	late := time.NewTimer(partingTime / 2)
	defer late.Stop()
	for l.control.BufferedAmount() > 0 {
		select {
		case <-low:
		case <-l.conn.lostC():
			return
		case <-late.C:
			return
		}
	}
}

// forget takes a link out of all that is decided; its connection may live a moment longer.
func (s *swarm) forget(l *link) {
	if l.dead {
		return
	}
	l.dead = true
	if l.slot >= 0 && s.slots[l.slot] == l {
		s.slots[l.slot] = nil
		s.handed -= l.queued
		if s.sched != nil {
			s.sched.PeerLeft(l.slot)
		}
	}
	if m := s.memberOf(l.peer); m != nil {
		m.next = time.Now().Add(s.headStart(l.peer) + m.pause)
	}
}

// unlink drops a connection at once.
func (s *swarm) unlink(l *link) {
	s.forget(l)
	if s.links[l.peer] == l {
		delete(s.links, l.peer)
	}
	l.drop()
	s.tasks.Go(l.conn.close)
}

// broke: a goroutine of a link has ended. What the other side is to blame for is held against it.
func (s *swarm) broke(l *link, err error) {
	if l.dead || err == nil {
		return
	}
	now := time.Now()
	switch {
	case errors.Is(err, errBadLeaf):
		s.banned[l.peer] = now.Add(forGood)
		s.cfg.Tell(Wrong{s.nameOf(l)})
		s.bye(l, wire.BadLeaf, "")
	case protocolError(err):
		s.cfg.Log.Debug("a peer broke the protocol", "serial", l.token.Serial, "error", err)
		s.banned[l.peer] = now.Add(banTime)
		s.bye(l, wire.BrokeProtocol, "")
	default:
		s.unlink(l)
	}
}

func protocolError(err error) bool {
	for _, one := range []error{
		wire.ErrType, wire.ErrChannel, wire.ErrLength, wire.ErrValue, errFlood, errUnasked,
		schedule.ErrRange, schedule.ErrTooMuch, errOrder, manifest.ErrSignature,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

func (s *swarm) nameOf(l *link) string {
	if s.door != nil {
		if g := s.door.guests[l.peer]; g != nil {
			return g.name
		}
	}
	return ""
}

var errOrder = errors.New("a frame that may not come now")

// frame takes a frame of a control channel.
func (s *swarm) frame(l *link, f wire.Frame) {
	if l.dead || s.done {
		if _, last := f.(wire.Bye); last && l.dead {
			s.unlink(l)
		}
		return
	}
	if err := s.handle(l, f, time.Now()); err != nil {
		s.broke(l, err)
	}
}

func (s *swarm) handle(l *link, f wire.Frame, now time.Time) error {
	switch f := f.(type) {
	case wire.Manifest:
		return s.manifestPart(l, f)
	case wire.Bitfield:
		return s.bitfield(l, f)
	case wire.Have:
		for _, r := range f.Ranges {
			if err := s.shows(l, r); err != nil {
				return err
			}
		}
	case wire.Want:
		if s.sched == nil {
			s.say(l, wire.Reject{Leaves: f.Leaves, Reason: wire.NotHeld})
			return nil
		}
		return s.sched.Wanted(l.slot, int(f.Piece), int(f.First), int(f.Count))
	case wire.Cancel:
		if s.sched != nil {
			return s.sched.Cancelled(l.slot, int(f.Piece), int(f.First), int(f.Count))
		}
	case wire.Reject:
		if s.sched != nil {
			return s.sched.Rejected(l.slot, int(f.Piece), int(f.First), int(f.Count), schedule.Reason(f.Reason), now)
		}
	case wire.Stat:
		l.stat, l.statAt = f, now
		if s.sched != nil {
			s.sched.Rate(l.slot, float64(f.Up))
		}
	case wire.Revoke:
		return s.revokeFrame(f)
	case wire.Bye:
		s.saidBye(l, f)
	case wire.Ping:
		s.say(l, wire.Pong{Value: f.Value})
	case wire.Pong:
		s.pong(l, f, now)
	default:
		return errOrder // a second HELLO
	}
	return nil
}

func (s *swarm) pong(l *link, f wire.Pong, now time.Time) {
	took := now.Sub(s.started) - time.Duration(f.Value)
	if took <= 0 || l.rtt != 0 && took >= l.rtt {
		return
	}
	l.rtt = took
	if s.sched != nil {
		s.sched.Line(l.slot, 1, max(leastRoundTrip, took))
	}
}

func (s *swarm) saidBye(l *link, f wire.Bye) {
	s.cfg.Log.Debug("a peer says goodbye", "serial", l.token.Serial, "reason", f.Reason, "text", f.Text)
	s.unlink(l)
	uploader := l.token.Rights&seal.Uploader != 0
	m := s.memberOf(l.peer)
	switch {
	case f.Reason == wire.SourceChanged && uploader:
		s.changed = true
	case f.Reason == wire.NotAdmitted && uploader:
		s.end(ErrRemoved)
	case f.Reason == wire.BadLeaf || f.Reason == wire.BrokeProtocol || f.Reason == wire.TooManyPeers:
		s.banned[l.peer] = time.Now().Add(banTime)
	case m != nil: // it leaves; if it stays in the room after all, we try again later
		m.next = time.Now().Add(longestRetry)
	}
}

// manifestPart puts the manifest together, and has it accepted when it is whole and good.
func (s *swarm) manifestPart(l *link, f wire.Manifest) error {
	if l.gotBlob {
		return errOrder
	}
	if s.shared != nil { // ours is known: what comes again is passed over
		return nil
	}
	blob, err := l.blob.Add(f)
	if blob == nil || err != nil {
		return err
	}
	l.gotBlob, l.blob = true, wire.Blob{}
	m, id, err := manifest.Open(blob, s.cfg.Link.Room, func(message []byte, signature [64]byte) bool {
		return seal.Verify(s.signer, signature, message) == nil
	})
	if errors.Is(err, manifest.ErrSignature) {
		return err
	}
	if err != nil { // signed by the uploader itself, and yet not acceptable
		s.end(err)
		return nil
	}
	s.blob, s.shared = blob, &Offered{m, id, blob}
	for _, other := range s.links {
		if other != l && !other.dead {
			other.blob = wire.Blob{}
			s.sendBlob(other)
		}
	}
	s.accept()
	return nil
}

// accept asks whether what is shared is wanted, and where it goes.
func (s *swarm) accept() {
	offered := *s.shared
	s.tasks.Go(func() {
		sink, err := s.cfg.Fetch.Accept(s.ctx, offered)
		s.post(func() {
			if err != nil || sink == nil {
				s.end(err)
				return
			}
			s.begun(sink)
		})
	})
}

// begun starts to fetch, with what the sink has from an earlier run.
func (s *swarm) begun(sink *store.Sink) {
	l := sink.Layout()
	s.content = &content{id: s.shared.ID, layout: l, key: s.signer, sink: sink}
	s.schedule(false)
	now := time.Now()
	for i := range l.Pieces() {
		if sink.Whole(i) {
			s.sched.Hold(i, 1)
			s.held += int64(l.PieceLen(i))
		}
		if !sink.Wanted(i) {
			s.sched.Select(i, 1, false, now)
		}
	}
	for _, one := range s.links {
		if !one.dead {
			s.join(one)
		}
	}
}

func (s *swarm) bitfield(l *link, f wire.Bitfield) error {
	if s.content != nil && int(f.Pieces) != s.content.layout.Pieces() {
		return wire.ErrValue
	}
	for i := uint32(0); i < f.Pieces; i++ {
		first := i
		for i < f.Pieces && f.Has(i) {
			i++
		}
		if i > first {
			if err := s.shows(l, wire.Range{First: first, Count: i - first}); err != nil {
				return err
			}
		}
	}
	return nil
}

// shows notes what a peer has.
func (s *swarm) shows(l *link, r wire.Range) error {
	if s.sched != nil {
		return s.sched.Shown(l.slot, int(r.First), int(r.Count))
	}
	if len(l.shown) >= maxShown {
		return errFlood
	}
	if n := len(l.shown); n > 0 && l.shown[n-1].First+l.shown[n-1].Count == r.First {
		l.shown[n-1].Count += r.Count
		return nil
	}
	l.shown = append(l.shown, r)
	return nil
}

// revokeFrame takes a newer list and passes it on.
func (s *swarm) revokeFrame(f wire.Revoke) error {
	r, err := seal.VerifyRevocations(f.List, s.signer, s.cfg.Link.Room)
	if err != nil {
		return errOrder
	}
	if r.Version > s.revoked.Version {
		s.revoke(r, f.List)
	}
	return nil
}

func (s *swarm) revoke(r seal.Revocations, list []byte) {
	s.revoked, s.revokeList = r, list
	for _, l := range s.links {
		if r.Has(l.token.Serial) {
			s.bye(l, wire.NotAdmitted, "")
			continue
		}
		s.say(l, wire.Revoke{List: list})
	}
	for _, a := range s.attempts {
		if a.token != nil && r.Has(a.token.Serial) {
			s.giveUp(a)
		}
	}
}

// expects tells a lane's reader what to make of a leaf that begins to come.
func (s *swarm) expects(l *link, piece, leaf int) (e schedule.Expectation, size int) {
	s.call(func() {
		if l.dead || s.sched == nil {
			return
		}
		if e = s.sched.Expects(l.slot, piece, leaf, time.Now()); e != schedule.Unasked {
			size = s.content.layout.LeafLen(piece, leaf)
		}
	})
	if e != schedule.Unasked && size == 0 {
		e = schedule.Unasked
	}
	return e, size
}

// takeLeaf runs in a lane's goroutine: it verifies, stores, and tells. A full disk is no fault of the
// peer's; other errors of the disk end the transfer.
func (s *swarm) takeLeaf(l *link, leaf *wire.Parts, piece, index int) error {
	err := s.content.take(leaf, piece, index)
	switch {
	case errors.Is(err, errBadLeaf):
		return err
	case errors.Is(err, store.ErrFull):
		s.post(func() { s.diskFull(err) })
	case err != nil:
		s.post(func() { s.end(err) })
	default:
		s.post(func() { s.arrived(l, piece, index) })
	}
	return nil
}

func (s *swarm) arrived(l *link, piece, index int) {
	if l.dead {
		// Its bytes are good and on disk, but the scheduler has asked others for them.
		return
	}
	if !s.sched.LeafArrived(l.slot, piece, index, time.Now()) {
		return
	}
	bytes := int64(s.content.layout.LeafLen(piece, index))
	l.taken += bytes
	s.fullTold = false
	s.verified += bytes
	if s.sched.Has(piece) {
		s.content.sink.Complete(piece)
	}
}

// diskFull stops asking; what is here stays, and what comes is passed over.
func (s *swarm) diskFull(err error) {
	first := s.fullSince.IsZero()
	s.fullSince = time.Now()
	if !first {
		return
	}
	if !s.fullTold {
		s.fullTold = true
		s.cfg.Tell(Full{err})
	}
	s.sched.Select(0, s.content.layout.Pieces(), false, time.Now())
}

// retryDisk asks again some time after the disk was full.
func (s *swarm) retryDisk(now time.Time) {
	if s.fullSince.IsZero() || now.Sub(s.fullSince) < fullPause {
		return
	}
	s.fullSince = time.Time{}
	for i := range s.content.layout.Pieces() {
		if s.content.sink.Wanted(i) {
			s.sched.Select(i, 1, true, now)
		}
	}
}

// checkEnd finishes when nothing is missing, and ends when nobody is waited for.
func (s *swarm) checkEnd(now time.Time) {
	if s.cfg.Fetch == nil || s.done {
		return
	}
	if s.changed && !s.finishing && (s.sched == nil || s.sched.Missing() > 0 && !s.sched.SwarmHolds()) {
		s.end(ErrChanged)
		return
	}
	if s.sched == nil || s.sched.Missing() > 0 || !s.fullSince.IsZero() {
		return
	}
	if !s.finishing {
		s.finishing = true
		s.tasks.Go(func() {
			names, err := s.content.sink.Finish()
			s.post(func() { s.finish(names, err) })
		})
		return
	}
	// Who is being served may have the rest of what it asked for.
	const linger, longest = 300 * time.Millisecond, 5 * time.Second
	if s.finished && !s.cfg.Fetch.Seed && (s.handed == 0 && now.Sub(s.servedAt) > linger || now.Sub(s.lastFinish) > longest) {
		s.end(nil)
	}
}

func (s *swarm) finish(names []string, err error) {
	if errors.Is(err, store.ErrFull) { // the journal had no room; all is stored
		s.finishing = false
		s.fullSince = time.Now()
		s.cfg.Tell(Full{err})
		return
	}
	if err != nil {
		s.end(err)
		return
	}
	s.finished, s.servedAt, s.lastFinish = true, time.Now(), time.Now()
	s.report(time.Now())
	s.cfg.Tell(Finished{names})
}
