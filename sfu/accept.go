package sfu

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// Publish accepts a WHIP offer for the stream, which is made when there is none, and takes
// over from a publisher that is there: its session ends with media.CloseReplaced, the
// viewers stay. Errors wrap media.ErrBadOffer, ErrPlayoutDelay, ErrBusy or ErrClosed.
func (s *SFU) Publish(ctx context.Context, name, text string, options media.PublishOptions) (media.Answer, error) {
	if d := options.PlayoutDelay; d != nil && d.Validate() != nil {
		return media.Answer{}, media.ErrPlayoutDelay
	}
	o, err := parseOffer(media.RolePublisher, text)
	if err != nil {
		return media.Answer{}, err
	}
	st, err := s.reserve(media.RolePublisher, name)
	if err != nil {
		return media.Answer{}, err
	}
	p, answer, err := newPublisher(ctx, s, st, o, text, options)
	if err != nil {
		s.release(st)
		return media.Answer{}, err
	}
	sess := newSession(p.id, media.RolePublisher, st, o)
	sess.publisher, sess.remote, sess.etag = p, o.ice, newToken()
	s.routes.addUfrag(p.ufrag, route{publisher: p})
	if err := s.takeOver(sess); err != nil {
		s.routes.removeUfrag(p.ufrag)
		_ = p.pc.GracefulClose() // nobody has connected to it yet
		s.release(st)
		return media.Answer{}, err
	}
	s.log.Debug("publisher accepted", "stream", name, "session", p.id.Short())
	return media.Answer{Session: p.id, SDP: answer, ETag: sess.etag}, nil
}

// takeOver makes the session the stream's publisher and ends the one before.
func (s *SFU) takeOver(sess *session) error {
	s.mu.Lock()
	if err := s.open(sess.stream); err != nil {
		s.mu.Unlock()
		return err
	}
	s.sessions[sess.id] = sess
	old := sess.stream.pub.Swap(sess.publisher)
	s.tasks.Go(sess.publisher.loop)
	s.mu.Unlock()
	if old != nil {
		old.end(media.CloseReplaced)
	}
	return nil
}

// open tells whether a session may still be added to the stream that it has reserved. The
// caller holds mu.
func (s *SFU) open(st *stream) error {
	switch {
	case s.closed:
		return media.ErrClosed
	case s.streams[st.name] != st: // closed since; the name may be another stream's by now
		return fmt.Errorf("%w: the stream was closed meanwhile", media.ErrBusy)
	}
	return nil
}

// Subscribe accepts a WHEP offer. The stream need not be live. Errors wrap
// media.ErrBadOffer, ErrBusy or ErrClosed.
func (s *SFU) Subscribe(_ context.Context, name, text string) (media.Answer, error) {
	st, err := s.reserve(media.RoleSubscriber, name) // whoever is refused has cost next to nothing
	if err != nil {
		return media.Answer{}, err
	}
	enrolled := false
	defer func() {
		if !enrolled { // whatever the offer's text did
			s.release(st)
		}
	}()
	began := time.Now()
	// Many who ask at once wait for each other and not media for them: whoever has media to send
	// runs when at most one offer a CPU has been dealt with.
	s.offers <- struct{}{}
	defer func() { <-s.offers }()
	o, err := parseOffer(media.RoleSubscriber, text)
	if err != nil {
		return media.Answer{}, err
	}
	now := time.Now()
	sess := newSession(newSessionID(), media.RoleSubscriber, st, o)
	sess.began = began
	sess.local, sess.remote, sess.etag = lite.NewCredentials(), o.ice, newToken()
	v, ssrcs := s.newViewer(sess, o, now)
	sess.viewer = v
	if err := s.enrol(sess); err != nil {
		return media.Answer{}, err
	}
	enrolled = true
	answer := answerViewer(o, answerParams{
		origin: randomUint64() >> 1, ice: sess.local, fingerprint: s.fingerprint,
		candidates: candidateLines(s.addresses.list(now)), cname: v.cname, stream: "fanfare", ssrcs: ssrcs,
	})
	s.log.Debug("viewer accepted", "stream", name, "session", sess.id.Short())
	return media.Answer{Session: sess.id, SDP: answer, ETag: sess.etag}, nil
}

