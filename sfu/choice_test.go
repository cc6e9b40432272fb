package sfu

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/ring"
)

func h264(fmtp string) format { return format{codec: media.CodecH264, fmtp: fmtp} }

func TestMatchFormat(t *testing.T) {
	const (
		cb1, cb0 = "packetization-mode=1;profile-level-id=42e01f", "packetization-mode=0;profile-level-id=42e01f"
		main1    = "packetization-mode=1;profile-level-id=4d001f"
		high1    = "packetization-mode=1;profile-level-id=640032"
	)
	viewer := []format{h264(high1), h264(cb0), h264(main1), h264(cb1), {codec: media.CodecVP9, fmtp: "profile-id=2"},
		{codec: media.CodecVP9}, {codec: media.CodecOpus}, {codec: media.CodecOpus, fmtp: "stereo=1"}}
	for i := range viewer {
		viewer[i].pt = media.PayloadType(i + 1)
	}
	for _, c := range []struct {
		name   string
		source format
		viewer []format
		want   media.PayloadType // 0: none
	}{
		{"the same profile and mode", h264(cb1), viewer, 4},
		{"mode 0", h264(cb0), viewer, 2},
		{"main", h264(main1), viewer, 3},
		{"another level", h264("packetization-mode=1;profile-level-id=42e034"), viewer, 4},
		{"Safari's high", h264("packetization-mode=1;profile-level-id=640c1f"), viewer, 1},
		{"a decoder for more plays it", h264(cb1), viewer[:1], 1},
		{"a decoder for less does not", h264(high1), viewer[1:4], 0},
		{"mode 1 for a viewer of mode 0", h264(cb1), viewer[1:2], 0},
		{"mode 0 for a viewer of mode 1", h264(cb0), viewer[3:4], 4},
		{"VP9 profile 0", format{codec: media.CodecVP9, fmtp: "profile-id=0"}, viewer, 6},
		{"VP9 profile 2", format{codec: media.CodecVP9, fmtp: "profile-id=2"}, viewer, 5},
		{"stereo", format{codec: media.CodecOpus, fmtp: "minptime=10;stereo=1"}, viewer, 8},
		{"mono", format{codec: media.CodecOpus}, viewer, 7},
		{"not offered", format{codec: media.CodecAV1}, viewer, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := matchFormat(c.source, c.viewer)
			if got.pt != c.want || ok != (c.want != 0) {
				t.Errorf("format %d (%v), want %d", got.pt, ok, c.want)
			}
		})
	}
}

func TestKeyGate(t *testing.T) {
	at := func(ms int) time.Time {
		if ms < 0 {
			return time.Time{}
		}
		return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond)
	}
	var g keyGate
	for _, c := range []struct {
		asked, arrived, now int
		due                 bool
		next                int // deadline, -1: none
	}{
		{-1, -1, 0, false, -1},          // nobody wants one
		{10, -1, 10, true, 1010},        // the first goes at once
		{20, -1, 30, false, 1010},       // more wishes are merged
		{20, -1, 1010, true, 2010},      // none came: again
		{20, 1050, 1100, false, -1},     // it came
		{1200, 1050, 1200, false, 2010}, // soon after: not before a second has passed
		{1200, 1050, 2010, true, 3010},
		{1200, 2100, 4000, false, -1},
		{5000, 2100, 5000, true, 6000},
	} {
		if due := g.due(at(c.asked), at(c.arrived), at(c.now)); due != c.due {
			t.Errorf("at %d: due %v", c.now, due)
		}
		next, ok := g.deadline(at(c.asked), at(c.arrived))
		if ok != (c.next >= 0) || ok && !next.Equal(at(c.next)) {
			t.Errorf("at %d: deadline %v %v", c.now, next, ok)
		}
	}
}

func TestJoinable(t *testing.T) {
	for _, c := range []struct {
		age   time.Duration
		bytes uint64
		want  bool
	}{{0, 0, true}, {catchupLongest, catchupBytes, true}, {catchupLongest + 1, 0, false}, {0, catchupBytes + 1, false}} {
		if got := joinable(c.age, c.bytes); got != c.want {
			t.Errorf("age %v, %d bytes: %v", c.age, c.bytes, got)
		}
	}
}

