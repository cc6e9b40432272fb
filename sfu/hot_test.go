package sfu

import (
	"testing"
	"time"
	"unsafe"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// What each packet looks at of a viewer stays small: it is fetched for every viewer in every pass.
func TestHotStateIsSmall(t *testing.T) {
	const line = 64
	if hotViewerBytes > 7*line || hotEgressBytes > 7*line {
		t.Errorf("%d bytes of a viewer, %d of a track", hotViewerBytes, hotEgressBytes)
	}
	if at := unsafe.Offsetof(viewer{}.hotViewer); at != 0 {
		t.Errorf("what is fetched first begins at %d", at)
	}
}

// A look at what viewers get allocates nothing for one of them.
func TestAudienceAllocatesNothing(t *testing.T) {
	s := quiet(t, nil)
	e := testEncoding(s, 64)
	now := time.Now()
	take(t, e, now, testSource().Next(mediatest.Frame{Key: true, Size: 900})...)
	list := []*encoding{e}
	e.pub.encodings.Store(&list)
	sh := &shard{}
	sh.offers.refresh(e.pub, now)
	v := &viewer{shard: sh, hotViewer: hotViewer{tracks: []egress{testEgress()}, estimates: true}}
	v.tracks[0].choose(e, now)
	if !v.tracks[0].tryStart(now) {
		t.Fatal("not started")
	}
	a := Audience{Heights: map[int]int{0: 0, 360: 0}, Bounds: map[media.Bound]int{media.BoundSource: 0}}
	if n := testing.AllocsPerRun(100, func() { a.count(v) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if a.Heights[360] != 101 || a.Bounds[media.BoundSource] != 101 {
		t.Errorf("%+v", a)
	}
}
