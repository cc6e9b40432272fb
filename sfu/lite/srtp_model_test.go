package lite

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pion/srtp/v3"
)

// sealModel is what a leg has sealed, slow and obvious: it writes down every packet by its index.
type sealModel struct {
	sources map[uint32]*sealedSource
}

type sealedSource struct {
	begun   bool
	repeats bool
	top     int64                   // the highest index
	sent    map[int64]*sealedPacket // all that went out
}

type sealedPacket struct{ plain, sealed []byte }

// estimate is that of RFC 3711 section 3.3.1, in the words of its appendix A, with two differences: there is
// no rollover before the first, and exactly half way round, where the appendix is forward in one half of the
// numbers and back in the other, it is always back (and so before the window), lest a receiver differ.
func (s *sealedSource) estimate(seq int64) (index int64, ok bool) {
	if !s.begun {
		return seq, true
	}
	roc, sl := s.top/65536, s.top%65536
	v := roc
	if sl < 32768 {
		if seq-sl >= 32768 {
			v = roc - 1
		}
	} else if sl-32768 > seq {
		v = roc + 1
	}
	index = v*65536 + seq
	return index, index >= 0 && index < 1<<48 && index > s.top-1024
}

// seal tells what comes of a packet: its index, or why it is refused.
func (m *sealModel) seal(ssrc uint32, seq uint16) (int64, error) {
	s := m.sources[ssrc]
	if s == nil {
		if len(m.sources) == 8 {
			return 0, ErrTooManySources
		}
		s = &sealedSource{sent: map[int64]*sealedPacket{}}
		m.sources[ssrc] = s
	}
	index, ok := s.estimate(int64(seq))
	if !ok || s.sent[index] != nil {
		return 0, ErrIndexUsed
	}
	s.begun, s.top = true, max(s.top, index)
	return index, nil
}

// again tells what comes of a packet that shall go out once more.
func (m *sealModel) again(ssrc uint32, seq uint16, plain []byte) ([]byte, error) {
	s := m.sources[ssrc]
	if s == nil || !s.repeats || !s.begun {
		return nil, ErrIndexUnused
	}
	index, ok := s.estimate(int64(seq))
	if !ok || s.sent[index] == nil {
		return nil, ErrIndexUnused
	}
	if !bytes.Equal(s.sent[index].plain, plain) {
		return nil, ErrNotTheSame
	}
	return s.sent[index].sealed, nil
}

// sealing is a leg, the model, and pion at the other end.
type sealing struct {
	*viewer
	model sealModel
	at    map[uint32]uint16 // the number of the newest packet
}

// sameMaterial makes the same keys each time, so that a fuzzer finds again what it has found.
func sameMaterial(p Profile) []byte {
	material := make([]byte, p.exportLen())
	for i := range material {
		material[i] = byte(7 * i)
	}
	return material
}

