package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu"
)

// A run with a process for each role has one parent, which places everybody (processes.go), and children that each serve one Role over
// their standard input and output, in JSON-RPC. Media goes over loopback.

// ServeRole is what a child does until its parent closes the input.
func ServeRole(in io.Reader, out io.Writer) error {
	role := &Role{legs: map[string]*connection{}}
	defer role.end()
	server := rpc.NewServer()
	if err := server.RegisterName("Role", role); err != nil {
		return err
	}
	server.ServeCodec(jsonrpc.NewServerCodec(pipe{in, out}))
	return nil
}

// pipe is both directions as one.
type pipe struct {
	io.Reader
	io.Writer
}

// Close implements io.Closer; the process ends afterwards.
func (pipe) Close() error { return nil }

// Role is what one process is in a run. Its exported methods are called by the parent, one after another.
type Role struct {
	identity webrtc.Configuration
	kind     string
	source   *source
	viewer   *viewer
	relay    *sfu.SFU
	tasks    sync.WaitGroup
	stop     context.CancelFunc
	legs     map[string]*connection
}

// Begin says what a process is, and of how many Mbit/s the stream.
type Begin struct {
	Kind string
	Mbit float64
}

// Leg is a connection by name, with a description of the other side where one is needed. ToServer and Receives say what an offer is for.
type Leg struct {
	Name, SDP          string
	ToServer, Receives bool
}

// Seen is what a process has made or got so far, in frames.
type Seen struct{ Made, Whole int }

var (
	errRole = errors.New("this process is of another role")
	errLeg  = errors.New("there is no such connection")
)

// within bounds what a call may wait for.
const within = 10 * time.Second

// Start makes the process what it is.
func (r *Role) Start(b Begin, _ *struct{}) error {
	m, err := New()
	if err != nil {
		return err
	}
	r.identity, r.kind = m.identity, b.Kind
	switch b.Kind {
	case report.RoleServer:
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		if r.relay, err = sfu.New(sfu.Config{Conn: conn, Logger: slog.New(slog.DiscardHandler)}); err != nil {
			return errors.Join(err, conn.Close())
		}
		r.tasks.Go(func() { _ = r.relay.Serve() }) // until Shutdown
	case report.RoleUploader:
		r.source = newSource(b.Mbit)
		return r.source.open()
	case report.RoleViewer, report.RoleRelay:
		r.viewer, err = newViewer(b.Kind, nil, experiment.Point{Repair: true}, time.Now())
	default:
		err = fmt.Errorf("%w: %q", errRole, b.Kind)
	}
	return err
}

// leg makes a connection of a name.
func (r *Role) leg(name string) (*connection, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c, err := connect(conn, r.identity, nil)
	if err == nil {
		r.legs[name] = c
	}
	return c, err
}

// Offer makes a connection that sends the stream, or receives it, and describes it.
func (r *Role) Offer(l Leg, sdp *string) error {
	if r.source == nil && r.viewer == nil {
		return errRole
	}
	c, err := r.leg(l.Name)
	if err != nil {
		return err
	}
	switch {
	case l.Receives:
		r.receives(c)
		_, err = c.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	case r.viewer != nil:
		err = c.sends(r.viewer.track, func() {})
	case l.ToServer:
		r.source.onServer.Store(1)
		err = c.sends(r.source.toServer, r.source.key)
	default:
		err = c.sends(r.source.direct, r.source.key)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	*sdp, err = c.offer(ctx)
	return err
}

// receives lets a viewer take what comes on a connection.
func (r *Role) receives(c *connection) {
	c.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { r.viewer.receive(c, t, nil) })
}

// Answer takes an offer of another process that sends.
func (r *Role) Answer(l Leg, sdp *string) error {
	if r.viewer == nil {
		return errRole
	}
	c, err := r.leg(l.Name)
	if err != nil {
		return err
	}
	r.receives(c)
	if err := c.take(webrtc.SDPTypeOffer, l.SDP); err != nil {
		return err
	}
	a, err := c.CreateAnswer(nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	*sdp, err = c.describe(ctx, a)
	return err
}

// Take takes the answer to an offer.
func (r *Role) Take(l Leg, _ *struct{}) error {
	c := r.legs[l.Name]
	if c == nil {
		return errLeg
	}
	return c.take(webrtc.SDPTypeAnswer, l.SDP)
}

// Publish and Subscribe are the server's.
func (r *Role) Publish(l Leg, sdp *string) error { return r.session(l, sdp, true) }

// Subscribe is Publish's twin.
func (r *Role) Subscribe(l Leg, sdp *string) error { return r.session(l, sdp, false) }

func (r *Role) session(l Leg, sdp *string, publishes bool) error {
	if r.relay == nil {
		return errRole
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	var answer media.Answer
	var err error
	if publishes {
		answer, err = r.relay.Publish(ctx, streamName, l.SDP, media.PublishOptions{})
	} else {
		answer, err = r.relay.Subscribe(ctx, streamName, l.SDP)
	}
	*sdp = answer.SDP
	return err
}

// Play lets the uploader send until the process ends.
func (r *Role) Play(struct{}, *struct{}) error {
	if r.source == nil || r.stop != nil {
		return errRole
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	r.tasks.Go(func() { r.source.send(ctx) })
	return nil
}

// Look tells what was made or has come.
func (r *Role) Look(_ struct{}, seen *Seen) error {
	if r.source != nil {
		seen.Made = len(r.source.frames())
	}
	if r.viewer != nil {
		seen.Whole = r.viewer.wholeFrames()
	}
	return nil
}

func (r *Role) end() {
	if r.stop != nil {
		r.stop()
	}
	for _, c := range r.legs {
		c.close()
	}
	if r.relay != nil {
		r.relay.Shutdown()
	}
	r.tasks.Wait()
}

// wholeFrames is how many have come whole.
func (v *viewer) wholeFrames() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.frames {
		if !f.whole.IsZero() {
			n++
		}
	}
	return n
}
