package fec_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media/fec"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

const ssrc = 0x01020304

var epoch = time.Unix(1000, 0)

// packet makes one with a payload of a size, now and then with extensions, contributing sources or a
// marker.
func packet(t testing.TB, number uint16, size int, rng *rand.Rand) []byte {
	t.Helper()
	p := rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: uint8(rng.IntN(128)), Marker: rng.IntN(3) == 0, SequenceNumber: number, Timestamp: rng.Uint32(), SSRC: ssrc,
	}}
	if rng.IntN(2) == 0 {
		if err := p.SetExtension(1, make([]byte, 1+rng.IntN(16))); err != nil {
			t.Fatal(err)
		}
	}
	for range rng.IntN(3) {
		p.CSRC = append(p.CSRC, rng.Uint32())
	}
	for range size {
		p.Payload = append(p.Payload, byte(rng.Uint32()))
	}
	padded := rng.IntN(3) == 0
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if padded {
		b[0] |= 0x20
		b = append(b, 1)
	}
	return b
}

// add gives an encoder a packet in two parts.
func add(t testing.TB, e *fec.Encoder, b []byte, now time.Time) {
	t.Helper()
	var h rtp.Header
	n, err := h.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	e.Add(b[:n], b[n:], now)
}

// The header, byte for byte: a group of the numbers 65534 and 1 of two packets that differ in
// everything.
func TestFormat(t *testing.T) {
	e := fec.NewEncoder(ssrc, 1)
	e.Add([]byte{0x80, 96, 0xff, 0xfe, 0, 0, 0, 7, 1, 2, 3, 4}, []byte{1, 2, 3}, epoch)
	e.Add([]byte{0x90, 0x80 | 97, 0, 1, 0, 0, 1, 7, 1, 2, 3, 4, 0xbe, 0xde, 0, 0}, []byte{9}, epoch)
	i := e.Due(fec.Plan{Size: 2}, false, epoch)
	if i != 0 {
		t.Fatalf("group %d is due", i)
	}
	got, ts := e.Append([]byte("x"), i)
	want := []byte{'x',
		0x10, 0x81, 0, 3 ^ 5, // X, M and payload type; lengths 3 and 5
		0, 0, 1, 0,
		1, 0, 0, 0,
		1, 2, 3, 4,
		0xff, 0xfe, 0x80 | 0x48, 0, // k, bits 0 and 3
		1 ^ 0xbe, 2 ^ 0xde, 3, 0, 9}
	if !bytes.Equal(got, want) || ts != 0x107 {
		t.Errorf("timestamp %#x\ngot  %x\nwant %x", ts, got, want)
	}
	if i := e.Due(fec.Plan{Size: 1}, true, epoch); i != -1 {
		t.Errorf("group %d is due again", i)
	}
}

// A mask of more than 15 packets takes four bytes more.
func TestLongMask(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	e := fec.NewEncoder(ssrc, 2)
	for n := range uint16(20) {
		add(t, e, packet(t, n, 10, rng), epoch)
	}
	got, _ := e.Append(nil, 1)
	if want := []byte{0, 1, 0x55, 0x55, 0xa8, 0, 0, 0}; !bytes.Equal(got[16:24], want) { // bits 0, 2, 4 … 18
		t.Errorf("number and mask %x, want %x", got[16:24], want)
	}
}

// sendGroups makes as many groups of a size, and what protects them.
func sendGroups(t testing.TB, groups, size int, rng *rand.Rand) (sent, repairs [][]byte) {
	t.Helper()
	first, plan := uint16(rng.Uint32()), fec.Plan{Size: size}
	e := fec.NewEncoder(ssrc, groups)
	for n := range groups * size {
		sent = append(sent, packet(t, first+uint16(n), rng.IntN(1200), rng))
		add(t, e, sent[n], epoch)
	}
	for i := e.Due(plan, false, epoch); i >= 0; i = e.Due(plan, false, epoch) {
		b, ts := e.Append(nil, i)
		if newest := sent[len(sent)-groups+i]; ts != binary.BigEndian.Uint32(newest[4:]) {
			t.Fatalf("the timestamp of group %d is %d", i, ts)
		}
		repairs = append(repairs, b)
	}
	return sent, repairs
}

