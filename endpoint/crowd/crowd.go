package crowd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// ErrUnsupported: this system has not what the readers need.
var ErrUnsupported = errors.New("the light client runs on Linux only")

// Config says what to view and how closely to look.
type Config struct {
	// URL is the WHEP endpoint, Bearer a password or token, "" for none.
	URL, Bearer string
	// VerifyOneIn: of so many viewers one decrypts and authenticates everything; 1 for all, 0 for the default of 16.
	VerifyOneIn int
	// OnDelay gets, for each packet of those viewers that carries a stamp, arrival minus sending; nil for nobody. It must be
	// quick and safe for concurrent use.
	OnDelay func(time.Duration)
	// Loss is the share (0 to 1) of media packets that are thrown away when they come, by chance, as a bad line would.
	Loss float64
	// Runs has datagrams that were sent as one message (UDP_SEGMENT) come as one (UDP_GRO) where nothing on the way has to cut
	// them, as on loopback. That spares much of what receiving costs; all datagrams of a message arrive at one time.
	Runs bool
}

const (
	defaultVerify = 16
	// maxHandshakes bounds the connections that are being set up at once, beyond the POST.
	maxHandshakes = 256
)

// Crowd is all viewers of one stream. Close it.
type Crowd struct {
	cfg     Config
	server  *endpoint.Signal
	id      identity
	network string     // "udp4" or "udp6"
	near    netip.Addr // our address on the way to the server
	host    netip.Addr // the server's, as HTTP finds it
	types   *payloads
	slots   chan struct{}
	cancel  context.CancelFunc
	running sync.WaitGroup
	readers []*reader
	begun   atomic.Int64 // joins
	waits   atomic.Uint64
}

// New prepares a crowd and starts its readers, one a core.
func New(cfg Config) (*Crowd, error) {
	if !supported {
		return nil, ErrUnsupported
	}
	if cfg.VerifyOneIn == 0 {
		cfg.VerifyOneIn = defaultVerify
	}
	id, err := newIdentity()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Crowd{
		cfg: cfg, server: endpoint.NewSignal(cfg.URL, cfg.Bearer), id: id, types: newPayloads(),
		slots: make(chan struct{}, maxHandshakes), cancel: cancel,
	}
	if err := c.locate(ctx); err != nil {
		cancel()
		return nil, err
	}
	for range runtime.GOMAXPROCS(0) {
		r := newReader(cfg.Runs)
		c.readers = append(c.readers, r)
		c.running.Go(func() { r.run(ctx) })
	}
	return c, nil
}

// locate finds the server's address and ours on the way to it.
func (c *Crowd) locate(ctx context.Context) error {
	u, err := url.Parse(c.cfg.URL)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // the resolver knows http and https
	}
	var d net.Dialer
	probe, err := d.DialContext(ctx, "udp", net.JoinHostPort(u.Hostname(), port)) // sends nothing
	if err != nil {
		return errors.Join(endpoint.ErrUnreachable, err)
	}
	defer probe.Close()
	c.near = probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	c.host = probe.RemoteAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	c.network = "udp6"
	if c.near.Is4() {
		c.network = "udp4"
	}
	return nil
}

// ErrNoKeyFrame: a viewer was let in and saw nothing.
var ErrNoKeyFrame = errors.New("no whole key frame came in time; is the stream live?")

// Join lets one more viewer join and returns it when it has its first whole key frame. The viewer stays until Leave or Close.
// patience is how long that may take from when the server has let the viewer in; until then a busy server is waited for. With an
// error there is no viewer left behind; the timing is how far it came.
func (c *Crowd) Join(ctx context.Context, patience time.Duration) (*Viewer, endpoint.Timing, error) {
	n := c.begun.Add(1) - 1
	v := &Viewer{
		crowd: c, reader: c.readers[int(n)%len(c.readers)], verify: int(n)%c.cfg.VerifyOneIn == 0,
		key: make(chan struct{}), gone: make(chan struct{}), fd: -1,
	}
	j, err := v.post(ctx)
	if err != nil {
		return nil, v.Timing(), err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrNoKeyFrame)
	defer cancel()
	if err := v.connect(ctx, j); err != nil {
		v.delete()
		return nil, v.Timing(), err
	}
	select {
	case <-v.key:
		return v, v.Timing(), nil
	case <-v.gone:
		err = endpoint.ErrLost
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	v.Leave()
	return nil, v.Timing(), err
}

// closers bounds the DELETEs at once at the end.
const closers = 32

// Close ends all sessions and the readers.
func (c *Crowd) Close() {
	var leaving []*Viewer
	for _, r := range c.readers {
		r.mu.Lock()
		leaving = append(leaving, r.viewers...)
		r.mu.Unlock()
	}
	c.cancel()
	c.running.Wait()
	work := make(chan *Viewer)
	var done sync.WaitGroup
	for range closers {
		done.Go(func() {
			for v := range work {
				v.Leave()
			}
		})
	}
	for _, v := range leaving {
		work <- v
	}
	close(work)
	done.Wait()
}