// newSealing begins all sources with a number. A late one is in its last rollover already.
func newSealing(t *testing.T, p Profile, first uint16, late bool) *sealing {
	s := &sealing{viewer: connectedBy(t, p, sameMaterial(p)), at: map[uint32]uint16{}}
	s.leg.srtp.allowRepeats(1)
	s.model.sources = map[uint32]*sealedSource{1: {repeats: true, sent: map[int64]*sealedPacket{}}}
	for ssrc := range uint32(10) {
		s.at[ssrc] = first
	}
	if !late {
		return s
	}
	index := int64(1<<48 - 1<<16 + int64(first))
	src := s.leg.srtp.source(1)
	src.begun, src.top = true, uint64(index)
	src.mark(src.top)
	header, payload := rtpPacket(t, 1, first, 3)
	sealed := s.leg.srtp.cipher.sealRTP(nil, header, payload, 1, src.top)
	src.tags[index%windowSize] = tagOf(sealed)
	one := s.model.sources[1]
	one.begun, one.top = true, index
	one.sent[index] = &sealedPacket{bytes.Join([][]byte{header, payload}, nil), sealed}
	s.dec.SetROC(1, 1<<32-1)
	if _, err := s.dec.DecryptRTP(nil, sealed, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// seal seals a packet, and opens it at the other end.
func (s *sealing) seal(t *testing.T, ssrc uint32, seq uint16, header, payload []byte) {
	t.Helper()
	index, wantErr := s.model.seal(ssrc, seq)
	sealed, err := s.leg.SealRTP([]byte("before"), header, payload)
	if !errors.Is(err, wantErr) || !bytes.HasPrefix(sealed, []byte("before")) {
		t.Fatalf("source %d, number %d: %v, want %v", ssrc, seq, err, wantErr)
	}
	if sealed = sealed[len("before"):]; err != nil {
		if len(sealed) > 0 {
			t.Fatalf("%v left % x", err, sealed)
		}
		return
	}
	plain := bytes.Join([][]byte{header, payload}, nil)
	opened, err := s.dec.DecryptRTP(nil, bytes.Clone(sealed), nil)
	if err != nil || !bytes.Equal(opened, plain) {
		t.Fatalf("source %d, index %d: %v, opened % x, was % x", ssrc, index, err, opened, plain)
	}
	s.model.sources[ssrc].sent[index] = &sealedPacket{plain, bytes.Clone(sealed)}
	s.at[ssrc] = uint16(s.model.sources[ssrc].top)
}

// sealAgain asks for a packet once more.
func (s *sealing) sealAgain(t *testing.T, ssrc uint32, seq uint16, header, payload []byte) {
	t.Helper()
	want, wantErr := s.model.again(ssrc, seq, bytes.Join([][]byte{header, payload}, nil))
	sealed, err := s.leg.SealAgain(nil, header, payload)
	if !errors.Is(err, wantErr) || !bytes.Equal(sealed, want) {
		t.Fatalf("source %d, number %d again: %v, % x, want %v, % x", ssrc, seq, err, sealed, wantErr, want)
	}
}

// sealJumps are how far a step goes from the highest number so far.
var sealJumps = [...]int{
	1, 1, 2, 3, 0, -1, -2, -3, 100, -100, 1000, -1000, -1022, -1023, -1024, -1025,
	1022, 1023, 1024, 1025, 2000, -2000, 20000, -20000, 32766, 32767, 32768, 32769, -32767, -32766, 60000, -512,
}

// FuzzSeal: of each step the first byte is the source and what is done, the second how far its number is
// from the highest of the source, the third what is in the packet.
func FuzzSeal(f *testing.F) {
	all := []byte{}
	for jump := range byte(len(sealJumps)) {
		all = append(all, 1, 0, 0, 1, jump, 1, 1, jump, 1, 0x11, jump, 1, 0x11, jump, 2)
	}
	many := []byte{}
	for ssrc := range byte(10) {
		many = append(many, ssrc, 1, 3, ssrc, 2, 0, 0x10|ssrc, 5, 0)
	}
	for _, first := range []uint16{0, 5, 1023, 32767, 32768, 40000, 65535} {
		f.Add(first, false, false, all)
		f.Add(first, true, true, all)
	}
	f.Add(uint16(65530), true, false, many)
	f.Add(uint16(4), false, false, []byte{1, 0, 0, 1, 11, 0, 1, 5, 0}) // below the first rollover
	f.Add(uint16(4), false, false, []byte{1, 0, 0, 1, 19, 0, 1, 5, 0}) // just beyond a window, and back by one
	// Out of order over a rollover, a second one, and back.
	f.Add(uint16(65533), false, false, []byte{1, 0, 1, 1, 2, 2, 1, 5, 3, 1, 5, 3, 1, 24, 4, 1, 24, 5, 1, 0, 6, 1, 9, 7, 0x11, 9, 7, 1, 12, 8})
	f.Add(uint16(3), true, true, bytes.Repeat([]byte{1, 25, 0, 1, 6, 1, 0x11, 7, 0}, 4)) // to the last index
	f.Add(uint16(3), false, true, []byte{1, 0x20, 1, 0x21, 0, 0})                        // a header too short
	f.Fuzz(func(t *testing.T, first uint16, counter, late bool, steps []byte) {
		if len(steps) > 600 {
			return
		}
		p := ProfileGCM
		if counter {
			p = ProfileCM
		}
		s := newSealing(t, p, first, late)
		for ; len(steps) >= 3; steps = steps[3:] {
			ssrc := uint32(steps[0]&0xF) % 10
			seq := s.at[ssrc] + uint16(sealJumps[int(steps[1])%len(sealJumps)])
			header, payload := rtpPacket(t, ssrc, seq, int(steps[2]%50))
			if len(payload) > 0 {
				payload[0] = steps[2]
			}
			switch steps[0] >> 4 & 3 {
			case 1:
				s.sealAgain(t, ssrc, seq, header, payload)
			case 2:
				if out, err := s.leg.SealRTP(nil, header[:11], payload); !errors.Is(err, ErrBadPacket) || len(out) > 0 {
					t.Fatalf("a short header: %v", err)
				}
			default:
				s.seal(t, ssrc, seq, header, payload)
			}
		}
	})
}

// reportModel is what a leg has heard by SRTCP: every index that was authentic, by its sender.
type reportModel struct {
	senders map[uint32]map[int64]bool
	top     map[uint32]int64
}

// hear tells what comes of an authentic report; newest: none with a higher index came before.
func (m *reportModel) hear(ssrc uint32, index int64) (reason DropReason, newest bool) {
	seen, known := m.senders[ssrc]
	top := m.top[ssrc]
	switch {
	case !known && len(m.senders) == 8:
		return DropRTCPSenders, false
	case known && (seen[index] || index <= top-64): // the window of RFC 3711 section 3.3.2 at its least
		return DropRTCPReplay, false
	case !known:
		seen = map[int64]bool{}
		m.senders[ssrc] = seen
	}
	seen[index] = true
	if known && index < top {
		return DropNone, false
	}
	m.top[ssrc] = index
	return DropNone, true
}

// reporting is a leg, the model and two pions that report: one of them does not encrypt.
type reporting struct {
	*viewer
	model reportModel
	open  *srtp.Context
	media Path
	paths [3]Path // two that passed a check, and one that did not
}

func newReporting(t *testing.T, p Profile) *reporting {
	material := sameMaterial(p)
	r := &reporting{viewer: connectedBy(t, p, material)}
	n := p.saltLen()
	var err error
	if r.open, err = srtp.CreateContext(material[:16], material[32:32+n], srtp.ProtectionProfile(p), srtp.SRTCPNoEncryption()); err != nil {
		t.Fatal(err)
	}
	r.model = reportModel{senders: map[uint32]map[int64]bool{}, top: map[uint32]int64{}}
	r.media, r.paths = r.path, [3]Path{r.path, somewhere(6000), somewhere(7000)}
	r.leg.trust(r.paths[1], start(), &r.out)
	return r
}

// sealedAs is a report with an index of the caller's.
func sealedAs(t *testing.T, c *srtp.Context, ssrc uint32, index int64) []byte {
	t.Helper()
	c.SetIndex(ssrc, uint32(index-1)) // pion counts first
	b, err := c.EncryptRTCP(nil, receiverReport(t, ssrc), nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is done to a report on its way.
const (
	reportWhole = iota
	reportFlipped
	reportCut
	reportLonger
	reportOpen // never encrypted
	reportKinds
)

// damage is the report as it arrives, and what comes of it: DropNone when nothing is wrong with it, and
// NumDropReasons for one of several reasons, by what of it is lost.
func (r *reporting) damage(t *testing.T, ssrc uint32, index int64, how int, at byte) (b []byte, want DropReason) {
	t.Helper()
	b = sealedAs(t, r.enc, ssrc, index)
	switch how {
	case reportFlipped:
		i := int(at) % len(b)
		b[i] ^= 1 << (at % 8)
		return b, NumDropReasons
	case reportCut:
		b = b[:int(at)%len(b)]
		least := 8 + 4 + 16
		if r.leg.Profile() == ProfileCM {
			least = 8 + 4 + 10
		}
		if len(b) < 2 {
			return b, DropUnknown
		}
		if len(b) < least {
			return b, DropRTCPShort
		}
		return b, NumDropReasons
	case reportLonger:
		return append(b, at), NumDropReasons
	case reportOpen:
		return sealedAs(t, r.open, ssrc, index), DropRTCPAuth
	}
	return b, DropNone
}

// report sends a report and compares what comes of it.
func (r *reporting) report(t *testing.T, ssrc uint32, index int64, how int, at byte, path Path) {
	t.Helper()
	b, want := r.damage(t, ssrc, index, how, at)
	r.out.Reset()
	_, known := r.model.senders[ssrc]
	newest := false
	if want == DropNone {
		want, newest = r.model.hear(ssrc, index)
	}
	authentic := want == DropNone
	checked := path != r.paths[2]
	if authentic && !checked {
		want = DropUncheckedAddress
	}
	if authentic && checked && newest {
		r.media = path
	}
	got := r.leg.Receive(b, path, start(), &r.out)
	if got != want && !(want == NumDropReasons && got != DropNone && got != DropUncheckedAddress) {
		t.Fatalf("sender %d, index %d, damage %d: %v, want %v", ssrc, index, how, got, want)
	}
	if taken := authentic && checked; taken != (len(r.out.RTCP) == 1) || taken && !bytes.Equal(r.out.RTCP[0], receiverReport(t, ssrc)) {
		t.Fatalf("sender %d, index %d: opened % x", ssrc, index, r.out.RTCP)
	}
	senders := 0
	for _, e := range r.out.Events {
		if e.Kind == EventSender && uint32(e.SSRC) == ssrc {
			senders++
		}
	}
	if first := authentic && !known; first != (senders == 1) || !authentic && len(r.out.Events)+len(r.out.Send) > 0 {
		t.Fatalf("sender %d, index %d: events %v", ssrc, index, r.out.Events)
	}
	if media, _ := r.leg.Path(); media != r.media {
		t.Fatalf("sender %d, index %d: media goes to %v, want %v", ssrc, index, media, r.media)
	}
}

// reportJumps are how far an index is from the highest so far.
var reportJumps = [...]int64{1, 1, 2, 0, -1, -2, 5, -5, 62, 63, 64, 65, -62, -63, -64, -65, 30, -30, 1000, -1000, 1 << 20, -1 << 20, 1 << 30, 127}

// FuzzReports: of each step the first byte is the sender and what is done to its report, the second how far
// its index is from the highest, the third where the damage is, or where the report comes from.
func FuzzReports(f *testing.F) {
	all := []byte{}
	for jump := range byte(len(reportJumps)) {
		all = append(all, 1, jump, 0, 1, jump, 0)
		for how := range byte(reportKinds) {
			all = append(all, 1|how<<4, 0, jump*11)
		}
		all = append(all, 2, jump, 1)
	}
	many := []byte{}
	for ssrc := range byte(10) {
		many = append(many, 0x40|ssrc, 0, 0, ssrc, 0, 0, ssrc, 3, 0, ssrc, 5, 1)
	}
	for _, counter := range []bool{false, true} {
		f.Add(counter, int64(1), all)
		f.Add(counter, int64(200), all)
		f.Add(counter, int64(maxSRTCPIndex-100), all)
		f.Add(counter, int64(5), many)
		for at := byte(0); at < 250; at += 25 { // each bit and each length, or nearly
			var steps []byte
			for i := range byte(25) {
				steps = append(steps, 0x11, 0, at+i, 0x21, 0, at+i)
			}
			f.Add(counter, int64(9), append(steps, 1, 0, 0))
		}
	}
	f.Add(false, int64(100), []byte{1, 0, 2, 1, 0, 1, 1, 0, 2, 1, 5, 0, 1, 0, 0, 1, 3, 1, 1, 4, 1, 2, 0, 1}) // paths
	f.Fuzz(func(t *testing.T, counter bool, first int64, steps []byte) {
		if len(steps) > 600 || first < 1 || first > maxSRTCPIndex {
			return
		}
		p := ProfileGCM
		if counter {
			p = ProfileCM
		}
		r := newReporting(t, p)
		for ; len(steps) >= 3; steps = steps[3:] {
			ssrc, how := uint32(steps[0]&0xF)%10, int(steps[0]>>4)%reportKinds
			from := first
			if top, known := r.model.top[ssrc]; known {
				from = top
			}
			index := min(max(from+reportJumps[int(steps[1])%len(reportJumps)], 1), maxSRTCPIndex)
			path := r.paths[0]
			if how == reportWhole {
				path = r.paths[steps[2]%3]
			}
			r.report(t, ssrc, index, how, steps[2], path)
		}
	})
}