// A burst of losses as long as there are groups comes back, wherever it is, bit for bit.
func TestRecovery(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for groups := 1; groups <= 4; groups++ {
		for size := 2; size <= 10; size++ {
			sent, repairs := sendGroups(t, groups, size, rng)
			for lost := range len(sent) - groups + 1 {
				d := mediatest.Parity{SSRC: ssrc}
				for n, b := range sent {
					if n < lost || n >= lost+groups {
						d.Media(b)
					}
				}
				back := map[uint16][]byte{}
				for _, b := range repairs {
					for _, got := range d.Repair(b) {
						back[binary.BigEndian.Uint16(got[2:])] = got
					}
				}
				for _, b := range sent[lost : lost+groups] {
					if got := back[binary.BigEndian.Uint16(b[2:])]; !bytes.Equal(got, b) {
						t.Fatalf("%d groups of %d, %d lost: came back as\n%x, was\n%x", groups, size, lost, got, b)
					}
				}
			}
		}
	}
}

// A parity packet may come before what it protects, and two of one group cannot be helped.
func TestOrderAndLimit(t *testing.T) {
	sent, repairs := sendGroups(t, 1, 5, rand.New(rand.NewPCG(5, 6)))
	d := mediatest.Parity{SSRC: ssrc}
	d.Repair(repairs[0])
	for n, b := range sent[:4] {
		if got := d.Media(b); (len(got) > 0) != (n == 3) {
			t.Errorf("after packet %d: %d came back", n, len(got))
		}
	}
	d = mediatest.Parity{SSRC: ssrc}
	for _, b := range sent[:3] {
		d.Media(b)
	}
	if got := d.Repair(repairs[0]); len(got) > 0 {
		t.Errorf("%d of two came back", len(got))
	}
}

// A group is full, or has had its time when a frame ends.
func TestDue(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	plan := fec.Plan{Size: 3, Patience: 20 * time.Millisecond}
	e := fec.NewEncoder(ssrc, 1)
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	add(t, e, packet(t, 1, 10, rng), at(0))
	for _, c := range []struct {
		ms   int
		end  bool
		want int
	}{{0, true, -1}, {19, true, -1}, {20, false, -1}, {20, true, 0}} {
		if got := e.Due(plan, c.end, at(c.ms)); got != c.want {
			t.Errorf("after %d ms, frame ended %v: group %d", c.ms, c.end, got)
		}
	}
	add(t, e, packet(t, 2, 10, rng), at(5))
	add(t, e, packet(t, 3, 10, rng), at(6))
	if got := e.Due(plan, false, at(6)); got != 0 {
		t.Errorf("a full group is not due: %d", got)
	}
}

// What comes late, twice or too far ahead is left out, and spoils nothing.
func TestLeftOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	e := fec.NewEncoder(ssrc, 1)
	first, second := packet(t, 100, 50, rng), packet(t, 101, 60, rng)
	add(t, e, first, epoch)
	for _, number := range []uint16{99, 100, 146, 40_000} {
		add(t, e, packet(t, number, 70, rng), epoch)
	}
	e.Add([]byte{0x80}, nil, epoch)
	add(t, e, second, epoch)
	repair, _ := e.Append(nil, e.Due(fec.Plan{Size: 2}, false, epoch))
	d := mediatest.Parity{SSRC: ssrc}
	d.Media(second)
	if got := d.Repair(repair); len(got) != 1 || !bytes.Equal(got[0], first) {
		t.Errorf("came back: %x", got)
	}
}

// Whatever is sent, whatever is lost: what comes back is what was sent.
func FuzzRecovery(f *testing.F) {
	f.Add(uint64(1), uint64(0b100), uint8(1), uint8(5))
	f.Add(uint64(2), uint64(0b110011), uint8(2), uint8(9))
	f.Fuzz(func(t *testing.T, seed, lost uint64, groups, size uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		sent, repairs := sendGroups(t, 1+int(groups%4), 1+int(size%10), rng)
		first := binary.BigEndian.Uint16(sent[0][2:])
		d := mediatest.Parity{SSRC: ssrc}
		var back [][]byte
		for n, b := range sent {
			if lost>>n&1 == 0 {
				back = append(back, d.Media(b)...)
			}
		}
		for _, b := range repairs {
			back = append(back, d.Repair(b)...)
		}
		for _, got := range back {
			if n := binary.BigEndian.Uint16(got[2:]) - first; int(n) >= len(sent) || !bytes.Equal(got, sent[n]) {
				t.Fatalf("came back as number %d: %x", n, got)
			}
		}
	})
}

func BenchmarkEncoder(b *testing.B) {
	e := fec.NewEncoder(ssrc, 2)
	header, payload, out := packet(b, 0, 0, rand.New(rand.NewPCG(1, 1)))[:12], make([]byte, 1100), make([]byte, 0, 2000)
	header[0] = 0x80
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint16(header[2:], uint16(i))
		e.Add(header, payload, epoch)
		if g := e.Due(fec.Plan{Size: 5}, false, epoch); g >= 0 {
			e.Append(out[:0], g)
		}
	}
}