// Encodings are offered from the smallest to the largest, without those that pause.
func TestAppendLive(t *testing.T) {
	now := time.Now()
	enc := func(rank int, width uint32, silent time.Duration, packets bool) *encoding {
		e := &encoding{kind: media.KindVideo, rank: rank, ring: ring.New(8)}
		e.size.Store(width<<16 | width*9/16)
		e.lastArrival.Store(now.Add(-silent).UnixNano())
		if packets {
			appendTo(t, e.ring)
		}
		return e
	}
	quarter, half, full := enc(0, 320, 0, true), enc(1, 640, 0, true), enc(2, 1280, 0, true)
	pausedFull, unseen := enc(2, 1280, encodingBehind, true), enc(2, 0, 0, false)
	sizeless := enc(1, 0, 0, true)
	for _, c := range []struct {
		name       string
		list, want []*encoding
	}{
		{"none", nil, nil},
		{"by size", []*encoding{quarter, full, half}, []*encoding{quarter, half, full}},
		{"without one that pauses", []*encoding{quarter, half, pausedFull}, []*encoding{quarter, half}},
		{"all pause", []*encoding{pausedFull}, []*encoding{pausedFull}},
		{"one that sent nothing", []*encoding{unseen}, nil},
		{"sizes unknown: the last named", []*encoding{sizeless, enc(0, 0, 0, true)}, []*encoding{nil, sizeless}},
	} {
		got := appendLive(nil, c.list, media.KindVideo)
		if len(got) != len(c.want) || len(got) > 0 && got[len(got)-1] != c.want[len(c.want)-1] {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if got := appendLive(nil, []*encoding{full}, media.KindAudio); len(got) > 0 {
		t.Error("a picture was chosen as sound")
	}
}

func appendTo(t *testing.T, r *ring.Ring) {
	t.Helper()
	raw, err := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8}).Next(mediatest.Frame{Key: true})[0].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var b ring.Builder
	p, err := b.BuildFrom(raw, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r.Append(p)
}

func TestWithPublic(t *testing.T) {
	lan, loop := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1")
	public := netip.MustParseAddrPort("203.0.113.9:7000")
	for _, c := range []struct {
		local  []netip.Addr
		public netip.AddrPort
		want   []string
	}{
		{[]netip.Addr{lan, loop}, netip.AddrPort{}, []string{"192.0.2.1:7000", "127.0.0.1:7000"}},
		{[]netip.Addr{lan, loop}, public, []string{"192.0.2.1:7000", "203.0.113.9:7000", "127.0.0.1:7000"}},
		{[]netip.Addr{lan}, public, []string{"192.0.2.1:7000", "203.0.113.9:7000"}},
		{[]netip.Addr{public.Addr()}, public, []string{"203.0.113.9:7000"}},
	} {
		var got []string
		for _, a := range withPublic(c.local, 7000, c.public) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
	lines := candidateLines([]netip.AddrPort{netip.AddrPortFrom(lan, 7000), netip.AddrPortFrom(loop, 7000)})
	want := []string{"1 1 udp 2130706431 192.0.2.1 7000 typ host", "2 1 udp 2130706175 127.0.0.1 7000 typ host"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
}

func TestBindingLimiter(t *testing.T) {
	l, now := newBindingLimiter(), time.Unix(1000, 0)
	allowed := func(addr string, times int) (n int) {
		for range times {
			if l.allow(netip.MustParseAddr(addr), now) {
				n++
			}
		}
		return n
	}
	if n := allowed("192.0.2.1", 1000); n != bindingBurst {
		t.Errorf("one address gets %d answers at once", n)
	}
	if n := allowed("2001:db8::1", bindingBurst/2) + allowed("2001:db8::2", 1000); n != bindingBurst {
		t.Errorf("one IPv6 network gets %d answers at once", n)
	}
	now = now.Add(time.Second)
	if n := allowed("192.0.2.1", 1000); n != bindingRate {
		t.Errorf("%d answers a second later", n)
	}
	l.all = rate.NewLimiter(0, 1)
	if n := allowed("192.0.2.77", 10); n > 1 {
		t.Errorf("%d answers beyond the budget of all", n)
	}
}

func TestDropReasons(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range DropReasons() {
		if name := r.String(); name == "" || seen[name] {
			t.Errorf("reason %d is named %q", r, name)
		} else {
			seen[name] = true
		}
	}
	if DropReason(200).String() != "unknown" {
		t.Error("a reason that is none has a name")
	}
}
