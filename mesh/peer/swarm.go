package peer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"
	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/schedule"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

const (
	// budget is for leaves that were asked for, over all peers, in bytes.
	budget = 32 << 20
	// houseEvery is how often the swarm looks round without a cause.
	houseEvery = 100 * time.Millisecond
	statEvery  = time.Second
	pingEvery  = 5 * time.Second
	// leastRoundTrip keeps a short line busy: what a program takes to answer is longer than the line, above
	// all on a machine whose processors are busy. A fast peer that is asked for less than it sends in that
	// time runs dry.
	leastRoundTrip = 50 * time.Millisecond
	// partingTime is for the last words.
	partingTime = time.Second
	// flushTime is for leaves that are on their way when a peer leaves.
	flushTime = 3 * time.Second
)

// swarm is the state of a peer. It belongs to one goroutine, that of run; all others post to it.
type swarm struct {
	cfg     Config
	network *network // while it runs
	inbox   chan func()
	ended   chan struct{} // closed when run has returned
	ctx     context.Context
	err     error // why it ends; done is set then
	done    bool
	tasks   sync.WaitGroup // goroutines of links, attempts and disk

	// Introduction.
	room       *room
	online     bool
	endpoint   string             // ours
	relayToken string             // for the server's relay; empty where there is none
	servers    []webrtc.ICEServer // STUN and TURN
	keys       seal.RoomKeys
	token      *seal.SignedToken // ours
	signer     seal.PublicKey    // the uploader's signing key, once known
	uploader   seal.PublicKey    // its agreement key, once known
	uploaderAt string            // its endpoint, by the server's word
	askAt      time.Time         // when to ask again
	waits      bool              // for the uploader's person
	members    map[string]*member
	pairs      map[seal.PublicKey]seal.Pair
	attempts   map[seal.Attempt]*attempt
	early      map[string]earlyOffer             // that came before we were let in, by endpoint
	seen       map[seal.PublicKey][]seal.Attempt // of admitted peers' offers, the last at the end
	banned     map[seal.PublicKey]time.Time
	revoked    seal.Revocations
	revokeList []byte

	// Uploader.
	door   *door
	untold bool // that others cannot be told of all who are put back was said
	guard  *pake.Guard
	codes  map[string]*exchange
	// Requests for a short code that the server may still answer, and whether it has to give ours another number.
	codeAsks  int
	codeMoves bool

	// What is shared.
	blob    []byte
	shared  *Offered
	content *content
	sched   *schedule.Scheduler
	links   map[seal.PublicKey]*link
	slots   [schedule.MaxPeers]*link
	limit   *rate.Limiter
	uplink  schedule.Uplink // sets the limit, while paced
	paced   bool
	picked  *picked // the leaf that is handed next; nil while there is none
	handed  int     // leaves handed to links
	buffers leafBuffers
	actions []schedule.Action

	// How it goes.
	started   time.Time
	checking  *checking // while that goes on
	total     int64     // bytes that are wanted, once known
	verified  int64     // bytes of leaves that came now and are on disk
	held      int64     // bytes that were here at the start
	again     int64     // bytes of leaves that came, and were here or asked for elsewhere
	sentBytes int64
	lastStat  time.Time
	statTaken int64
	statSent  int64
	upNow     float64 // bytes a second
	downNow   float64
	full      bool      // the disk
	roomAt    time.Time // when to look whether it has room again; zero while that is done
	finishing bool
	finished  bool
	servedAt  time.Time // of the last leaf that was sent, or of the end
	leavingAt time.Time // since when others were told that we leave; zero before
	changed   bool      // the source
	// Files that cannot be read, and were told of.
	unreadable map[string]bool
}

