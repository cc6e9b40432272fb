package estimate_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
)

// script takes its choices from bytes; when they are used up it takes zeros.
type script []byte

func (s *script) take(n int) []byte {
	out := make([]byte, n)
	*s = (*s)[copy(out, *s):]
	return out
}

func (s *script) number() int64 { return int64(int16(binary.BigEndian.Uint16(s.take(2)))) }

// FuzzEstimator plays any calls in any order, clocks that go back and feedback of any content
// among them, against what must always hold.
func FuzzEstimator(f *testing.F) {
	f.Add([]byte{0, 200, 1, 0, 9, 40, 0, 30, 0x20, 20, 4, 4, 4, 4, 4, 4, 4, 4, 5, 1, 0, 1, 5})
	f.Add([]byte{5, 1, 0, 9, 0, 2, 0xff, 3, 0x20, 0, 1, 6, 0x7f, 0xff, 6, 0x80, 0})
	f.Fuzz(func(t *testing.T, input []byte) {
		s, now, seq := script(input), epoch, uint16(65500)
		cfg := estimate.Config{Min: 100_000, Max: 5_000_000}
		e := estimate.New(cfg)
		for len(s) > 0 {
			switch s.take(1)[0] % 7 {
			case 0:
				for range s.take(1)[0] {
					e.Sent(seq, int(s.number()), now)
					seq++
					now = now.Add(time.Millisecond)
				}
			case 1:
				e.Feedback(arbitrary(&s, seq), now)
			case 2:
				e.REMB(media.Bitrate(s.number()*1000), now)
			case 3:
				e.Report(float64(s.number())/256, time.Duration(s.number())*time.Millisecond, now)
			case 4:
				e.SetDemand(media.Bitrate(s.number()*1000), media.Bitrate(s.number()*1000))
			case 5:
				seq += uint16(s.number())
			case 6:
				now = now.Add(time.Duration(s.number()) * 10 * time.Millisecond)
			}
			check(t, &e, cfg, &now)
		}
	})
}

// arbitrary makes a feedback on numbers near seq; its chunks and deltas may be anything.
func arbitrary(s *script, seq uint16) []byte {
	b := []byte{0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}
	b = binary.BigEndian.AppendUint16(b, seq-uint16(s.take(1)[0]))
	b = binary.BigEndian.AppendUint16(b, uint16(s.take(1)[0])<<(s.take(1)[0]&8))
	b = append(b, 0, s.take(1)[0]&1, s.take(1)[0], 0)
	b = append(b, s.take(4*int(s.take(1)[0]&31))...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	return b
}

// check holds the estimator to its promises. now never goes back behind what it was told before.
func check(t *testing.T, e *estimate.Estimator, cfg estimate.Config, now *time.Time) {
	t.Helper()
	if p, ok := e.Probe(*now); ok && (p.Rate <= 0 || p.Rate > cfg.Max || p.Bytes <= 0 || p.Packets <= 0) {
		t.Fatalf("probe %+v", p)
	}
	if at, ok := e.Deadline(); ok && !at.After(*now) {
		t.Fatalf("deadline %v ago after it was served", now.Sub(at))
	}
	st := e.State()
	if st.Target < cfg.Min || st.Target > cfg.Max || st.Target != e.Target() {
		t.Fatalf("target %d", st.Target)
	}
	if st.RTT < 0 || st.Acked < 0 || !(st.Loss >= 0 && st.Loss <= 1) || st.Queue < 0 {
		t.Fatalf("state %+v", st)
	}
}
