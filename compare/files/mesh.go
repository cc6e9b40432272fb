package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

const (
	look = 20 * time.Millisecond
	// A peer is a neighbour of all when there are so few; of more it needs some.
	fullMesh, fewest = 8, 4
	calm             = 300 * time.Millisecond // without a new connection
)

// gathering is all the peers of a run.
type gathering struct {
	stage  *stage
	groups int
	server *server
	gate   chan struct{} // closed when all may begin
	ctx    context.Context
	stop   context.CancelFunc
	tasks  sync.WaitGroup

	uploaders []*peer.Peer
	peers     map[*receiver]*peer.Peer
	want      map[*receiver]int // connections
	whole     chan *receiver
	failed    chan error
}

// mesh lets each group have a room of its own in which the uploader shares the file. The clock begins when all are connected.
func (s *stage) mesh(ctx context.Context, groups [][]*receiver) (err error) {
	server, err := openServer(filepath.Join(s.dir, "server"), s.server, 0)
	if err != nil {
		return err
	}
	g := &gathering{
		stage: s, groups: len(groups), server: server, gate: make(chan struct{}), peers: map[*receiver]*peer.Peer{}, want: map[*receiver]int{},
		whole: make(chan *receiver, len(s.receivers)), failed: make(chan error, 2*len(s.receivers)+2),
	}
	g.ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		g.tally()
		g.stop()
		g.tasks.Wait()
		err = errors.Join(err, server.close())
	}()
	for _, group := range groups {
		if err := g.open(group); err != nil {
			return err
		}
	}
	if err := g.connected(ctx); err != nil {
		return err
	}
	s.start()
	close(g.gate)
	for range s.receivers {
		select {
		case <-g.whole:
		case err := <-g.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// open makes a room with an uploader, and lets its receivers come.
func (g *gathering) open(group []*receiver) error {
	source, err := store.OpenSource([]string{g.stage.path}, func(string, string) {})
	if err != nil {
		return err
	}
	key, err := seal.NewSigningKey(rand.Reader)
	if err != nil {
		return err
	}
	secret, err := seal.NewSecret(rand.Reader)
	if err != nil {
		return err
	}
	link := seal.Link{Server: g.server.url, Room: rand.Text()[:22], Secret: secret, Key: key.Public().Hash()}
	opened := make(chan struct{})
	uploader, err := g.peer(g.stage.uploader, peer.Config{
		Link: link, Tell: func(e peer.Event) {
			if _, ok := e.(peer.Opened); ok {
				close(opened)
			}
		},
		Share: &peer.Share{
			Key: key, Owner: rand.Text(), Source: source, Expires: time.Now().Add(time.Hour),
			Manifest: manifest.Manifest{Files: source.Files(), Created: time.Now().Unix()},
		},
	}, source.Close)
	if err != nil {
		source.Close()
		return err
	}
	g.uploaders = append(g.uploaders, uploader)
	select {
	case <-opened:
	case err := <-g.failed:
		return err
	}
	for _, r := range group {
		if err := g.fetch(r, link); err != nil {
			return err
		}
		g.want[r] = len(group)
		if len(group) > fullMesh {
			g.want[r] = fewest
		}
	}
	return nil
}

// fetch lets a receiver come; it begins when the gate opens, and passes on until everybody has everything.
func (g *gathering) fetch(r *receiver, link seal.Link) (err error) {
	var sink *store.Sink
	accept := func(ctx context.Context, o peer.Offered) (_ *store.Sink, err error) {
		select {
		case <-g.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		sink, err = store.OpenSink(store.Spec{Out: filepath.Join(g.stage.dir, r.id), Room: link.Room, Manifest: o.Manifest, Blob: o.Blob})
		return sink, err
	}
	g.peers[r], err = g.peer(r.host, peer.Config{
		Link: link, Fetch: &peer.Fetch{Name: r.id, Accept: accept, Seed: true},
		Tell: func(e peer.Event) {
			if _, ok := e.(peer.Finished); ok {
				r.finished(time.Now())
				g.whole <- r
			}
		},
	}, func() {
		if sink != nil {
			_ = sink.Close() // its folder is removed
		}
	})
	return err
}

// peer runs a peer on a machine until the gathering ends; after is called then.
func (g *gathering) peer(host *emulate.Host, cfg peer.Config, after func()) (*peer.Peer, error) {
	socket := host.Listen()
	speaks := client(host)
	cfg.Transport = peer.Transport{Loopback: true, Socket: socket, Client: speaks}
	var err error
	if cfg.Identity, err = peer.NewIdentity(); err != nil {
		return nil, err
	}
	cfg.UpRate = int(g.stage.run.Point.Told() / 8)
	if cfg.Share != nil { // a machine that shares in several rooms has one line
		cfg.UpRate /= g.groups
	}
	p, err := peer.New(cfg)
	if err != nil {
		return nil, err
	}
	g.tasks.Go(func() {
		err := p.Run(g.ctx)
		_ = socket.Close() // in memory
		speaks.CloseIdleConnections()
		after()
		if g.ctx.Err() == nil {
			g.failed <- fmt.Errorf("a peer ended: %w", err)
		}
	})
	return p, nil
}

// connected returns when everybody has the connections that it is to have, and no more come.
func (g *gathering) connected(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	before, since := -1, time.Now()
	for {
		links, ready := 0, true
		for r, p := range g.peers {
			n := len(p.Status().Peers)
			links, ready = links+n, ready && n >= g.want[r]
		}
		if links != before {
			before, since = links, time.Now()
		}
		if ready && time.Since(since) > calm {
			return nil
		}
		select {
		case <-tick.C:
		case err := <-g.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tally notes how far everybody has come.
func (g *gathering) tally() {
	for _, u := range g.uploaders {
		g.stage.copies += float64(u.Status().Sent) / float64(g.stage.size)
	}
	for r, p := range g.peers {
		held := p.Status().Held
		r.mu.Lock()
		r.held = held
		r.mu.Unlock()
	}
}
