package sfu_test

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/stun/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// mill makes garbage of every class: from nobody, and from the addresses of those who are there.
type mill struct {
	*audience
	rng      *rand.Rand
	stranger *sfutest.Conn

	mu   sync.Mutex
	real [][]byte // what the viewer and the publisher really sent
}

func newMill(t *testing.T, seed uint64) *mill {
	t.Helper()
	m := &mill{audience: newAudience(t, 3), rng: rand.New(rand.NewPCG(seed, 0x6d696c6c))}
	m.stranger = m.net.Listen(sfutest.Line{})
	for _, c := range []*sfutest.Conn{m.conns[0], m.pubConn} {
		c.Tap(m.keep)
	}
	m.live(t, 3*time.Second, func() { m.viewers[0].AskForKey(t) }) // so that there is something to replay
	return m
}

func (m *mill) keep(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.real) < 1000 {
		m.real = append(m.real, b)
	}
}

// noise is n random bytes behind a beginning.
func (m *mill) noise(n int, head ...byte) []byte {
	for len(head) < n {
		head = append(head, byte(m.rng.Uint32()))
	}
	return head
}

// captured is a datagram that was really sent, of a kind.
func (m *mill) captured(kind lite.Kind) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, first := range m.rng.Perm(len(m.real)) {
		if b := m.real[first]; lite.Classify(b) == kind || i == len(m.real)-1 {
			return append([]byte(nil), b...)
		}
	}
	return nil
}

// check is a Binding request for a session, with a forged signature.
func check(username string, more ...stun.Setter) []byte {
	setters := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(username)}, more...)
	return stun.MustBuild(setters...).Raw
}

// unknownSource is an RTP packet of an SSRC that nobody named.
func (m *mill) unknownSource() []byte {
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: m.rng.Uint32() | 1}, Payload: m.noise(200)}
	b, _ := p.Marshal()
	return b
}

// class is one kind of garbage. reason is the figure that must grow for each datagram of it.
type class struct {
	name   string
	from   func(m *mill) *sfutest.Conn
	make   func(m *mill) []byte
	reason func(sfu.Stats) uint64
	// answered are those of a few that are taken for a browser whose handshake lost its last
	// flight, and get it again.
	answered uint64
}

func stranger(m *mill) *sfutest.Conn    { return m.stranger }
func asViewer(m *mill) *sfutest.Conn    { return m.conns[0] }
func asPublisher(m *mill) *sfutest.Conn { return m.pubConn }

func dropped(r sfu.DropReason) func(sfu.Stats) uint64 {
	return func(s sfu.Stats) uint64 { return s.Drops[r] }
}

func legDropped(reasons ...lite.DropReason) func(sfu.Stats) uint64 {
	return func(s sfu.Stats) (n uint64) {
		for _, r := range reasons {
			n += s.LegDrops[r]
		}
		return n
	}
}

func (m *mill) viewerUfrag() string    { return sdpLine(m.viewers[0].Answer.SDP, "a=ice-ufrag:") }
func (m *mill) publisherUfrag() string { return sdpLine(m.pub.Answer.SDP, "a=ice-ufrag:") }

func truncated(b []byte, n int) []byte { return b[:min(n, len(b))] }

func flipped(b []byte) []byte {
	b[len(b)-1] ^= 0x40
	return b
}

