package peer

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v3"
)

// channel carries whole messages.
type channel struct {
	io.ReadWriter
	gauge
}

// gauge tells how much of what was written has not left; *webrtc.DataChannel is one.
type gauge interface {
	BufferedAmount() uint64
	SetBufferedAmountLowThreshold(uint64)
	OnBufferedAmountLow(func())
}

// connection is a way to a peer with its two channels: a *conn, or a *relay.
type connection interface {
	channels() (control, lane channel)
	lostC() <-chan struct{} // closed when it is of no use any more
	close()                 // may be called more than once, and takes a moment
	relayed() bool
	silent() bool // nothing comes by it at the moment: it may come back, or be found to be lost
}

var (
	_ connection = (*conn)(nil)
	_ connection = (*relay)(nil)
)

// conn is one peer connection with its two channels.
type conn struct {
	pc            *webrtc.PeerConnection
	control, lane channel
	ready         chan struct{} // closed when both channels are open
	gone          chan struct{} // closed when the connection has failed or was closed
	closing       sync.Once
	deaf          atomic.Bool // checks of the path are not answered
}

// newConn makes a connection. found is told of each address of ours, and "" at their end; those for TCP
// come later.
func newConn(n *network, id Identity, servers []webrtc.ICEServer, found func(candidate string)) (*conn, error) {
	pc, err := n.api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{id.certificate}, ICEServers: servers, ICETransportPolicy: n.policy,
	})
	if err != nil {
		return nil, err
	}
	c := &conn{pc: pc, ready: make(chan struct{}), gone: make(chan struct{})}
	pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			found("")
			return
		}
		text := candidate.ToJSON().Candidate
		if candidate.Protocol == webrtc.ICEProtocolTCP {
			time.AfterFunc(tcpAfter, func() { found(text) })
			return
		}
		found(text)
	})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		c.deaf.Store(state == webrtc.PeerConnectionStateDisconnected)
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			c.lost()
		}
	})
	if err := c.open(); err != nil {
		_ = pc.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) channels() (control, lane channel) { return c.control, c.lane }
func (c *conn) lostC() <-chan struct{}            { return c.gone }
func (c *conn) silent() bool                      { return c.deaf.Load() }

// relayed tells whether a TURN server is on the way.
func (c *conn) relayed() bool {
	sctp := c.pc.SCTP()
	if sctp == nil || sctp.Transport() == nil {
		return false
	}
	pair, err := sctp.Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return false
	}
	return pair.Local.Typ == webrtc.ICECandidateTypeRelay || pair.Remote.Typ == webrtc.ICECandidateTypeRelay
}

func (c *conn) lost() { c.closing.Do(func() { close(c.gone) }) }

// open makes the channels, which both sides know beforehand (docs/MESH.md, section 6).
func (c *conn) open() error {
	var opened atomic.Int32
	for id, ch := range []*channel{&c.control, &c.lane} {
		number, negotiated, ordered := uint16(id), true, id == 0
		label := [...]string{"control", "lane"}[id]
		dc, err := c.pc.CreateDataChannel(label, &webrtc.DataChannelInit{ID: &number, Negotiated: &negotiated, Ordered: &ordered})
		if err != nil {
			return err
		}
		ch.gauge = dc
		dc.OnOpen(func() {
			raw, err := dc.Detach()
			if err != nil {
				c.lost()
				return
			}
			ch.ReadWriter = raw
			if opened.Add(1) == 2 {
				close(c.ready)
			}
		})
	}
	return nil
}

func (c *conn) offer() (string, error) {
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	return offer.SDP, c.pc.SetLocalDescription(offer)
}

func (c *conn) answer(offer string) (string, error) {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	return answer.SDP, c.pc.SetLocalDescription(answer)
}

func (c *conn) accept(answer string) error {
	return c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

func (c *conn) candidate(text string) error {
	if text == "" {
		return nil
	}
	mid, line := "0", uint16(0)
	return c.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: text, SDPMid: &mid, SDPMLineIndex: &line})
}

// close ends the connection; it may take a moment, and may be called more than once.
func (c *conn) close() {
	c.lost()
	_ = c.pc.Close() // nobody is left to tell
}

// readMessage reads one message into b.
func readMessage(r io.Reader, b []byte) ([]byte, error) {
	n, err := r.Read(b)
	return b[:n], err
}
