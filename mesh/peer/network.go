package peer

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/logging"
	"github.com/pion/transport/v2"
	"github.com/pion/transport/v2/stdnet"
	"github.com/pion/webrtc/v3"
	"golang.org/x/net/netutil"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// Transport is how peers are reached.
type Transport struct {
	// Loopback offers the addresses of the machine itself, for peers beside this one.
	Loopback bool
	// STUN servers as "stun:host:port"; the server's own, and its TURN servers, are added.
	STUN []string
	// RelayOnly offers no address: others reach this peer through the server alone, and do not learn
	// where it is.
	RelayOnly bool
	// Socket carries everything where the lines are not this machine's own, but emulated ones: one socket for all peers, whose address is
	// offered as it is. It must stay open until the peer has ended, which never closes it. Nil: sockets are made as they are needed.
	Socket net.PacketConn
	// Client speaks to the server over such lines; nil for the usual one.
	Client *http.Client

	// Of tests.
	adjust func(*webrtc.SettingEngine)
	policy webrtc.ICETransportPolicy
}

const (
	// receiveWindow is what the other side may have on its way to us; SCTP's usual 1 MiB is less than
	// a long line holds.
	receiveWindow = 16 << 20
	// largestMessage that we take, in bytes: what pion v3 carries for sure.
	largestMessage = 61_440

	iceDisconnected = 4 * time.Second
	iceFailed       = 6 * time.Second
	iceKeepAlive    = time.Second

	// tcpAfter is the head start of UDP: an address for TCP is told later, and not at all when there is
	// a connection by then. TCP holds back what came when something before it was lost.
	tcpAfter = 500 * time.Millisecond
	// Limits of the port for TCP: connections, messages of one that wait to be read, bytes to be sent.
	tcpConnections = 128
	tcpRead        = 256
	tcpWrite       = 4 << 20
	tcpFirst       = 5 * time.Second // for the first message
)

// network is what connections are made with. Close it when they are closed.
type network struct {
	api    *webrtc.API
	tcp    ice.TCPMux // nil where nothing listens
	policy webrtc.ICETransportPolicy
}

// newNetwork sets pion up for data channels that are read and written directly. Browsers behind a line
// that lets no UDP through connect by TCP (RFC 6544); they cannot be connected to by it.
func newNetwork(t Transport) (*network, error) {
	guarded, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("no network: %w", err)
	}
	n := &network{policy: t.policy}
	var engine webrtc.SettingEngine
	engine.SetNet(guardedNet{guarded})
	engine.DetachDataChannels()
	engine.SetSCTPMaxReceiveBufferSize(receiveWindow)
	engine.SetICETimeouts(iceDisconnected, iceFailed, iceKeepAlive)
	engine.SetIncludeLoopbackCandidate(t.Loopback)
	engine.DisableActiveTCP(true) // else a peer could have us connect to services of our own network
	if t.RelayOnly {
		engine.SetIPFilter(func(net.IP) bool { return false }) // of addresses that STUN would tell, none are asked for
	} else if t.Socket != nil {
		quiet := logging.NewDefaultLoggerFactory()
		quiet.DefaultLogLevel = logging.LogLevelDisabled
		engine.SetICEUDPMux(ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: t.Socket, Logger: quiet.NewLogger("ice")}))
		engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
		engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	} else if listener, err := net.Listen("tcp", ":0"); err == nil { // where nobody may listen, UDP has to do
		n.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener:       netutil.LimitListener(listener, tcpConnections),
			ReadBufferSize: tcpRead, WriteBufferSize: tcpWrite, FirstStunBindTimeout: tcpFirst,
		})
		engine.SetICETCPMux(n.tcp)
		engine.SetNetworkTypes([]webrtc.NetworkType{
			webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6,
		})
	}
	if t.adjust != nil {
		t.adjust(&engine)
	}
	n.api = webrtc.NewAPI(webrtc.WithSettingEngine(engine))
	return n, nil
}

// close ends what is left of connections by TCP.
func (n *network) close() error {
	if n.tcp == nil {
		return nil
	}
	if err := n.tcp.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// iceServers are those of a welcome and our own. Who offers no address asks nobody for one.
func (t Transport) iceServers(server string, w msg.Welcome) []webrtc.ICEServer {
	if t.RelayOnly {
		return nil
	}
	var out []webrtc.ICEServer
	for _, one := range append(slices.Clone(t.STUN), stunOf(server, w.STUN)...) {
		out = append(out, webrtc.ICEServer{URLs: []string{one}})
	}
	if w.Files == nil {
		return out
	}
	for _, one := range w.Files.TURN {
		out = append(out, webrtc.ICEServer{URLs: []string{one.URL}, Username: one.Username, Credential: one.Credential})
	}
	return out
}

// stunOf is the server's own STUN answerer; a host that it does not name is the one that we asked.
func stunOf(server, address string) []string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	if host == "" {
		u, err := url.Parse(server)
		if err != nil {
			return nil
		}
		host = u.Hostname()
	}
	return []string{"stun:" + net.JoinHostPort(host, port)}
}

// guardedNet keeps from what of pion reads addresses what would end the process: an address attribute that is cut short
// makes pion/stun v0.6 read behind its end, and anybody can send one to the port.
type guardedNet struct{ transport.Net }

// ListenPacket implements transport.Net; TURN alone uses it.
func (n guardedNet) ListenPacket(network, address string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return guardedConn{conn}, nil
}

// ListenUDP implements transport.Net. ICE asks STUN servers by such a socket, and takes the first datagram for the answer.
func (n guardedNet) ListenUDP(network string, address *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, address)
	if err != nil {
		return nil, err
	}
	if address != nil && address.IP.IsMulticast() {
		return conn, nil // mDNS, which takes none but the system's own
	}
	return guardedUDP{conn}, nil
}

type guardedConn struct{ net.PacketConn }

// ReadFrom passes over messages that are cut short.
func (c guardedConn) ReadFrom(b []byte) (int, net.Addr, error) { return readWhole(c.PacketConn, b) }

type guardedUDP struct{ transport.UDPConn }

// ReadFrom passes over messages that are cut short.
func (c guardedUDP) ReadFrom(b []byte) (int, net.Addr, error) { return readWhole(c.UDPConn, b) }

func readWhole(c net.PacketConn, b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil || !shortAddress(b[:n]) {
			return n, from, err
		}
	}
}
