package lite

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
)

// repeating is a connected leg whose source 1 may be sent again.
func repeating(t testing.TB, p Profile) *viewer {
	v := connected(t, p)
	v.leg.srtp.allowRepeats(1)
	return v
}

// The same packet comes out with the same bytes, and the peer takes it once: a repeat of what was
// lost is as good as the first, one of what has come is a replay.
func TestSealAgain(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		v := repeating(t, p)
		sent := map[uint16][]byte{}
		numbers := []uint16{65000, 65533, 65535, 0, 3, 1}
		for _, n := range numbers {
			header, payload := rtpPacket(t, 1, n, 100)
			sealed, err := v.leg.SealRTP(nil, header, payload)
			if err != nil {
				t.Fatal(err)
			}
			sent[n] = sealed
		}
		for _, n := range numbers {
			header, payload := rtpPacket(t, 1, n, 100)
			for range 2 {
				again, err := v.leg.SealAgain([]byte("before"), header, payload)
				if err != nil || !bytes.Equal(again, append([]byte("before"), sent[n]...)) {
					t.Fatalf("number %d: %v, % x; sent % x", n, err, again, sent[n])
				}
			}
			if _, err := v.leg.SealRTP(nil, header, payload); !errors.Is(err, ErrIndexUsed) {
				t.Errorf("number %d as a new packet: %v", n, err)
			}
		}
	})
}

// Nothing but the very same packet goes out under a nonce that was used.
func TestSealAgainRefuses(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		v := repeating(t, p)
		seal := func(ssrc uint32, n uint16, change func(header, payload []byte)) error {
			header, payload := rtpPacket(t, ssrc, n, 100)
			change(header, payload)
			out, err := v.leg.SealAgain([]byte("x"), header, payload)
			if err != nil && (string(out) != "x" || bytes.Trim(out[1:cap(out)], "\x00") != nil && errors.Is(err, ErrNotTheSame)) {
				t.Errorf("%v left % x", err, out[:cap(out)])
			}
			return err
		}
		same := func(_, _ []byte) {}
		if err := seal(1, 5000, same); !errors.Is(err, ErrIndexUnused) {
			t.Errorf("before the first packet: %v", err)
		}
		for _, n := range []uint16{5000, 5002} {
			for _, ssrc := range []uint32{1, 2} {
				header, payload := rtpPacket(t, ssrc, n, 100)
				if _, err := v.leg.SealRTP(nil, header, payload); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, change := range map[string]func(header, payload []byte){
			"marker":       func(h, _ []byte) { h[1] ^= 0x80 },
			"payload type": func(h, _ []byte) { h[1] ^= 1 },
			"timestamp":    func(h, _ []byte) { h[7] ^= 1 },
			"extension":    func(h, _ []byte) { h[len(h)-2] ^= 1 },
			"first byte":   func(_, p []byte) { p[0] ^= 0x80 },
			"last byte":    func(_, p []byte) { p[len(p)-1] ^= 1 },
		} {
			if err := seal(1, 5000, change); !errors.Is(err, ErrNotTheSame) {
				t.Errorf("another %s: %v", name, err)
			}
		}
		for _, r := range []struct {
			what string
			ssrc uint32
			n    uint16
		}{{"a number in between", 1, 5001}, {"one that is still to come", 1, 5003}, {"another source", 2, 5000}, {"no source of ours", 3, 5000}} {
			if err := seal(r.ssrc, r.n, same); !errors.Is(err, ErrIndexUnused) {
				t.Errorf("%s: %v", r.what, err)
			}
		}
		header, payload := rtpPacket(t, 1, 5000+windowSize, 10)
		if _, err := v.leg.SealRTP(nil, header, payload); err != nil {
			t.Fatal(err)
		}
		if err := seal(1, 5000, same); !errors.Is(err, ErrIndexUnused) {
			t.Errorf("behind the window: %v", err)
		}
		if err := seal(1, 5002, same); err != nil {
			t.Errorf("inside the window: %v", err)
		}
		if _, err := v.leg.SealAgain(nil, header[:11], nil); !errors.Is(err, ErrBadPacket) {
			t.Errorf("a short header: %v", err)
		}
		v.leg.Close(media.CloseEnded, &v.out)
		if err := seal(1, 5002, same); !errors.Is(err, ErrNotConnected) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// Whatever is asked for, in whatever order: an index has one content.
func TestOneContentAnIndex(t *testing.T) {
	rng, v := rand.New(rand.NewPCG(3, 4)), repeating(t, ProfileGCM)
	sent := map[uint16][]byte{} // by number; the run is shorter than their cycle
	at, again, refused := 1000, 0, 0
	for range 20_000 {
		if rng.IntN(20) == 0 {
			at += rng.IntN(30)
		}
		at++
		n := uint16(at - rng.IntN(1100))
		header, payload := rtpPacket(t, 1, n, 20)
		payload[3] = byte(rng.IntN(2)) // half of them are not the packet of before
		if sealed, err := v.leg.SealRTP(nil, header, payload); err == nil {
			if sent[n] != nil {
				t.Fatalf("number %d went out as new twice", n)
			}
			sent[n] = sealed
			continue
		}
		sealed, err := v.leg.SealAgain(nil, header, payload)
		if err != nil {
			refused++
			continue
		}
		again++
		if !bytes.Equal(sealed, sent[n]) {
			t.Fatalf("number %d went out with two contents", n)
		}
	}
	if again < 1000 || refused < 1000 {
		t.Errorf("%d sent again, %d refused: too few to tell", again, refused)
	}
}
