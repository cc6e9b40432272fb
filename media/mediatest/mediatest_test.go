package mediatest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestLinkInOrder(t *testing.T) {
	l := mediatest.NewLink[int](mediatest.LinkConfig{Delay: 20 * time.Millisecond})
	if _, ok := l.Deadline(); ok {
		t.Error("an empty link has a deadline")
	}
	for i := range 3 {
		l.Send(i, epoch)
	}
	if at, ok := l.Deadline(); !ok || at.Sub(epoch) != 20*time.Millisecond {
		t.Errorf("Deadline = %v, %v", at.Sub(epoch), ok)
	}
	if got := l.AppendArrived(nil, epoch.Add(19*time.Millisecond)); len(got) != 0 {
		t.Errorf("arrived too soon: %v", got)
	}
	if got := l.AppendArrived(nil, epoch.Add(20*time.Millisecond)); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("arrived: %v", got)
	}
}

func TestLinkLosesDuplicatesAndReorders(t *testing.T) {
	run := func(seed uint64) (got []int, lost int) {
		l := mediatest.NewLink[int](mediatest.LinkConfig{
			Seed: seed, Loss: 0.1, Duplicate: 0.1, Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond,
			Reorder: 0.1, ReorderBy: 20 * time.Millisecond,
		})
		for i := range 1000 {
			l.Send(i, epoch.Add(time.Duration(i)*time.Millisecond))
		}
		return l.AppendArrived(nil, epoch.Add(time.Hour)), l.Lost()
	}
	got, lost := run(1)
	if lost < 50 || lost > 150 {
		t.Errorf("lost %d of 1000", lost)
	}
	if dup := len(got) - (1000 - lost); dup < 50 || dup > 150 {
		t.Errorf("%d arrived twice", dup)
	}
	if slices.IsSorted(got) {
		t.Error("nothing was overtaken")
	}
	if again, _ := run(1); !slices.Equal(got, again) {
		t.Error("the same seed gave another run")
	}
	if other, _ := run(2); slices.Equal(got, other) {
		t.Error("another seed gave the same run")
	}
}

func TestLinkKeepsOrder(t *testing.T) {
	l := mediatest.NewLink[int](mediatest.LinkConfig{Seed: 1, Jitter: 20 * time.Millisecond, InOrder: true})
	for i := range 1000 {
		l.Send(i, epoch.Add(time.Duration(i)*time.Millisecond))
	}
	if got := l.AppendArrived(nil, epoch.Add(time.Hour)); len(got) != 1000 || !slices.IsSorted(got) {
		t.Errorf("%d arrived, in order: %v", len(got), slices.IsSorted(got))
	}
}

func TestBottleneck(t *testing.T) {
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	b := mediatest.NewBottleneck[int](800_000, 350, mediatest.LinkConfig{Delay: 5 * time.Millisecond}) // 100 bytes a ms
	for i := range 5 {
		if fits := b.Send(i, 100, at(0)); fits != (i < 3) {
			t.Errorf("%d fits: %v", i, fits)
		}
	}
	if b.Dropped() != 2 {
		t.Errorf("%d dropped", b.Dropped())
	}
	if got := b.AppendArrived(nil, at(7)); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("after two milliseconds on the line: %v", got)
	}
	b.Send(5, 100, at(10))
	b.Send(6, 100, at(10))
	b.SetRate(80_000, at(11)) // the second takes ten times as long
	if got := b.AppendArrived(nil, at(25)); !slices.Equal(got, []int{2, 5}) {
		t.Errorf("before the slow one: %v", got)
	}
	if got := b.AppendArrived(nil, at(26)); !slices.Equal(got, []int{6}) {
		t.Errorf("the slow one: %v", got)
	}
	b.SetBurst(200)
	for i := range 3 {
		b.Send(7+i, 100, at(100))
	}
	if got := b.AppendArrived(nil, at(114)); !slices.Equal(got, []int{7, 8}) {
		t.Errorf("a burst: %v", got)
	}
	if got := b.AppendArrived(nil, at(115)); !slices.Equal(got, []int{9}) {
		t.Errorf("after the burst: %v", got)
	}
}

func TestSource(t *testing.T) {
	src := mediatest.NewSource(mediatest.SourceConfig{
		Codec: media.CodecVP8, SSRC: 7, PayloadType: 96, Seq: 65535, Timestamp: 100,
	})
	first := src.Next(mediatest.Frame{Key: true, Size: 3000})
	if len(first) != 3 || first[0].SequenceNumber != 65535 || first[1].SequenceNumber != 0 || first[2].Timestamp != 100 {
		t.Fatalf("first frame: %d packets, %+v", len(first), first[0].Header)
	}
	if first[0].Marker || !first[2].Marker || first[0].SSRC != 7 || first[0].PayloadType != 96 {
		t.Errorf("headers %+v, %+v", first[0].Header, first[2].Header)
	}
	for _, p := range first {
		if len(p.Payload) > 1100 {
			t.Errorf("%d bytes of payload", len(p.Payload))
		}
	}
	if second := src.Next(mediatest.Frame{Size: 10}); second[0].Timestamp != 3100 {
		t.Errorf("second frame at %d", second[0].Timestamp)
	}
	opus := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecOpus})
	opus.Next(mediatest.Frame{Size: 100})
	if p := opus.Next(mediatest.Frame{Size: 100}); len(p) != 1 || p[0].Marker || p[0].Timestamp != 960 {
		t.Errorf("sound: %d packets, %+v", len(p), p[0].Header)
	}
}