// newViewer makes the viewer's leg and tracks. Memory held by the offer's text is let go.
func (s *SFU) newViewer(sess *session, o *offer, now time.Time) (*viewer, []trackSSRC) {
	v := &viewer{
		id: sess.id, stream: sess.stream, fingerprints: o.fingerprints, cname: newToken(),
	}
	cfg := lite.Config{Local: sess.local, Remote: sess.remote, ConnectTimeout: s.cfg.ConnectTimeout}
	v.estimator = estimate.New(estimate.Config{Initial: firstEstimate})
	v.tracks = make([]egress, 0, maxTracks)
	ssrcs := make([]trackSSRC, len(o.tracks))
	for i := range o.tracks {
		if o.tracks[i].live {
			ssrcs[i].main = randomSSRC()
			if o.tracks[i].hasRTX() {
				ssrcs[i].rtx = randomSSRC()
			}
			if s.cfg.Parity && o.tracks[i].parity.pt != 0 {
				ssrcs[i].parity = randomSSRC()
			}
			if o.tracks[i].repeatsAsSent() {
				cfg.Repeats = append(cfg.Repeats, ssrcs[i].main)
			}
			v.tracks = append(v.tracks, newEgress(&o.tracks[i], ssrcs[i], o.tracks[i].ownElements()))
			v.estimates = v.estimates || o.tracks[i].estimates()
		}
	}
	// The picture goes first: a smaller packet of sound behind packets of one size leaves in the
	// same message, as its last segment.
	slices.SortStableFunc(v.tracks, func(a, b egress) int { return cmp.Compare(b.kind, a.kind) })
	v.leg = lite.New(cfg, now)
	return v, ssrcs
}

// enrol gives the viewer to the worker with the fewest.
func (s *SFU) enrol(sess *session) error {
	v := sess.viewer
	w, err := s.place(sess)
	if err != nil {
		return err
	}
	s.routes.addUfrag(sess.local.Ufrag, route{viewer: v})
	w.post(command{kind: commandAdd, viewer: v})
	return nil
}

// place registers the session and finds its worker.
func (s *SFU) place(sess *session) (*worker, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(sess.stream); err != nil {
		return nil, err
	}
	w := s.workers[0]
	for _, other := range s.workers[1:] {
		if other.load.Load() < w.load.Load() {
			w = other
		}
	}
	w.load.Add(1)
	sess.viewer.shard = sess.stream.shardOf(w)
	sess.stream.viewers++
	s.sessions[sess.id] = sess
	return w, nil
}

// reserve finds or makes the stream and takes a place among the unfinished sessions. A crowd of viewers leaves some to
// publishers, who have shown a key.
func (s *SFU) reserve(role media.Role, name string) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case s.closed:
		return nil, media.ErrClosed
	case role == media.RolePublisher && s.unfinished >= s.cfg.MaxUnfinished+publisherPlaces:
		return nil, media.ErrBusy
	case role == media.RoleSubscriber && !s.admission.admit(s.unfinished, now):
		return nil, media.BusyError{After: s.admission.refuse(now)}
	}
	st := s.streams[name]
	if st == nil {
		st = &stream{name: name}
		s.streams[name] = st
	}
	st.sessions++
	s.unfinished++
	return st, nil
}

// release undoes reserve for a session that came to nothing.
func (s *SFU) release(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfinished--
	s.leave(st)
}

// leave takes a session off the stream, which is forgotten with the last. The caller holds mu.
func (s *SFU) leave(st *stream) {
	st.sessions--
	if st.sessions == 0 && s.streams[st.name] == st {
		delete(s.streams, st.name)
	}
}

func newSession(id media.SessionID, role media.Role, st *stream, o *offer) *session {
	sess := &session{id: id, role: role, stream: st}
	for i := range o.tracks {
		if t := &o.tracks[i]; t.live {
			if len(sess.mids) == 0 {
				sess.kind = t.kind
			}
			sess.mids = append(sess.mids, t.mid)
		}
	}
	return sess
}

// firstEstimate is what a viewer's line is taken for until its first feedback, some 200 ms: enough for
// a good picture at once, and for narrower lines soon corrected.
const firstEstimate = 2_000_000
