package peer

import (
	"context"
	"errors"
	"flag"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

var faultCount = flag.Int("faults", 1_500, "how many faults TestFaults injects")

// TestFaults sends what one peer shares to another over a line that flips bits, cuts, doubles and swaps frames, both
// ways and on both channels. Both are the peers of the program, with their stores on disk; only the line is not, and
// time is virtual. What a frame breaks ends the connection, and another begins; where it ends the receiver, another
// goes on in the same folder. No wrong byte is ever stored, and once the line is good the receiver finishes.
func TestFaults(t *testing.T) {
	from := t.TempDir()
	// The large one is not wanted, and all zeros: it is there so that pieces have several leaves.
	paths := []string{random(t, filepath.Join(from, "small.bin"), 4<<20+12_345), filepath.Join(from, "large.bin")}
	if err := errors.Join(os.WriteFile(paths[1], nil, 0o666), os.Truncate(paths[1], 128<<20)); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t}
	link, share := r.offer(paths...)
	w := &faultWorld{t: t, link: link, share: share, us: r.identity(), them: r.identity(), want: sums(t, from)["/small.bin"]}
	w.line = &faultyLine{random: mathrand.New(mathrand.NewPCG(5, 6))}
	synctest.Test(t, w.run)
	t.Logf("figure: faults injected = %d", w.line.injected.Load())
	t.Logf("figure: transfers that finished with the right bytes = %d", w.transfers)
	t.Logf("figure: connections ended by what came = %d", w.connections-w.transfers)
	t.Logf("figure: receivers that gave up, and went on from their journal = %d", w.gaveUp)
	t.Logf("figure: bad leaves seen and not stored = %d", w.bad.Load())
}

// faultWorld is a sender and receivers, one after the other.
type faultWorld struct {
	t        *testing.T
	link     seal.Link
	share    *Share
	us, them Identity
	want     string // hash of what is shared
	line     *faultyLine

	sender, receiver               *swarm
	bad                            atomic.Int64
	transfers, connections, gaveUp int
}

func (w *faultWorld) run(t *testing.T) {
	w.t = t
	out := t.TempDir()
	stop := w.start(&w.sender, Config{Link: w.link, Identity: w.us, Share: w.share}, nil)
	for n := 0; int(w.line.injected.Load()) < *faultCount; n++ {
		w.transfer(filepath.Join(out, strconv.Itoa(n)))
	}
	stop()
}

// start runs a peer without a server: it meets nobody by itself.
func (w *faultWorld) start(s **swarm, cfg Config, set func(*swarm)) (stop func()) {
	w.t.Helper()
	p, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	*s = p.swarm
	if set != nil {
		set(p.swarm)
	}
	ctx, stopIt := context.WithCancel(w.t.Context())
	live, drop := context.WithCancel(w.t.Context())
	p.swarm.ctx, p.swarm.started = live, time.Now()
	go p.swarm.takePart(ctx, drop)
	return func() { stopIt(); <-p.swarm.ended; p.swarm.tasks.Wait() }
}

// transfer is one receiver that begins with nothing, over a bad line for a while and then over a good one.
func (w *faultWorld) transfer(out string) {
	w.line.bad.Store(true)
	for until := w.line.injected.Load() + int64(min(2_000, *faultCount/2)); !w.receive(out, until); {
		w.gaveUp++
	}
	got, err := os.ReadFile(filepath.Join(out, "small.bin"))
	if err != nil || sumOf(got) != w.want {
		w.t.Fatalf("other bytes were stored: %v", err)
	}
	if all, err := os.ReadDir(out); err != nil || len(all) != 1 {
		w.t.Fatalf("in the folder are %v, %v", all, err)
	}
	w.transfers++
	if err := os.RemoveAll(out); err != nil {
		w.t.Fatal(err)
	}
}

// receive runs a receiver until it has finished, or has given up for what it was told.
func (w *faultWorld) receive(out string, until int64) (finished bool) {
	var sink *store.Sink
	done := make(chan struct{})
	cfg := Config{Link: w.link, Identity: w.them, Fetch: &Fetch{Name: "receiver"}, Tell: func(e Event) {
		switch e.(type) {
		case Finished:
			finished = true
			close(done)
		case Wrong:
			w.bad.Add(1)
		}
	}}
	cfg.Fetch.Accept = func(ctx context.Context, o Offered) (_ *store.Sink, err error) {
		sink, err = store.OpenSink(store.Spec{
			Out: out, Room: w.link.Room, Manifest: o.Manifest, Blob: o.Blob, Check: o, Selected: []bool{true, false},
		})
		if err == nil {
			_, err = sink.Recheck(ctx, nil)
		}
		return sink, err
	}
	stop := w.start(&w.receiver, cfg, func(s *swarm) { s.signer = w.share.Key.Public() })
	w.keepConnected(done, until)
	if stop(); sink != nil {
		if err := sink.Close(); err != nil {
			w.t.Error(err)
		}
	}
	if err := w.receiver.err; !finished && !errors.Is(err, ErrChanged) && !errors.Is(err, ErrRemoved) {
		w.t.Fatalf("the receiver gave up: %v", err)
	}
	return finished
}

