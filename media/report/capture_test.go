package report_test

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media/report"
)

func TestNTPAdd(t *testing.T) {
	for _, d := range []time.Duration{0, 1, -1, ms(1500), -ms(1500), time.Hour + 1, -24 * time.Hour} {
		n := report.NTPOf(epoch)
		if got := n.Add(d).Sub(n) - d; got < -2 || got > 2 {
			t.Errorf("%v more is %v off", d, got)
		}
		if got := int64(n.Add(d) - n); got != report.Fixed(d) {
			t.Errorf("%v is %d units, and %d when added", d, report.Fixed(d), got)
		}
	}
	if got := report.Fixed(-ms(250)); got != -1<<30 {
		t.Errorf("a quarter of a second back is %d", got)
	}
}

// The publisher's clock is 40 s ahead of ours; its reports take 30 ms, some of them longer.
func TestClockOffset(t *testing.T) {
	const ahead = 40 * time.Second
	var s report.Sync
	if d, ok := s.ClockOffset(); ok {
		t.Errorf("%v before the first report", d)
	}
	told := func() time.Duration {
		d, ok := s.ClockOffset()
		if !ok {
			t.Fatal("nothing after a report")
		}
		return (d - ahead).Round(time.Microsecond)
	}
	for i, delay := range []int{80, 30, 50} {
		sent := at(time.Duration(i) * time.Second)
		s.ObserveReport(0, report.NTPOf(sent.Add(ahead)), 0, 90000, sent.Add(ms(delay)))
	}
	if off := told(); off != -ms(30) {
		t.Errorf("without a round trip it is %v off, not by the delay", off)
	}
	for _, rtt := range []int{90, 60, 75} {
		s.ObserveRTT(ms(rtt))
	}
	if off := told(); off != 0 {
		t.Errorf("with a round trip it is %v off", off)
	}
	for range 64 { // the line has become longer: what is old is forgotten
		s.ObserveRTT(ms(100))
	}
	if off := told(); off != ms(20) {
		t.Errorf("after the change it is %v off", off)
	}
}

func TestCapture(t *testing.T) {
	if got := (report.Capture{}).At(7); got != 0 {
		t.Errorf("known of nothing: %#x", uint64(got))
	}
	c := report.NewCapture(report.NTPOf(epoch), 1<<32-45000, 90000)
	for rtp, want := range map[uint32]time.Duration{1<<32 - 45000: 0, 0: ms(500), 45000: time.Second, 1<<32 - 135000: -time.Second} {
		if got := c.At(rtp).Sub(report.NTPOf(epoch)) - want; got < -2 || got > 2 {
			t.Errorf("%d: %v off", rtp, got)
		}
	}
}

// Every second one is told, and at once where reckoning on would go wrong.
func TestCaptured(t *testing.T) {
	const frame = 3000 // 33⅓ ms
	var c report.Captured
	ntp := func(n int) report.NTP { return report.NTPOf(at(time.Duration(n) * time.Second / 30)) }
	told := func(n int, rtp uint32) bool {
		return c.Due(ntp(n), rtp, 90000, at(time.Duration(n)*time.Second/30))
	}
	if !told(0, 0) {
		t.Error("the first one is not told")
	}
	for n := 1; n < 30; n++ {
		if told(n, uint32(n)*frame) {
			t.Errorf("frame %d is told", n)
		}
	}
	if !told(30, 30*frame) || told(31, 31*frame) {
		t.Error("after a second it is told again, once")
	}
	for n := 32; n < 36; n++ { // fast motion
		if !told(n, 31*frame+uint32(n-31)*frame/4) {
			t.Errorf("frame %d in fast motion is not told", n)
		}
	}
	if !told(36, 1<<31) || told(37, 1<<31+frame) {
		t.Error("after a change of source it is told, once")
	}
	if told(38, 1<<31+2*frame+89) || !told(39, 1<<31+3*frame+91) {
		t.Error("an error of a millisecond is let pass, and no more")
	}
}
