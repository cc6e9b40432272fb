package seq_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// want checks a place and says where.
func want(t *testing.T, r *seq.Rewriter, src seq.Source, ext uint64, out uint16) {
	t.Helper()
	p, err := r.Next(src, ext, 0)
	if err != nil || p.Seq != out {
		t.Errorf("Next(%d, %d) = %d, %v; want %d", src, ext, p.Seq, err, out)
	}
}

func wantErr(t *testing.T, r *seq.Rewriter, src seq.Source, ext uint64, err error) {
	t.Helper()
	if p, got := r.Next(src, ext, 0); !errors.Is(got, err) {
		t.Errorf("Next(%d, %d) = %d, %v; want %v", src, ext, p.Seq, got, err)
	}
}

func TestRewriterBeforeTheFirstSource(t *testing.T) {
	r := seq.NewRewriter(100, 0)
	wantErr(t, &r, 1, 5, seq.ErrOtherSource)
	if _, ok := r.Origin(100); ok {
		t.Error("an origin before the first packet")
	}
	if _, _, ok := r.Highest(); ok {
		t.Error("a highest number before the first packet")
	}
	if r.Drop(1, 5, media.Patch{}) {
		t.Error("dropped a packet of no source")
	}
	r.Switch(seq.Start{Source: 1, Seq: 70000})
	if _, _, ok := r.Highest(); ok {
		t.Error("a highest number after Switch alone")
	}
	want(t, &r, 1, 70000, 100)
}

func TestRewriterReordering(t *testing.T) {
	r := seq.NewRewriter(65534, 0)
	r.Switch(seq.Start{Source: 1, Seq: 1000})
	want(t, &r, 1, 1001, 65535) // overtook the first
	want(t, &r, 1, 1000, 65534)
	want(t, &r, 1, 1004, 2)
	want(t, &r, 1, 1002, 0)
	want(t, &r, 1, 1002, 0)
	wantErr(t, &r, 1, 999, seq.ErrBefore)
}

func TestRewriterDrop(t *testing.T) {
	r := seq.NewRewriter(10, 0)
	r.Switch(seq.Start{Source: 1, Seq: 1000})
	want(t, &r, 1, 1000, 10)
	for _, ext := range []uint64{1001, 1002} {
		if !r.Drop(1, ext, media.Patch{}) {
			t.Errorf("%d was not dropped", ext)
		}
	}
	want(t, &r, 1, 1003, 11)
	want(t, &r, 1, 1005, 13) // 1004 is missing and keeps its place
	r.Drop(1, 1007, media.Patch{PictureID: 7})
	want(t, &r, 1, 1008, 15)
	want(t, &r, 1, 1006, 14)
	want(t, &r, 1, 1004, 12)
	wantErr(t, &r, 1, 1001, seq.ErrDropped)
	wantErr(t, &r, 1, 1007, seq.ErrDropped)
	if r.Drop(1, 1006, media.Patch{}) {
		t.Error("a late packet was dropped without a gap")
	}
	if o, ok := r.Origin(15); !ok || o.Seq != 1008 || o.Place.Patch.PictureID != 7 {
		t.Errorf("Origin(15) = %+v, %v", o, ok)
	}
	if o, ok := r.Origin(14); !ok || o.Seq != 1006 || o.Place.Patch.PictureID != 0 {
		t.Errorf("Origin(14) = %+v, %v", o, ok)
	}
}

func TestRewriterSwitch(t *testing.T) {
	r := seq.NewRewriter(10, 0)
	r.Switch(seq.Start{Source: 1, Seq: 1000, Timestamp: 5000, Out: 5000})
	if p, err := r.Next(1, 1002, 5100); err != nil || p.Seq != 12 || p.TimestampOffset != 0 {
		t.Errorf("Next = %+v, %v", p, err)
	}
	if got := r.TimestampAfter(2*time.Second, 90000); got != 5100+180000 {
		t.Errorf("TimestampAfter = %d", got)
	}
	if got := r.TimestampAfter(-time.Second, 90000); got != 5101 {
		t.Errorf("TimestampAfter of a clock that went back = %d", got)
	}
	r.Switch(seq.Start{Source: 2, Seq: 70, Timestamp: 0xffffff00, Out: 9000})
	p, err := r.Next(2, 70, 0xffffff00)
	if err != nil || p.Seq != 13 || p.TimestampOffset+0xffffff00 != 9000 || r.TimestampOffset() != p.TimestampOffset {
		t.Errorf("Next = %+v, %v", p, err)
	}
	if _, ts, ok := r.Highest(); !ok || ts != 9000 {
		t.Errorf("Highest timestamp = %d, %v", ts, ok)
	}
	wantErr(t, &r, 1, 1001, seq.ErrOtherSource)
	if o, ok := r.Origin(11); !ok || o.Source != 1 || o.Seq != 1001 {
		t.Errorf("Origin(11) = %+v, %v", o, ok)
	}
	if src, ok := r.Source(); !ok || src != 2 {
		t.Errorf("Source = %d, %v", src, ok)
	}
	r.Switch(seq.Start{Source: 3, Seq: 500}) // nothing of 3 is ever sent
	r.Switch(seq.Start{Source: 2, Seq: 90})
	want(t, &r, 2, 90, 14)
}

// A viewer that was paused goes on with the same source: nothing of the pause is late.
func TestRewriterPause(t *testing.T) {
	r := seq.NewRewriter(10, 0)
	r.Switch(seq.Start{Source: 1, Seq: 1000})
	want(t, &r, 1, 1001, 11)
	r.Switch(seq.Start{Source: 1, Seq: 2000})
	want(t, &r, 1, 2000, 12)
	want(t, &r, 1, 1000, 10) // late, and its place is still there
	wantErr(t, &r, 1, 1500, seq.ErrDropped)
	wantErr(t, &r, 1, 999, seq.ErrBefore)
}

func TestRewriterForgets(t *testing.T) {
	r := seq.NewRewriter(0, 2)
	r.Switch(seq.Start{Source: 1, Seq: 100})
	want(t, &r, 1, 100, 0)
	for ext := uint64(101); ext < 110; ext += 2 {
		r.Drop(1, ext, media.Patch{})
		want(t, &r, 1, ext+1, uint16((ext-99)/2))
	}
	wantErr(t, &r, 1, 100, seq.ErrBefore)
	if o, ok := r.Origin(0); ok {
		t.Errorf("Origin(0) = %+v", o)
	}
	if o, ok := r.Origin(4); !ok || o.Seq != 108 {
		t.Errorf("Origin(4) = %+v, %v", o, ok)
	}
	if _, _, ok := r.Highest(); !ok {
		t.Error("no highest number")
	}
}

func TestRewriterAllocatesNothing(t *testing.T) {
	r := seq.NewRewriter(0, 4)
	r.Switch(seq.Start{Source: 1, Seq: 1 << 16})
	ext := uint64(1 << 16)
	step := func() {
		for range 20 {
			_, _ = r.Next(1, ext, uint32(ext))
			r.Drop(1, ext+1, media.Patch{})
			r.Origin(uint16(ext))
			ext += 2
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRewriterNext(b *testing.B) {
	r := seq.NewRewriter(0, 0)
	r.Switch(seq.Start{Source: 1, Seq: 1 << 16})
	b.ReportAllocs()
	for ext := uint64(1 << 16); b.Loop(); ext++ {
		_, _ = r.Next(1, ext, uint32(ext))
	}
}
