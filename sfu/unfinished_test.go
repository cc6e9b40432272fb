package sfu_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// TestUnconnectedOffers: an offer that never connects holds a few KiB and nothing else: no goroutine, no
// socket, not its text.
func TestUnconnectedOffers(t *testing.T) {
	const offers, most = 1000, 8 << 10
	r := sfutest.Start(t, func(c *sfu.Config) {
		c.MaxUnfinished, c.ConnectTimeout = offers+1, time.Hour
	})
	text, err := os.ReadFile("testdata/offer-chromium.sdp")
	if err != nil {
		t.Fatal(err)
	}
	ask := func() {
		// A text of its own each time, as from HTTP: what keeps a part of it keeps all of it.
		if _, err := r.Subscribe(t.Context(), "flood", string(text)); err != nil {
			t.Fatal(err)
		}
	}
	ask() // makes the stream
	goroutines, before := runtime.NumGoroutine(), liveHeap()
	for range offers {
		ask()
	}
	held := (liveHeap() - before) / offers
	t.Logf("figure: an unconnected offer of %d bytes holds %d bytes", len(text), held)
	if held > most {
		t.Errorf("an unconnected offer holds %d bytes, more than %d", held, most)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines became %d", goroutines, n)
	}
}

// liveHeap is what is reachable, in bytes.
func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools give up what they hold in two steps
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
