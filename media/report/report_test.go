package report_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media/report"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestNTP(t *testing.T) {
	tests := []struct {
		t    time.Time
		want report.NTP
	}{
		{time.Unix(0, 0), 0x83aa7e8000000000},
		{time.Unix(0, 500_000_000), 0x83aa7e8080000000},
		{time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), 0xffffffff00000000},
		{time.Date(2036, 2, 7, 6, 28, 17, 0, time.UTC), 0x0000000100000000},
	}
	for _, tt := range tests {
		if got := report.NTPOf(tt.t); got != tt.want {
			t.Errorf("NTPOf(%v) = %#x, want %#x", tt.t, uint64(got), uint64(tt.want))
		}
		if got := tt.want.Time(); !got.Equal(tt.t) {
			t.Errorf("%#x.Time() = %v, want %v", uint64(tt.want), got, tt.t)
		}
	}
	for _, ns := range []int64{0, 1, 2, 333_333_333, 999_999_998, 999_999_999} {
		want := time.Unix(1_800_000_000, ns)
		if got := report.NTPOf(want).Time(); !got.Equal(want) {
			t.Errorf("%v came back as %v", want, got)
		}
	}
	if got := report.NTP(0x0123456789abcdef).Middle(); got != 0x456789ab {
		t.Errorf("Middle = %#x", got)
	}
}

// Every time from 1970 to 2106 comes back to the nanosecond.
func FuzzNTP(f *testing.F) {
	f.Add(uint32(1_800_000_000), uint32(1))
	f.Fuzz(func(t *testing.T, sec, ns uint32) {
		want := time.Unix(int64(sec), int64(ns%1e9))
		if got := report.NTPOf(want).Time(); !got.Equal(want) {
			t.Fatalf("%v came back as %v", want, got)
		}
	})
}

func TestNTPSub(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, ms(1500), -ms(1500), -time.Hour} {
		if got := report.NTPOf(at(d)).Sub(report.NTPOf(epoch)) - d; got < -2 || got > 2 {
			t.Errorf("Sub of %v is %v off", d, got)
		}
	}
}

