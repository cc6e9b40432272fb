package lite

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// inBubble runs a Handshaker whose peers say nothing, in virtual time.
func inBubble(t *testing.T, cfg HandshakerConfig, f func(h *Handshaker, begin func() (*Handshake, chan error))) {
	cfg.Send = func([]byte, Path) {}
	cfg.Certificate = newCertificate(t)
	synctest.Test(t, func(t *testing.T) {
		h, err := NewHandshaker(cfg)
		if err != nil {
			t.Fatal(err)
		}
		f(h, func() (*Handshake, chan error) {
			done := make(chan error, 2) // a second call would show
			s, err := h.Begin(nil, func(r Result) { done <- r.Err })
			if err != nil {
				done <- err
			}
			return s, done
		})
		_ = h.Close()
	})
}

// ended returns the result that is there by now.
func ended(t *testing.T, done chan error) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		if len(done) != 0 {
			t.Error("done was called twice")
		}
		return err
	default:
		return nil
	}
}

func TestPatience(t *testing.T) {
	inBubble(t, HandshakerConfig{InFlight: 1}, func(_ *Handshaker, begin func() (*Handshake, chan error)) {
		_, first := begin()
		second, waiting := begin()
		second.Feed([]byte{22}, Path{})
		time.Sleep(3*time.Second - 1) // virtual
		if err := ended(t, first); err != nil {
			t.Errorf("ended early: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if err := ended(t, first); !errors.Is(err, ErrHandshakeTimeout) {
			t.Errorf("a silent peer: %v", err)
		}
		if err := ended(t, waiting); err != nil {
			t.Errorf("the second has its turn now: %v", err)
		}
		time.Sleep(2 * time.Second)
		second.Feed([]byte{22}, Path{}) // it is not silent
		time.Sleep(2 * time.Second)
		if err := ended(t, waiting); err != nil {
			t.Errorf("ended early: %v", err)
		}
		time.Sleep(time.Second)
		if err := ended(t, waiting); !errors.Is(err, ErrHandshakeTimeout) {
			t.Errorf("silent at last: %v", err)
		}
	})
}

func TestQueueBoundAndDeadline(t *testing.T) {
	cfg := HandshakerConfig{InFlight: 1, Queue: 1, Timeout: 2 * time.Second}
	inBubble(t, cfg, func(_ *Handshaker, begin func() (*Handshake, chan error)) {
		_, running := begin()
		synctest.Wait() // it has left the queue
		_, waiting := begin()
		if _, refused := begin(); !errors.Is(ended(t, refused), ErrBusy) {
			t.Error("the queue has no bound")
		}
		time.Sleep(2 * time.Second)
		if err := ended(t, running); !errors.Is(err, ErrHandshakeTimeout) {
			t.Errorf("running: %v", err)
		}
		if err := ended(t, waiting); !errors.Is(err, ErrHandshakeTimeout) {
			t.Errorf("waiting: %v", err)
		}
		if _, next := begin(); ended(t, next) != nil {
			t.Error("no room again")
		}
	})
}

func TestCancelAndClose(t *testing.T) {
	inBubble(t, HandshakerConfig{InFlight: 1}, func(h *Handshaker, begin func() (*Handshake, chan error)) {
		running, d1 := begin()
		synctest.Wait()
		waiting, d2 := begin()
		_, d3 := begin()
		_, d4 := begin()
		waiting.Cancel()
		if err := ended(t, d2); !errors.Is(err, ErrHandshakeCancelled) {
			t.Errorf("waiting: %v", err)
		}
		running.Cancel()
		running.Cancel()
		if err := ended(t, d1); !errors.Is(err, ErrHandshakeCancelled) {
			t.Errorf("running: %v", err)
		}
		running.Feed([]byte{22}, Path{})
		_ = h.Close()
		_ = h.Close()
		for _, d := range []chan error{d3, d4} {
			if err := ended(t, d); !errors.Is(err, ErrHandshakeCancelled) {
				t.Errorf("after Close: %v", err)
			}
		}
		if _, d := begin(); !errors.Is(ended(t, d), ErrHandshakeCancelled) {
			t.Error("a closed Handshaker begins")
		}
	})
}

// TestNoGoroutine: a connected leg has none.
func TestNoGoroutine(t *testing.T) {
	x := newExchange(t)
	before := goleak.IgnoreCurrent()
	x.check()
	if err := x.connect(); err != nil {
		t.Fatal(err)
	}
	x.pipe.mute() // the client vanishes without a word
	_ = x.client.Close()
	goleak.VerifyNone(t, before)
	if !x.leg.Connected() {
		t.Error("not connected")
	}
}

// TestPipeBounds: what the library does not read is dropped, not kept.
func TestPipeBounds(t *testing.T) {
	p := newPipe(func([]byte, Path) {}, nil)
	for i := range pipeDepth + 3 {
		if got := p.feed([]byte{byte(i)}, Path{}); got != (i < pipeDepth) {
			t.Errorf("datagram %d: %v", i, got)
		}
	}
	_ = p.Close()
	if p.feed([]byte{1}, Path{}) {
		t.Error("fed a closed pipe")
	}
}

// TestTurns: of many handshakes with something to read only so many get it at once; the next one has its
// turn when one of them has dealt with it, or is closed.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := make(chan struct{}, 1)
		var got atomic.Int32
		pipes := make([]*pipe, 3)
		for i := range pipes {
			pipes[i] = newPipe(func([]byte, Path) {}, turns)
			pipes[i].feed([]byte{1}, Path{})
		}
		resume := make(chan struct{})
		for _, p := range pipes {
			go func() { // the library's reader
				for {
					if _, _, err := p.ReadFrom(make([]byte, 10)); err != nil {
						return
					}
					got.Add(1)
					<-resume
				}
			}()
		}
		for i := range pipes {
			synctest.Wait()
			if n := int(got.Load()); n != i+1 {
				t.Errorf("%d have had their turn, want %d", n, i+1)
			}
			if i < 2 {
				resume <- struct{}{}
			}
		}
		for _, p := range pipes {
			p.feed([]byte{2}, Path{})
		}
		for _, p := range pipes {
			_ = p.Close() // whether it reads, waits for its turn or holds it
		}
		close(resume)
		synctest.Wait()
		if len(turns) != 0 {
			t.Error("a closed pipe keeps a turn")
		}
	})
}