var classes = []class{
	{"unknown first byte", stranger, func(m *mill) []byte { return m.noise(80, 0xc0|byte(m.rng.IntN(64))) }, dropped(sfu.DropUnknownKind), 0},
	{"TURN channel data", stranger, func(m *mill) []byte { return m.noise(80, 0x40) }, dropped(sfu.DropUnknownKind), 0},
	{"one byte", stranger, func(*mill) []byte { return []byte{0} }, dropped(sfu.DropUnknownKind), 0},
	{"check of an unknown session", stranger, func(*mill) []byte { return check("nobody:x") }, dropped(sfu.DropUnknownUfrag), 0},
	{"check without a signature", stranger, func(m *mill) []byte { return check(m.viewerUfrag()+":x", stun.Fingerprint) }, legDropped(lite.DropSTUNUsername, lite.DropSTUNIntegrity), 0},
	{"check with a forged signature", stranger, func(m *mill) []byte {
		return check(m.viewerUfrag()+":x", stun.NewShortTermIntegrity("guess"), stun.Fingerprint)
	}, legDropped(lite.DropSTUNUsername, lite.DropSTUNIntegrity), 0},
	{"truncated check", stranger, func(m *mill) []byte { b := check(m.viewerUfrag() + ":x"); return truncated(b, len(b)-4) }, dropped(sfu.DropUnknownAddress), 0},
	{"replayed check", asViewer, func(m *mill) []byte { return m.captured(lite.KindSTUN) }, nil, 0},
	{"replayed check from elsewhere", stranger, func(m *mill) []byte { return m.captured(lite.KindSTUN) }, nil, 0},
	{"STUN response to nothing", stranger, func(m *mill) []byte { return stun.MustBuild(stun.TransactionID, stun.BindingSuccess).Raw }, dropped(sfu.DropUnknownAddress), 0},
	{"STUN indication", stranger, func(m *mill) []byte {
		return stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication)).Raw
	}, dropped(sfu.DropUnknownAddress), 0},
	{"TURN request", stranger, func(m *mill) []byte {
		return stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)).Raw
	}, dropped(sfu.DropUnknownAddress), 0},
	{"STUN noise", stranger, func(m *mill) []byte { return m.noise(60, 0, 1) }, dropped(sfu.DropUnknownAddress), 0},
	{"ClientHello from a port that passed no check", stranger, func(*mill) []byte { return sfutest.ClientHello() }, dropped(sfu.DropUnknownAddress), 0},
	{"ClientHello behind the handshake", asViewer, func(*mill) []byte { return sfutest.ClientHello() }, legDropped(lite.DropDTLSUnexpected, lite.DropDTLSRepeat, lite.DropDTLSMalformed), 1},
	{"DTLS noise", asViewer, func(m *mill) []byte { return m.noise(90, 22, 0xfe, 0xfd) }, legDropped(lite.DropDTLSUnexpected, lite.DropDTLSRepeat, lite.DropDTLSMalformed), 0},
	{"forged close_notify", asViewer, func(m *mill) []byte { return m.noise(39, 21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 26) }, legDropped(lite.DropDTLSAlert), 0},
	{"RTP from nobody", stranger, func(m *mill) []byte { return m.noise(300, 0x80, 96) }, dropped(sfu.DropUnknownAddress), 0},
	{"RTP of a viewer", asViewer, func(m *mill) []byte { return m.noise(300, 0x80, 96) }, legDropped(lite.DropRTP), 0},
	{"replayed RTP from nobody", stranger, func(m *mill) []byte { return m.captured(lite.KindRTP) }, dropped(sfu.DropUnknownAddress), 0},
	{"RTCP from nobody", stranger, func(m *mill) []byte { return m.noise(60, 0x81, 201) }, dropped(sfu.DropUnknownAddress), 0},
	{"forged RTCP", asViewer, func(m *mill) []byte { return m.noise(60, 0x81, 201) }, legDropped(lite.DropRTCPAuth, lite.DropRTCPSenders), 0},
	{"truncated RTCP", asViewer, func(m *mill) []byte { return m.noise(9, 0x81, 201) }, legDropped(lite.DropRTCPShort), 0},
	{"replayed RTCP", asViewer, func(m *mill) []byte { return m.captured(lite.KindRTCP) }, legDropped(lite.DropRTCPReplay, lite.DropRTCPAuth), 0},
	{"absurd feedback about the line, forged", asViewer, func(m *mill) []byte { return m.noise(1200, 0x8f, 205) }, legDropped(lite.DropRTCPAuth, lite.DropRTCPSenders), 0},
	{"unknown source of a publisher", asPublisher, func(m *mill) []byte { return m.unknownSource() }, dropped(sfu.DropUnknownSource), 0},
	{"truncated RTP of a publisher", asPublisher, func(m *mill) []byte { return m.noise(11, 0x80, 96) }, dropped(sfu.DropUnknownSource), 0},
	{"replayed RTP of a publisher", asPublisher, func(m *mill) []byte { return m.captured(lite.KindRTP) }, dropped(sfu.DropNotAuthentic), 0},
	{"broken RTP of a publisher", asPublisher, func(m *mill) []byte { return flipped(m.captured(lite.KindRTP)) }, dropped(sfu.DropNotAuthentic), 0},
	{"check of a publisher, forged", stranger, func(m *mill) []byte {
		return check(m.publisherUfrag()+":x", stun.NewShortTermIntegrity("guess"), stun.Fingerprint)
	}, nil, 0},
}

