package peer

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/turn/v2"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/signalling"
)

// byWay is how a peer is connected to the uploader: the transport and the kinds of both candidates.
func byWay(t *testing.T, p *someone) string {
	t.Helper()
	way := ""
	p.swarm.call(func() {
		for _, l := range p.swarm.links {
			c, ok := l.conn.(*conn)
			if !ok {
				way = "the server's relay"
				continue
			}
			pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
			if err != nil || pair == nil {
				t.Errorf("no pair: %v", err)
				return
			}
			way = pair.Local.Protocol.String() + " " + pair.Local.Typ.String() + " " + pair.Remote.Typ.String()
		}
	})
	return way
}

// TestTCP: one whose line lets no UDP through connects by TCP, as browsers do.
func TestTCP(t *testing.T) {
	t.Parallel()
	// Else a machine that is busy may have sent all by the relay before there is another way.
	r := newRig(t, func(c *signalling.Config) { c.FileRelay = 0 })
	from := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	sender := r.share(nil, from)
	await[Opened](sender)
	behind := r.fetch("behind a wall", sender.link, func(c *Config) {
		c.Fetch.Seed = true
		c.Transport.adjust = func(e *webrtc.SettingEngine) {
			e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
			e.DisableActiveTCP(false)
			e.SetICETCPMux(nil)
		}
	})
	await[Finished](behind)
	if way := byWay(t, behind); way != "tcp host host" {
		t.Errorf("connected by %q", way)
	}
	for _, p := range behind.Status().Peers {
		if p.Relayed {
			t.Error("a direct connection is told as a relayed one")
		}
	}
	behind.stop()
	<-behind.ended
	if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, behind.out)); diff != "" {
		t.Errorf("other files:\n%s", diff)
	}
}

// turnServer runs a TURN server on loopback; its address as host:port.
func turnServer(t *testing.T, user, secret string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "example.org",
		AuthHandler: func(name, realm string, _ net.Addr) ([]byte, bool) {
			return turn.GenerateAuthKey(user, realm, secret), name == user
		},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: conn,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
				RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1",
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return conn.LocalAddr().String()
}

// TestTURN: two without a direct path meet at the operator's TURN server, and are told as relayed.
func TestTURN(t *testing.T) {
	t.Parallel()
	address := turnServer(t, "fanfare", "north")
	r := newRig(t, func(c *signalling.Config) {
		c.TURN = signalling.TURN{URLs: []string{"turn:" + address}, User: "fanfare", Secret: "north"}
		c.FileRelay = 0
	})
	from := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	noPath := func(c *Config) { c.Transport.policy = webrtc.ICETransportPolicyRelay }
	sender := r.share(noPath, from)
	await[Opened](sender)
	taker := r.fetch("taker", sender.link, func(c *Config) { noPath(c); c.Fetch.Seed = true })
	await[Finished](taker)
	if way := byWay(t, taker); way != "udp relay relay" && way != "udp relay prflx" && way != "udp prflx relay" {
		t.Errorf("connected by %q", way)
	}
	for _, p := range taker.Status().Peers {
		if !p.Relayed {
			t.Error("a way by TURN is told as a direct one")
		}
	}
	taker.stop()
	<-taker.ended
	if diff := cmp.Diff(sums(t, filepath.Dir(from)), sums(t, taker.out)); diff != "" {
		t.Errorf("other files:\n%s", diff)
	}
}

// TestGuardedNet: what would end the process does not reach the client.
func TestGuardedNet(t *testing.T) {
	t.Parallel()
	conn := guard(t)
	from, err := net.Dial("udp4", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for _, b := range [][]byte{message(0x0012, []byte{}), []byte("all is well")} {
		if _, err := from.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 100)
	size, _, err := conn.ReadFrom(b)
	if err != nil || string(b[:size]) != "all is well" {
		t.Errorf("read %q, %v", b[:size], err)
	}
}

// TestCutAnswerOfSTUN: an answer with an address that is cut short ends nothing, and the next one is taken.
func TestCutAnswerOfSTUN(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cut := message(0x0013, make([]byte, 1252), 0x8020, []byte{}) // as long as the client's memory, so that nothing lies behind it
	go func() {                                                  // ends with the socket
		for b := make([]byte, 1500); ; {
			_, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(cut, from)
			_, _ = server.WriteTo(message(0x0020, []byte{0, 1, 0x12, 0x34, 1, 2, 3, 4}), from)
		}
	}()
	t.Cleanup(func() { _ = server.Close() })
	n, err := newNetwork(Transport{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.close() })
	pc, err := n.api.NewPeerConnection(webrtc.Configuration{
		ICEServers: []webrtc.ICEServer{{URLs: []string{"stun:" + server.LocalAddr().String()}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	if _, err := pc.CreateDataChannel("leaves", nil); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	if sdp := pc.LocalDescription().SDP; !strings.Contains(sdp, "typ srflx") {
		t.Errorf("no address by STUN:\n%s", sdp)
	}
}

func guard(t *testing.T) net.PacketConn {
	t.Helper()
	inner, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inner.Close() })
	return guardedConn{inner}
}
