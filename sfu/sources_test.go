package sfu

import (
	"encoding/binary"
	"testing"

	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// packetOf makes an RTP packet of a source, with extensions by id.
func packetOf(t testing.TB, ssrc uint32, extensions map[uint8]string) []byte {
	t.Helper()
	p := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: ssrc}, Payload: []byte{1}}
	for id, value := range extensions {
		if err := p.SetExtension(id, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func simulcastOffer() *offer {
	return &offer{tracks: []trackOffer{
		{mid: "0", kind: media.KindAudio},
		{mid: "1", kind: media.KindVideo, rids: []media.RID{"q", "f"}, exts: []extension{
			{id: 1, uri: ext.URIMid}, {id: 2, uri: ext.URIRid}, {id: 3, uri: ext.URIRepairedRid}}},
	}}
}

// A publisher has the sources of its offer and one for each rid and its repeats, whatever else comes.
func TestSources(t *testing.T) {
	s := newSources(simulcastOffer(), "a=ssrc:7 cname:x\r\na=ssrc:no\r\na=ssrc:99999999999 x\r\n")
	for _, c := range []struct {
		name string
		ssrc uint32
		exts map[uint8]string
		want bool
	}{
		{"of the offer", 7, nil, true},
		{"Chromium's probe", 0, nil, true},
		{"without a name", 100, nil, false},
		{"with its mid alone", 100, map[uint8]string{1: "1"}, false},
		{"of a rid", 100, map[uint8]string{1: "1", 2: "q"}, true},
		{"again, without a name now", 100, nil, true},
		{"another of the same rid", 101, map[uint8]string{1: "1", 2: "q"}, false},
		{"its repeats", 102, map[uint8]string{1: "1", 3: "q"}, true},
		{"a rid that was not offered", 103, map[uint8]string{1: "1", 2: "zz"}, false},
		{"the rid of another m-line", 104, map[uint8]string{1: "0", 2: "f"}, false},
		{"the other rid, of the offer", 7, map[uint8]string{1: "1", 2: "f"}, true},
		{"the other rid, once more", 105, map[uint8]string{1: "1", 2: "f"}, false},
	} {
		if got := s.admits(lite.KindRTP, packetOf(t, c.ssrc, c.exts)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	for i := range 1000 {
		s.admits(lite.KindRTP, packetOf(t, 1000+uint32(i), map[uint8]string{1: "1", 2: "q"}))
		s.admits(lite.KindRTCP, binary.BigEndian.AppendUint32([]byte{0x80, 201, 0, 1}, uint32(i)))
	}
	if len(s.known) != 4 || len(s.reporters) != maxReporters {
		t.Errorf("%d sources, %d reporters", len(s.known), len(s.reporters))
	}
}

// Repeats wait until their source has begun, and only they.
func TestEarlyRepeats(t *testing.T) {
	s := newSources(simulcastOffer(), "a=ssrc-group:FID 7 8\r\na=ssrc-group:FID 9\r\na=ssrc-group:FID 9 x\r\na=ssrc-group:FEC-FR 7 10\r\na=ssrc:7 cname:x\r\na=ssrc:8 cname:x\r\n")
	begun := false
	early := func(ssrc uint32) bool {
		return s.early(packetOf(t, ssrc, nil), func(of media.SSRC) bool { return begun && of == 7 })
	}
	for range 2 { // it does not pass by coming again
		if !early(8) || early(7) || early(9) || early(10) {
			t.Error("before the source has begun")
		}
	}
	if begun = true; early(8) || early(7) {
		t.Error("after it has")
	}
	if begun = false; early(8) {
		t.Error("a source that has begun is asked for again")
	}
	if s.early([]byte{0x80, 97, 0, 1}, func(media.SSRC) bool { return false }) {
		t.Error("half a header")
	}
}

// A publisher of one m-line that names no source may have a few.
func TestUnnamedSources(t *testing.T) {
	s := newSources(&offer{tracks: []trackOffer{{mid: "0", kind: media.KindVideo}}}, "")
	for i := range uint32(10) {
		if got := s.admits(lite.KindRTP, packetOf(t, 1+i, nil)); got != (i < maxUnnamed) {
			t.Errorf("source %d: %v", i, got)
		}
	}
}

// Nothing that comes makes the table grow beyond what the offer has room for.
func FuzzSources(f *testing.F) {
	f.Add(packetOf(f, 5, map[uint8]string{1: "1", 2: "q"}))
	f.Add([]byte{0x9f, 96})
	f.Add([]byte{0x81, 201, 0, 1, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSources(simulcastOffer(), "")
		kind := lite.Classify(b)
		if first, again := s.admits(kind, b), s.admits(kind, b); first && !again {
			t.Error("admitted once, and not again")
		}
		if len(s.known) > 2 || len(s.reporters) > 1 {
			t.Errorf("%d sources, %d reporters of one datagram", len(s.known), len(s.reporters))
		}
	})
}
