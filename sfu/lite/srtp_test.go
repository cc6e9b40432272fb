package lite

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/fanfare-relay/fanfare/media"
)

// somewhere is an address of the peer in tests.
func somewhere(port uint16) Path {
	return Path{
		Remote: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), port),
		Local:  netip.MustParseAddr("198.51.100.1"),
	}
}

// start is when virtual time begins.
func start() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }

// viewer is a connected leg without a handshake, and the peer's end of its keys.
type viewer struct {
	leg      *Leg
	out      Out
	path     Path
	enc, dec *srtp.Context // the peer's: enc makes reports, dec opens our media
}

func connected(t testing.TB, p Profile) *viewer {
	t.Helper()
	material := make([]byte, p.exportLen())
	_, _ = rand.Read(material)
	return connectedBy(t, p, material)
}

// connectedBy is connected with keys of the caller's.
func connectedBy(t testing.TB, p Profile, material []byte) *viewer {
	t.Helper()
	v := &viewer{path: somewhere(5000)}
	v.leg = New(Config{Local: Credentials{"mine", "mine-password-mine-password"}, Remote: Credentials{"theirs", "theirs-password-theirs"}}, start())
	v.leg.trust(v.path, start(), &v.out)
	v.leg.state = stateHandshaking
	v.leg.Finish(Result{Profile: p, keys: p.split(material), lastFlight: []byte{20, 1}, closeNotify: []byte{21, 1}}, start(), &v.out)
	if !v.leg.Connected() || v.leg.Profile() != p {
		t.Fatal("not connected")
	}
	n := p.saltLen()
	var err1, err2 error
	v.enc, err1 = srtp.CreateContext(material[:16], material[32:32+n], srtp.ProtectionProfile(p))
	v.dec, err2 = srtp.CreateContext(material[16:32], material[32+n:], srtp.ProtectionProfile(p))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return v
}

func profiles(t *testing.T, f func(t *testing.T, p Profile)) {
	for _, p := range []Profile{ProfileGCM, ProfileCM} {
		t.Run(p.String(), func(t *testing.T) { f(t, p) })
	}
}

func rtpPacket(t testing.TB, ssrc uint32, seq uint16, size int) (header, payload []byte) {
	t.Helper()
	h := rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, SSRC: ssrc, Timestamp: 7}
	if err := h.SetExtension(1, []byte("ext")); err != nil {
		t.Fatal(err)
	}
	header, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return header, bytes.Repeat([]byte{byte(seq)}, size)
}

// TestSealRTP: what we seal, pion opens, over a rollover and out of order.
func TestSealRTP(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		v := connected(t, p)
		for _, seq := range []uint16{65533, 65535, 65534, 0, 2, 1, 3} {
			for _, ssrc := range []uint32{1, 2} {
				header, payload := rtpPacket(t, ssrc, seq, 100)
				sealed, err := v.leg.SealRTP([]byte("before"), header, payload)
				if err != nil {
					t.Fatal(err)
				}
				if len(sealed) > 6+len(header)+len(payload)+Overhead {
					t.Errorf("%d bytes are more than promised", len(sealed))
				}
				plain, err := v.dec.DecryptRTP(nil, sealed[6:], nil)
				if err != nil || !bytes.Equal(plain, append(header, payload...)) {
					t.Fatalf("packet %d/%d: %v", ssrc, seq, err)
				}
			}
		}
	})
}

// TestSealInPlace gives the same bytes as sealing elsewhere.
func TestSealInPlace(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		v := connected(t, p)
		header, payload := rtpPacket(t, 1, 1, 100)
		buf := make([]byte, 0, 300)
		packet := append(append(buf, header...), payload...)
		sealed, err := v.leg.SealRTP(buf, packet[:len(header)], packet[len(header):])
		if err != nil || &sealed[0] != &packet[0] {
			t.Fatalf("not in place: %v", err)
		}
		if plain, err := v.dec.DecryptRTP(nil, sealed, nil); err != nil || !bytes.Equal(plain, append(header, payload...)) {
			t.Error(err)
		}
	})
}