// TestTurnIsKept: a peer that repeats itself while its handshake waits does not send it back to the end of the line.
func TestTurnIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := make(chan struct{}, 1)
		turns <- struct{}{} // somebody has it
		order := make(chan int, 4)
		pipes := make([]*pipe, 2)
		for i := range pipes {
			p := newPipe(func([]byte, Path) {}, turns)
			p.feed([]byte{1}, Path{})
			go func() {
				for {
					if _, _, err := p.ReadFrom(make([]byte, 10)); err != nil {
						return
					}
					order <- i
				}
			}()
			pipes[i] = p
			synctest.Wait() // it stands in line
		}
		pipes[0].feed([]byte{1}, Path{})
		synctest.Wait()
		<-turns
		synctest.Wait()
		if first := <-order; first != 0 {
			t.Errorf("number %d was first", first)
		}
		for _, p := range pipes {
			_ = p.Close()
		}
	})
}

// TestReadTogether: what waits is read at once, as far as it fits, and no datagram is cut; what the library
// would throw away is read alone.
func TestReadTogether(t *testing.T) {
	record := func(body string) string {
		return string([]byte{22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, byte(len(body))}) + body
	}
	p := newPipe(func([]byte, Path) {}, nil)
	for _, b := range []string{record("one"), record("2") + record("3"), record("four"), record("x")[:9], record("five"), record(""), record("six")} {
		p.feed([]byte(b), Path{})
	}
	for _, want := range []string{
		record("one") + record("2") + record("3"), record("four"), record("x")[:9], record("five"), record(""), record("six"),
	} {
		b := make([]byte, 50)
		if n, _, err := p.ReadFrom(b); err != nil || string(b[:n]) != want {
			t.Errorf("read %q, %v; want %q", b[:n], err, want)
		}
	}
}
