package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// What viewers send is looked at for a part of the time that went by since it was looked at last, and a few always: a worker whose
// media take long reads feedback all the same, and a flood does not keep it from media.
func TestInboxHasAPartOfTheTime(t *testing.T) {
	s := quiet(t, nil)
	sh := &shard{stream: testEncoding(s, 8).pub.stream}
	for name, c := range map[string]struct{ since, looks int }{
		"media took 40 ms":     {40, 500},
		"it was looked at now": {0, inboxBurst},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where work takes no time
				w, gone := newWorker(s), &viewer{shard: sh}
				for range 500 {
					w.inbox <- inbound{viewer: gone, datagram: s.copies.lend([]byte("?"), udp.Path{})}
				}
				w.looked = time.Now().Add(-time.Duration(c.since) * time.Millisecond)
				w.receiveWaiting()
				if looks := 500 - len(w.inbox); looks != c.looks {
					t.Errorf("%d were looked at, want %d", looks, c.looks)
				}
			})
		})
	}
}

// What connects a viewer waits apart from reports: it has room when they fill theirs, and is looked at first.
func TestInboxOfSetup(t *testing.T) {
	s := quiet(t, nil)
	w := newWorker(s)
	v := &viewer{shard: &shard{stream: testEncoding(s, 8).pub.stream, worker: w}}
	d := &demux{sfu: s}
	for _, kind := range []lite.Kind{lite.KindRTCP, lite.KindDTLS, lite.KindSTUN} {
		for range inboxSize + setupSize {
			v.waiting.Store(0) // the share of one viewer is another bound
			d.toViewer(v, kind, []byte{byte(kind)}, udp.Path{})
		}
	}
	for i := range setupSize + inboxSize {
		want := lite.KindDTLS
		if i >= setupSize {
			want = lite.KindRTCP
		}
		in, ok := w.nextWaiting()
		if !ok || lite.Kind(in.data[0]) != want {
			t.Fatalf("the %d. is %v (%t), want one of kind %d", i+1, in.data, ok, want)
		}
		s.copies.takeBack(in.datagram)
	}
	if _, ok := w.nextWaiting(); ok {
		t.Error("an inbox has no bound")
	}
}