func TestSealRefuses(t *testing.T) {
	v := connected(t, ProfileGCM)
	header, payload := rtpPacket(t, 1, 1, 10)
	seal := func(h []byte) error {
		out, err := v.leg.SealRTP([]byte("x"), h, payload)
		if err != nil && string(out) != "x" {
			t.Errorf("%v changed dst", err)
		}
		return err
	}
	if err := seal(header); err != nil {
		t.Error(err)
	}
	if err := seal(header); !errors.Is(err, ErrIndexUsed) {
		t.Errorf("the same packet twice: %v", err)
	}
	if err := seal(header[:11]); !errors.Is(err, ErrBadPacket) {
		t.Errorf("a short header: %v", err)
	}
	for ssrc := range uint32(MaxSources - 1) {
		h, _ := rtpPacket(t, 100+ssrc, 1, 0)
		if err := seal(h); err != nil {
			t.Error(err)
		}
	}
	h, _ := rtpPacket(t, 99, 1, 0)
	if err := seal(h); !errors.Is(err, ErrTooManySources) {
		t.Errorf("one source too many: %v", err)
	}
	if _, err := v.leg.SealRTCP(nil, header[:7]); !errors.Is(err, ErrBadPacket) {
		t.Errorf("short RTCP: %v", err)
	}
	v.leg.srtp.rtcpIndex = maxSRTCPIndex
	report := receiverReport(t, 1)
	if _, err := v.leg.SealRTCP(nil, report); err != nil {
		t.Error(err)
	}
	if _, err := v.leg.SealRTCP(nil, report); !errors.Is(err, ErrKeyExhausted) {
		t.Errorf("all indices used: %v", err)
	}
	v.leg.Close(media.CloseEnded, &v.out)
	if err := seal(h); !errors.Is(err, ErrNotConnected) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := v.leg.SealRTCP(nil, report); !errors.Is(err, ErrNotConnected) {
		t.Errorf("after the end: %v", err)
	}
}

func receiverReport(t testing.TB, ssrc uint32) []byte {
	t.Helper()
	b, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: ssrc, Reports: []rtcp.ReceptionReport{{SSRC: 9, Jitter: 3}}},
		&rtcp.PictureLossIndication{SenderSSRC: ssrc, MediaSSRC: 9},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealRTCP(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		v := connected(t, p)
		for ssrc := range uint32(3) {
			report := receiverReport(t, ssrc)
			sealed, err := v.leg.SealRTCP([]byte("before"), report)
			if err != nil || len(sealed) > 6+len(report)+OverheadRTCP {
				t.Fatalf("%d bytes, %v", len(sealed), err)
			}
			plain, err := v.dec.DecryptRTCP(nil, sealed[6:], nil)
			if err != nil || !bytes.Equal(plain, report) {
				t.Errorf("opened %x, %v", plain, err)
			}
		}
	})
}

// sealed is a report of the peer as it comes over the network.
func (v *viewer) sealed(t testing.TB, ssrc uint32) []byte {
	t.Helper()
	b, err := v.enc.EncryptRTCP(nil, receiverReport(t, ssrc), nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestReports: one window for each sender, replays and forgeries are counted and do no
// harm.
func TestReports(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		v := connected(t, p)
		receive := func(b []byte, want DropReason) {
			t.Helper()
			v.out.Reset()
			before := bytes.Clone(b)
			if got := v.leg.Receive(b, v.path, start(), &v.out); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			if (want == DropNone) != (len(v.out.RTCP) == 1) {
				t.Errorf("%d reports with %v", len(v.out.RTCP), want)
			}
			if !bytes.Equal(b, before) {
				t.Error("the datagram was changed")
			}
		}
		sound1, picture1, sound2 := v.sealed(t, 1), v.sealed(t, 2), v.sealed(t, 1)
		receive(sound1, DropNone)
		if !bytes.Equal(v.out.RTCP[0], receiverReport(t, 1)) {
			t.Errorf("opened %x", v.out.RTCP[0])
		}
		if e := v.out.Events; len(e) != 1 || e[0].Kind != EventSender || e[0].SSRC != 1 {
			t.Errorf("events %v", e)
		}
		receive(picture1, DropNone) // the same index, another sender
		receive(sound1, DropRTCPReplay)
		forged := bytes.Clone(sound2)
		forged[12] ^= 1
		receive(forged, DropRTCPAuth)
		plain := bytes.Clone(sound2)
		at := len(plain) - 4
		if p == ProfileCM {
			at -= cmTag
		}
		plain[at] &^= 0x80
		receive(plain, DropRTCPAuth)
		receive(sound2, DropNone) // the forgery has not used up its index
		receive(sound2[:20], DropRTCPShort)
		receive(append(bytes.Clone(sound2), 0), DropRTCPAuth)
		for ssrc := uint32(3); ssrc <= maxSenders; ssrc++ {
			receive(v.sealed(t, ssrc), DropNone)
		}
		receive(v.sealed(t, 99), DropRTCPSenders)
		receive(v.sealed(t, 2), DropNone)
		if v.leg.Closed() {
			t.Error("bad reports ended the leg")
		}
	})
}