func newSwarm(cfg Config) (*swarm, error) {
	keys, err := cfg.Link.Secret.Keys(cfg.Link.Room)
	if err != nil {
		return nil, err
	}
	if (cfg.Share == nil) == (cfg.Fetch == nil) {
		return nil, errors.New("peer: one of Share and Fetch is needed")
	}
	s := &swarm{
		cfg: cfg, keys: keys,
		inbox: make(chan func(), 256), ended: make(chan struct{}),
		members: map[string]*member{}, pairs: map[seal.PublicKey]seal.Pair{}, attempts: map[seal.Attempt]*attempt{},
		early: map[string]earlyOffer{}, banned: map[seal.PublicKey]time.Time{},
		seen: map[seal.PublicKey][]seal.Attempt{}, codes: map[string]*exchange{}, unreadable: map[string]bool{}, links: map[seal.PublicKey]*link{},
		limit: rate.NewLimiter(rate.Inf, 0),
	}
	if cfg.UpRate > 0 {
		s.limit = newLimit(cfg.UpRate)
	}
	s.room = newRoom(cfg.Link.Server, cfg.Log, s.hello, func(m msg.ServerMessage) { s.post(func() { s.heard(m) }) })
	if cfg.Transport.Client != nil {
		s.room.client = cfg.Transport.Client
	}
	if cfg.Share != nil {
		return s, s.share()
	}
	return s, nil
}

// newLimit lets so many bytes of leaves out a second. What a busy program is late by it may make up for.
func newLimit(bytes int) *rate.Limiter {
	const late = 50 * time.Millisecond
	return rate.NewLimiter(rate.Limit(bytes), max(2*manifest.LeafSize, int(float64(bytes)*late.Seconds())))
}

// share makes the uploader of it: everything is here from the start.
func (s *swarm) share() error {
	share := s.cfg.Share
	sign := func(message []byte) ([64]byte, error) { return share.Key.Sign(message) }
	blob, id, err := manifest.Seal(share.Manifest, s.cfg.Link.Room, sign)
	if err != nil {
		return err
	}
	token, err := seal.Token{
		Room: seal.IDOf(s.cfg.Link.Room), Expiry: uint64(share.Expires.Unix()), Rights: seal.Uploader | seal.PassOn,
		DH: s.cfg.Identity.dh.Public(), Fingerprint: s.cfg.Identity.fingerprint,
	}.Sign(share.Key)
	if err != nil {
		return err
	}
	s.token, s.signer, s.uploader = &token, share.Key.Public(), s.cfg.Identity.dh.Public()
	s.door = newDoor(share.Rule, share.Expires)
	s.stayOutside(share.Removed)
	s.blob, s.shared = blob, &Offered{Manifest: share.Manifest, ID: id, Blob: blob, Key: s.signer}
	s.content = &content{
		id: id, layout: share.Manifest.Layout(), key: s.signer, signs: map[int]store.Root{},
		source: share.Source, sign: func(message []byte) (seal.Signature, error) { return share.Key.Sign(message) },
	}
	s.schedule(true)
	s.sched.Hold(0, s.content.layout.Pieces())
	return nil
}

