package emulate

import (
	"math"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func read(t *testing.T, c *Conn) (text string, ok bool) {
	t.Helper()
	b := make([]byte, 2000)
	n, _, err := c.ReadFrom(b)
	return string(b[:n]), err == nil
}

// TestWay: a datagram takes the delay of both lines and the time that rates make of its size, and keeps its order.
func TestWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		a := n.Listen(Line{Delay: 10 * time.Millisecond, UpRate: 8e6, UpQueue: 10_000, Header: 28})
		b := n.Listen(Line{Delay: 5 * time.Millisecond})
		start := time.Now()
		for _, text := range []string{"first", "second", "third"} {
			if _, err := a.WriteTo([]byte(text), b.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []string{"first", "second", "third"} {
			got, ok := read(t, b)
			bytes := []int{33, 67, 100}[i] // at a megabyte a second
			if took := time.Since(start); !ok || got != want || took != 15*time.Millisecond+time.Duration(bytes)*time.Microsecond {
				t.Errorf("%q came after %v", got, took)
			}
		}
		if sent := a.Host().Sent(); sent != 100 {
			t.Errorf("%d bytes sent", sent)
		}
	})
}

// TestQueue: what does not fit is lost, and all sockets of a host share its line.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		host, b := n.Host(Line{UpRate: 8000, UpQueue: 250}), n.Listen(Line{})
		x, y := host.Listen(), host.Listen()
		for range 2 {
			for _, c := range []*Conn{x, y} {
				if _, err := c.WriteTo(make([]byte, 100), b.LocalAddr()); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = b.SetReadDeadline(time.Now().Add(time.Second))
		came := 0
		for _, ok := read(t, b); ok; _, ok = read(t, b) {
			came++
		}
		if came != 2 || host.Lost() != 2 {
			t.Errorf("%d came, %d were lost", came, host.Lost())
		}
	})
}

// TestLoss: shares are kept with bursts and without, and only media is lost.
func TestLoss(t *testing.T) {
	for _, burst := range []float64{1, 4} {
		n := NewNetwork(7)
		a, b := n.Listen(Line{}), n.Listen(Line{DownLoss: 0.05, Burst: burst})
		const total = 20_000
		gaps, before := 0, -1
		for i := range total {
			lost := b.Lost()
			_, _ = a.WriteTo([]byte{0x80}, b.LocalAddr())
			drain(b)
			if b.Lost() > lost {
				if before != i-1 {
					gaps++
				}
				before = i
			}
		}
		if mean := float64(b.Lost()) / float64(gaps); math.Abs(mean-burst) > 0.3*burst {
			t.Errorf("gaps are %.2f long, want %g", mean, burst)
		}
		if share := float64(b.Lost()) / total; math.Abs(share-0.05) > 0.012 {
			t.Errorf("bursts of %g: %.3f are lost", burst, share)
		}
		lost := b.Lost()
		for range 1000 {
			_, _ = a.WriteTo([]byte{0}, b.LocalAddr())
			drain(b)
		}
		if b.Lost() != lost {
			t.Error("handshakes are lost")
		}
	}
}

// drain empties a socket's inbox.
func drain(c *Conn) {
	for len(c.inbox) > 0 {
		<-c.inbox
	}
}

func TestClosed(t *testing.T) {
	n := NewNetwork(1)
	a, b := n.Listen(Line{}), n.Listen(Line{})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteTo([]byte("x"), b.LocalAddr()); err != nil {
		t.Errorf("to nobody: %v", err)
	}
	if _, _, err := b.ReadFrom(nil); err != net.ErrClosed {
		t.Errorf("closed: %v", err)
	}
}