// keepConnected makes a connection whenever there is none, until the receiver has finished or has ended.
func (w *faultWorld) keepConnected(done <-chan struct{}, until int64) {
	for {
		time.Sleep(10 * time.Millisecond) // for those who say goodbye
		synctest.Wait()
		if w.line.injected.Load() >= until {
			w.line.bad.Store(false)
		}
		gone := w.connect()
		quiet := time.NewTimer(time.Hour)
		select {
		case <-gone:
			quiet.Stop()
			continue
		case <-done:
		case <-w.receiver.ended:
		case <-quiet.C:
			w.t.Fatalf("nothing more comes; faults: %v, sender %+v, receiver %+v", w.line.bad.Load(), w.statusOf(w.sender), w.statusOf(w.receiver))
		}
		quiet.Stop()
		return
	}
}

func (w *faultWorld) statusOf(s *swarm) (st Status) {
	s.call(func() { st = s.status() })
	return st
}

// connect makes both peers linked, as after HELLO.
func (w *faultWorld) connect() (gone <-chan struct{}) {
	w.connections++
	a, b := w.line.connections()
	id, err := seal.NewAttempt(mathrand.NewChaCha8([32]byte{byte(w.connections), byte(w.connections >> 8), byte(w.connections >> 16)}))
	if err != nil {
		w.t.Fatal(err)
	}
	ends := []struct {
		swarm  *swarm
		other  Identity
		over   *endOfLine
		rights seal.Rights
	}{{w.sender, w.them, a, seal.Receive | seal.PassOn}, {w.receiver, w.us, b, seal.Uploader | seal.PassOn}}
	for i, end := range ends {
		token := seal.Token{Serial: uint32(1 - i), Rights: end.rights, DH: end.other.dh.Public()}
		ctx, drop := context.WithCancel(w.t.Context())
		end.swarm.call(func() {
			pair, err := end.swarm.pair(token.DH)
			if err != nil {
				w.t.Error(err)
			}
			made := &attempt{id: id, peer: token.DH, to: "other", pair: pair, token: &token}
			end.swarm.link(made, wire.Hello{Largest: largestMessage, Attempt: id}, end.over, ctx, drop)
		})
	}
	return a.gone
}

// faultyLine is what lies between the two.
type faultyLine struct {
	bad      atomic.Bool
	injected atomic.Int64
	mu       sync.Mutex
	random   *mathrand.Rand
}

// connections makes the two ends of a connection.
func (f *faultyLine) connections() (a, b *endOfLine) {
	gone, closing := make(chan struct{}), &sync.Once{}
	way := func() *oneWay { return &oneWay{line: f, messages: make(chan []byte, 32), gone: gone} }
	ab, ba := [2]*oneWay{way(), way()}, [2]*oneWay{way(), way()}
	return &endOfLine{out: ab, in: ba, gone: gone, closing: closing}, &endOfLine{out: ba, in: ab, gone: gone, closing: closing}
}

// endOfLine is a connection as one side has it.
type endOfLine struct {
	out, in [2]*oneWay // control, lane
	gone    chan struct{}
	closing *sync.Once
}

func (e *endOfLine) channels() (control, lane channel) {
	end := func(i int) channel {
		return channel{struct {
			io.Reader
			io.Writer
		}{e.in[i], e.out[i]}, neverFull{}}
	}
	return end(0), end(1)
}

func (e *endOfLine) lostC() <-chan struct{} { return e.gone }
func (e *endOfLine) close()                 { e.closing.Do(func() { close(e.gone) }) }
func (*endOfLine) relayed() bool            { return false }
func (*endOfLine) silent() bool             { return false }

// neverFull is a channel without a buffer of its own: who writes waits.
type neverFull struct{}

func (neverFull) BufferedAmount() uint64               { return 0 }
func (neverFull) SetBufferedAmountLowThreshold(uint64) {}
func (neverFull) OnBufferedAmountLow(func())           {}

// oneWay carries messages in one direction.
type oneWay struct {
	line     *faultyLine
	messages chan []byte
	gone     chan struct{}
}

func (w *oneWay) Read(b []byte) (int, error) {
	select {
	case m := <-w.messages:
		if len(m) > len(b) {
			return 0, io.ErrShortBuffer
		}
		return copy(b, m), nil
	case <-w.gone:
		return 0, io.EOF
	}
}

func (w *oneWay) Write(b []byte) (int, error) {
	m := slices.Clone(b)
	switch w.line.pick() {
	case bitsFlipped:
		w.line.flip(m)
	case cutShort:
		m = m[:w.line.below(len(m))]
	case sentTwice:
		if err := w.put(slices.Clone(m)); err != nil {
			return 0, err
		}
	case sentLate: // behind what comes next
		time.AfterFunc(5*time.Millisecond, func() { _ = w.put(m) })
		return len(b), nil
	}
	return len(b), w.put(m)
}

func (w *oneWay) put(m []byte) error {
	select {
	case w.messages <- m:
		return nil
	case <-w.gone:
		return io.ErrClosedPipe
	}
}

// The faults.
const (
	noFault = iota
	bitsFlipped
	cutShort
	sentTwice
	sentLate
)

// pick chooses what happens to a message: something to one in three, while the line is bad.
func (f *faultyLine) pick() int {
	if !f.bad.Load() || f.below(3) > 0 {
		return noFault
	}
	f.injected.Add(1)
	return 1 + f.below(sentLate)
}

func (f *faultyLine) below(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(max(1, n))
}

// flip turns one to three bits, half of the time near the beginning, where the frame's own fields are.
func (f *faultyLine) flip(m []byte) {
	if len(m) == 0 {
		return
	}
	for range 1 + f.below(3) {
		most := len(m)
		if f.below(2) == 0 {
			most = min(most, 40)
		}
		m[f.below(most)] ^= 1 << f.below(8)
	}
}