// schedule makes the scheduler for what is shared.
func (s *swarm) schedule(unique bool) {
	l := s.content.layout
	cfg := schedule.DefaultConfig(schedule.Shape{Size: l.Total(), Piece: l.Piece(), Leaf: manifest.LeafSize})
	cfg.Budget, cfg.UniqueFirst = budget, unique
	s.sched = schedule.New(cfg, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
}

// post has f run by the swarm's goroutine. After the end it does nothing.
func (s *swarm) post(f func()) {
	select {
	case s.inbox <- f:
	case <-s.ended:
	}
}

// call is post that waits for the answer; false after the end.
func (s *swarm) call(f func()) bool {
	done := make(chan struct{})
	s.post(func() { f(); close(done) })
	select {
	case <-done:
		return true
	case <-s.ended:
		return false
	}
}

func (s *swarm) run(ctx context.Context) (err error) {
	if s.network, err = newNetwork(s.cfg.Transport); err != nil {
		close(s.ended)
		return err
	}
	defer func() { err = errors.Join(err, s.network.close()) }()
	live, stop := context.WithCancel(context.WithoutCancel(ctx)) // links outlive ctx by their last words
	s.ctx, s.started = live, time.Now()
	s.tasks.Go(func() {
		err := s.room.run(live)
		s.post(func() { s.roomEnded(err) })
	})
	s.takePart(ctx, stop)
	return s.err
}

// takePart owns the swarm until it ends, says goodbye, and waits for all that it has begun.
func (s *swarm) takePart(ctx context.Context, stop context.CancelFunc) {
	timer := time.NewTimer(houseEvery)
	defer timer.Stop()
	for !s.done {
		select {
		case f := <-s.inbox:
			f()
			s.drain()
		case <-timer.C:
		case <-ctx.Done():
			s.end(context.Cause(ctx))
			continue
		}
		now := time.Now()
		s.house(now)
		timer.Reset(min(houseEvery, s.advance(now)))
	}
	s.part()
	stop()
	close(s.ended)
	s.tasks.Wait()
}

// drain runs what has gathered, so that the scheduler is asked once for all of it.
func (s *swarm) drain() {
	for range cap(s.inbox) {
		select {
		case f := <-s.inbox:
			f()
		default:
			return
		}
	}
}

// end makes run return err.
func (s *swarm) end(err error) {
	if !s.done {
		s.done, s.err = true, err
	}
}

// part says goodbye, and gives it a moment to get out.
func (s *swarm) part() {
	s.announce(time.Now())
	reason := wire.GoesAway
	if s.finished {
		reason = wire.Done
	}
	if errors.Is(s.err, ErrChanged) {
		reason = wire.SourceChanged
	} else {
		s.flushLanes()
	}
	for _, l := range s.links {
		s.bye(l, reason, "")
	}
	late := time.NewTimer(partingTime)
	defer late.Stop()
	for len(s.links) > 0 {
		select {
		case f := <-s.inbox:
			f()
		case <-late.C:
			for _, l := range s.links {
				s.unlink(l)
			}
		}
	}
	for _, a := range s.attempts {
		s.giveUp(a)
	}
}

// flushLanes waits until leaves that were handed to links have arrived: nobody else may have them, and
// what lies in a channel is lost when it is closed.
func (s *swarm) flushLanes() {
	const look = 20 * time.Millisecond
	tick, late := time.NewTicker(look), time.NewTimer(flushTime)
	defer tick.Stop()
	defer late.Stop()
	for s.underWay() {
		select {
		case f := <-s.inbox:
			f()
		case <-tick.C:
		case <-late.C:
			return
		}
	}
}

func (s *swarm) underWay() bool {
	for _, l := range s.links {
		if !l.dead && (l.queued > 0 || l.buffered() > 0) {
			return true
		}
	}
	return false
}

// house looks after what time alone changes.
func (s *swarm) house(now time.Time) {
	s.expireAttempts(now)
	s.relayLate(now)
	s.askAgain(now)
	s.connect(now)
	s.expireCodes(now)
	s.lookForRoom(now)
	if now.Sub(s.lastStat) >= statEvery {
		s.report(now)
		s.lookAtLanes(now)
		s.sweep(now)
	}
	for _, l := range s.links {
		if now.Sub(l.pinged) >= pingEvery {
			s.ping(l, now)
		}
	}
	s.checkEnd(now)
}

// advance carries out what the scheduler wants, and returns how long it has nothing to do.
func (s *swarm) advance(now time.Time) time.Duration {
	if s.sched == nil {
		return houseEvery
	}
	s.actions = s.sched.AppendNext(s.actions[:0], now)
	s.act(s.actions)
	idle := s.pace(now)
	idle = min(idle, s.feed(now))
	if at, ok := s.sched.Deadline(); ok {
		idle = min(idle, at.Sub(now))
	}
	return max(time.Millisecond, idle)
}

type changedError struct{ err error }

func (e *changedError) Error() string { return e.err.Error() }

func (e *changedError) Unwrap() []error { return []error{ErrChanged, e.err} }