func TestReportsBeforeKeys(t *testing.T) {
	leg := New(Config{}, start())
	var out Out
	if got := leg.Receive([]byte{0x80, 201, 0, 1, 0, 0, 0, 1}, somewhere(1), start(), &out); got != DropNotConnected {
		t.Error(got)
	}
	if got := leg.Receive([]byte{0x80, 96, 0, 1, 0, 0, 0, 1}, somewhere(1), start(), &out); got != DropRTP {
		t.Error(got)
	}
	if got := leg.Receive([]byte{0xFF}, somewhere(1), start(), &out); got != DropUnknown {
		t.Error(got)
	}
	if _, err := leg.SealRTP(nil, make([]byte, 12), nil); !errors.Is(err, ErrNotConnected) {
		t.Error(err)
	}
}

func TestSenderSSRC(t *testing.T) {
	if ssrc, ok := SenderSSRC(receiverReport(t, 77)); !ok || ssrc != 77 {
		t.Errorf("%d, %v", ssrc, ok)
	}
	if _, ok := SenderSSRC(make([]byte, 7)); ok {
		t.Error("7 bytes have a sender")
	}
}

// TestSealAllocations: GCM costs nothing; counter mode one state of the standard library.
func TestSealAllocations(t *testing.T) {
	profiles(t, func(t *testing.T, p Profile) {
		v := connected(t, p)
		header, payload := rtpPacket(t, 1, 0, 1200)
		dst, report := make([]byte, 0, 1500), receiverReport(t, 1)
		seq := uint16(0)
		seal := testing.AllocsPerRun(500, func() {
			seq++
			binary.BigEndian.PutUint16(header[2:], seq)
			if _, err := v.leg.SealRTP(dst, header, payload); err != nil {
				t.Fatal(err)
			}
		})
		reports := testing.AllocsPerRun(500, func() {
			if _, err := v.leg.SealRTCP(dst, report); err != nil {
				t.Fatal(err)
			}
		})
		want := 0.0
		if p == ProfileCM {
			want = 1
		}
		if seal > want || reports > want {
			t.Errorf("%v allocations for RTP, %v for RTCP", seal, reports)
		}
	})
}

func BenchmarkSealRTP(b *testing.B) {
	for _, p := range []Profile{ProfileGCM, ProfileCM} {
		b.Run(p.String(), func(b *testing.B) {
			v := connected(b, p)
			header, payload := rtpPacket(b, 1, 0, 1200)
			dst := make([]byte, 0, 1500)
			b.ReportAllocs()
			for seq := uint16(0); b.Loop(); seq++ {
				binary.BigEndian.PutUint16(header[2:], seq)
				_, _ = v.leg.SealRTP(dst, header, payload)
			}
		})
	}
}

// FuzzReceive throws anything at a connected leg: nothing may crash it or end it.
func FuzzReceive(f *testing.F) {
	v := connected(f, ProfileGCM)
	f.Add(v.sealed(f, 1))
	f.Add([]byte{22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	f.Add([]byte{21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0})
	f.Add(append([]byte{21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 0, 0, 26}, make([]byte, 26)...))
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range []Profile{ProfileGCM, ProfileCM} {
			v := connected(t, p)
			v.out.Reset()
			reason := v.leg.Receive(b, v.path, start(), &v.out)
			if v.leg.Closed() || reason >= NumDropReasons {
				t.Errorf("%v ended the leg", reason)
			}
			_, _ = SenderSSRC(b)
		}
	})
}

// What sealing looks at is known from the connection to the end, and fits into what callers keep of it.
func TestMemory(t *testing.T) {
	if got := New(Config{}, start()).AppendMemory(nil); len(got) != 0 {
		t.Errorf("%d ranges before the keys are there", len(got))
	}
	profiles(t, func(t *testing.T, p Profile) {
		v := connected(t, p)
		before := v.leg.AppendMemory(nil)
		for ssrc := range uint32(2) {
			header, payload := rtpPacket(t, ssrc, 1, 100)
			if _, err := v.leg.SealRTP(nil, header, payload); err != nil {
				t.Fatal(err)
			}
		}
		if after := v.leg.AppendMemory(nil); !slices.Equal(before, after) || len(after) == 0 || len(after) > 6 {
			t.Errorf("%v, then %v", before, after)
		}
	})
}