func TestRTT(t *testing.T) {
	sent := at(0)
	lsr := report.NTPOf(sent).Middle()
	tests := []struct {
		name string
		lsr  uint32
		dlsr uint32
		now  time.Time
		want time.Duration
		ok   bool
	}{
		{"80 ms, of which 30 at the reporter", lsr, 1 << 16 * 30 / 1000, at(ms(110)), ms(80), true},
		{"no sender report yet", 0, 0, at(ms(110)), 0, false},
		{"rounding", lsr, 10, at(0), 0, true},
		{"reporter claims more delay than there was", lsr, 1 << 16, at(ms(110)), 0, false},
		{"more than a minute", lsr, 0, at(2 * time.Minute), 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := report.RTT(tt.lsr, tt.dlsr, tt.now)
			if d := got - tt.want; ok != tt.ok || d < -ms(1) || d > ms(1) {
				t.Errorf("RTT = %v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestSender(t *testing.T) {
	var s report.Sender
	s.Sent(1000)
	s.Sent(200)
	want := rtcp.SenderReport{
		SSRC: 7, NTPTime: uint64(report.NTPOf(epoch)), RTPTime: 12345, PacketCount: 2, OctetCount: 1200,
	}
	if d := cmp.Diff(want, s.Report(7, epoch, 12345)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestReceiver(t *testing.T) {
	r := report.NewReceiver(90000)
	if _, ok := r.Report(1, epoch); ok {
		t.Error("a report before the first packet")
	}
	const first = 1<<16 + 65534
	for i := range uint64(10) { // 10 ms apart, as they were made; the fourth is lost
		if i != 3 {
			r.Observe(first+i, uint32(i)*900, at(ms(int(i)*10)))
		}
	}
	r.ObserveReport(0x0123456789abcdef, at(ms(50)))
	got, ok := r.Report(9, at(ms(550)))
	want := rtcp.ReceptionReport{
		SSRC: 9, FractionLost: 25, TotalLost: 1, LastSequenceNumber: 1<<16 + 7,
		LastSenderReport: 0x456789ab, Delay: 1 << 15,
	}
	if d := cmp.Diff(want, got); d != "" || !ok {
		t.Errorf("%v (-want +got):\n%s", ok, d)
	}
	r.Observe(first+3, 2700, at(ms(560))) // comes after all, and once more
	r.Observe(first+3, 2700, at(ms(560)))
	got, _ = r.Report(9, at(ms(600)))
	if got.FractionLost != 0 || got.TotalLost != 0xffffff { // minus one, in 24 bits
		t.Errorf("after a duplicate: fraction %d, total %#x", got.FractionLost, got.TotalLost)
	}
}

// Jitter goes to the mean deviation with the gain 1/16 (RFC 3550 section 6.4.1).
func TestReceiverJitter(t *testing.T) {
	r := report.NewReceiver(90000)
	for i := range uint64(1000) {
		r.Observe(i+1<<16, uint32(i)*900, at(ms(int(i)*10+int(i%2)*2))) // every second one 2 ms late
	}
	got, _ := r.Report(1, at(10*time.Second))
	if got.Jitter < 175 || got.Jitter > 185 { // 2 ms are 180 units
		t.Errorf("jitter %d units", got.Jitter)
	}
}

const (
	sound   report.Track = 0
	picture report.Track = 1
)

// The publisher's clock is an hour off and its tracks begin at odd timestamps; reports come over
// a network of changing delay. What was captured together is mapped together.
func TestSyncKeepsTracksTogether(t *testing.T) {
	var s report.Sync
	theirs := func(d time.Duration) report.NTP { return report.NTPOf(at(d - time.Hour)) }
	soundAt := func(d time.Duration) uint32 { return 0xfffff000 + uint32(d*48/time.Millisecond) }
	pictureAt := func(d time.Duration) uint32 { return 77 + uint32(d*90/time.Millisecond) }
	for i := range 100 {
		d := time.Duration(i) * time.Second
		s.ObserveReport(sound, theirs(d), soundAt(d), 48000, at(d+ms(20+i*7%50)))
		d += ms(333)
		s.ObserveReport(picture, theirs(d), pictureAt(d), 90000, at(d+ms(20+i*13%70)))

		a, okA := s.Mapping(sound)
		v, okV := s.Mapping(picture)
		if !okA || !okV {
			t.Fatal("no mapping after reports")
		}
		captured := d + ms(40)
		ta, tv := a.Time(soundAt(captured)), v.Time(pictureAt(captured))
		if diff := ta.Sub(tv); diff < -ms(1)/10 || diff > ms(1)/10 {
			t.Fatalf("after %v sound and picture are %v apart", d, diff)
		}
		if i > 70 {
			if late := tv.Sub(at(captured)); late < ms(19) || late > ms(24) {
				t.Fatalf("mapped to %v after capture; the least delay is 20 ms", late)
			}
		}
	}
}

// Before the first report, arrival serves; the packet with the least delay tells best.
func TestSyncByArrival(t *testing.T) {
	var s report.Sync
	if _, ok := s.Mapping(picture); ok {
		t.Error("a mapping of nothing")
	}
	s.ObservePacket(picture, 9000, 90000, at(ms(150)))
	s.ObservePacket(picture, 9000+900, 90000, at(ms(130)))
	s.ObservePacket(picture, 9000+1800, 90000, at(ms(190)))
	m, ok := s.Mapping(picture)
	if got := m.RTP(at(ms(140))); !ok || got != 9000+1800 {
		t.Errorf("RTP = %d, %v", got, ok)
	}
	if got := m.Time(9000); !got.Equal(at(ms(120))) {
		t.Errorf("Time = %v", got.Sub(epoch))
	}
	s.ObserveReport(picture, 0, 1, 90000, at(ms(200))) // the sender has no clock
	if got, _ := s.Mapping(picture); got != m {
		t.Error("a report without a clock changed the mapping")
	}
	s.Forget(picture)
	if _, ok := s.Mapping(picture); ok {
		t.Error("a mapping of a track that has ended")
	}
	s.Forget(report.MaxTracks)
	s.ObservePacket(report.MaxTracks, 1, 90000, epoch)
	s.ObserveReport(report.MaxTracks, 1, 1, 90000, epoch)
	if _, ok := s.Mapping(report.MaxTracks); ok {
		t.Error("a track that cannot be")
	}
}

func TestMappingIsExact(t *testing.T) {
	var s report.Sync
	s.ObservePacket(sound, 0xffffff00, 48000, epoch)
	m, _ := s.Mapping(sound)
	for _, d := range []time.Duration{0, ms(20), time.Second, 3 * time.Hour, -ms(20), -time.Hour} {
		rtp := m.RTP(at(d))
		if want := 0xffffff00 + uint32(int64(d/time.Millisecond)*48); rtp != want {
			t.Errorf("RTP(%v) = %d, want %d", d, rtp, want)
		}
		if got := m.Time(rtp); !got.Equal(at(d)) {
			t.Errorf("Time of RTP(%v) = %v", d, got.Sub(epoch))
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	r := report.NewReceiver(90000)
	var s report.Sync
	var sender report.Sender
	i := uint64(0)
	n := testing.AllocsPerRun(100, func() {
		i++
		r.Observe(i, uint32(i)*900, at(ms(int(i))))
		s.ObservePacket(picture, uint32(i)*900, 90000, at(ms(int(i))))
		sender.Sent(1000)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