// Each class of garbage is counted under a reason, and nobody feels it.
func TestGarbageIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, 1)
		for _, c := range classes {
			if c.reason == nil {
				continue // pion's, which does not tell, or a good check that is answered again
			}
			const times = 5
			before := c.reason(m.relay.Stats())
			for range times {
				m.net.Forge(c.make(m), c.from(m), m.relay.Port)
				synctest.Wait()
			}
			if got := c.reason(m.relay.Stats()) - before; got != times-c.answered {
				t.Errorf("%s: %d of %d are counted under the reason; drops %v, %v", c.name, got, times, m.relay.Stats().Drops, m.relay.Stats().LegDrops)
			}
			m.frame(t, false)
		}
		m.allSeen(t, m.viewers)
	})
}

// A source whose packets name the picture has to name one of its rids as well, which no other source has taken.
func TestUnknownRid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sfutest.NewNetwork(13)
		r := startVirtual(t, n)
		conn := n.Listen(sfutest.Line{})
		pub := sfutest.PublishSimulcastOn(t, conn, r, "s", media.CodecVP8, "l", "h")
		send := func(rid string) uint64 {
			before, source := r.Stats().PacketsIn, newSource(media.CodecVP8)
			for range 8 {
				pub.SendEncoding(t, media.KindVideo, rid, source.Next(mediatest.Frame{Key: true, Size: 500})...)
				time.Sleep(time.Second / 30)
				synctest.Wait()
			}
			return r.Stats().PacketsIn - before
		}
		if send("l") == 0 {
			t.Fatal("nothing of the first rid has come")
		}
		mid, rid := pub.ExtensionID(media.KindVideo, ext.URIMid), pub.ExtensionID(media.KindVideo, ext.URIRid)
		if mid == 0 || rid == 0 {
			t.Fatalf("the extensions have the numbers %d and %d", mid, rid)
		}
		for i, name := range []string{"zz", "l", "", "lh", "L"} {
			p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: uint32(0x7a000000 + i)}, Payload: make([]byte, 200)}
			pub.Label(t, media.KindVideo, &p)
			if name != "" {
				_ = p.SetExtension(rid, []byte(name))
			}
			b, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			before := r.Stats().Drops[sfu.DropUnknownSource]
			n.Forge(b, conn, r.Port)
			synctest.Wait()
			if got := r.Stats().Drops[sfu.DropUnknownSource] - before; got != 1 {
				t.Errorf("rid %q: %d packets counted as of no source", name, got)
			}
		}
		if send("h") == 0 {
			t.Error("nothing of the second rid has come: something has taken its place")
		}
	})
}

// All classes mixed by seed, thousands a second: the viewers lose nothing and nobody is thrown out.
func TestGarbageIsNotFelt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, 2)
		m.live(t, 2*time.Second, func() {
			for range 40 {
				c := classes[m.rng.IntN(len(classes))]
				m.net.Forge(c.make(m), c.from(m), m.relay.Port)
			}
		})
		m.allSeen(t, m.viewers)
		st := m.relay.Stats()
		if st.Viewers != 3 || st.Publishers != 1 || st.HandshakesDone != 3 || st.HandshakesFailed != 0 {
			t.Errorf("%d viewers, %d publishers, %d handshakes, %d failed", st.Viewers, st.Publishers, st.HandshakesDone, st.HandshakesFailed)
		}
	})
}

// A viewer with the right keys may say anything about its line: its own picture is all that suffers.
func TestAbsurdFeedback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAudience(t, 1)
		conn := a.net.Listen(sfutest.Line{})
		liar := sfutest.NewViewer(t, a.relay, sfutest.ViewerOptions{Conn: conn, Feedback: true, Codecs: []media.Codec{media.CodecVP8}})
		liar.Connect(t, "s")
		rng := rand.New(rand.NewPCG(3, 4))
		a.live(t, 2*time.Second, func() {
			for range 10 {
				liar.Report(t, feedback(rng))
			}
		})
		a.allSeen(t, a.viewers)
		if st := a.relay.Stats(); st.Viewers != 2 {
			t.Errorf("%d viewers are left of 2", st.Viewers)
		}
	})
}

// feedback is transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01) with
// any numbers, times and chunks in it.
func feedback(rng *rand.Rand) []byte {
	b := make([]byte, 20+4*rng.IntN(60))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	b[0], b[1] = 0x8f, 205
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	return b
}

// sdpLine is what follows the first such beginning of a line.
func sdpLine(text, beginning string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, beginning); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
