package peer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/signalling"
	serverstore "github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/web"
)

// rig is a server with rooms of files, and peers on loopback.
type rig struct {
	t   testing.TB
	url string
	log *slog.Logger
}

// noMedia is a data plane that rooms of files have no use for.
type noMedia struct{ signalling.Media }

var site = sync.OnceValues(web.New)

func newRig(t testing.TB, change ...func(*signalling.Config)) *rig {
	t.Helper()
	pages, err := site()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := serverstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := signalling.Config{
		Media: noMedia{}, Store: kept, Site: pages, PublicURL: "http://files.example.org", Logger: log,
		Unlimited: true, OpenFiles: true, FileRelay: 100 << 20,
	}
	for _, c := range change {
		c(&cfg)
	}
	server, err := signalling.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := errors.Join(server.Close(ctx), kept.Close()); err != nil {
			t.Error(err)
		}
		listener.Close()
	})
	return &rig{t: t, url: listener.URL, log: log}
}

// someone is a peer that runs.
type someone struct {
	*Peer
	t      testing.TB
	name   string
	link   seal.Link
	stop   context.CancelFunc
	ended  chan struct{}
	err    error
	out    string
	sink   *store.Sink
	events chan Event
}

func (r *rig) identity() Identity {
	id, err := NewIdentity()
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// share starts an uploader of paths.
func (r *rig) share(change func(*Config), paths ...string) *someone {
	r.t.Helper()
	link, share := r.offer(paths...)
	s := r.prepare("sender", Config{Link: link, Identity: r.identity(), Share: share}, change)
	s.run()
	return s
}

// offer is what an uploader of paths has to know.
func (r *rig) offer(paths ...string) (seal.Link, *Share) {
	r.t.Helper()
	source, err := store.OpenSource(paths, func(p, why string) { r.t.Errorf("skipped %s: %s", p, why) })
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(source.Close)
	key, err := seal.NewSigningKey(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	secret, err := seal.NewSecret(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	link := seal.Link{Server: r.url, Room: rand.Text()[:22], Secret: secret, Key: key.Public().Hash()}
	return link, &Share{
		Key: key, Owner: rand.Text(), Source: source, Expires: time.Now().Add(time.Hour),
		Manifest: manifest.Manifest{Files: source.Files(), Created: time.Now().Unix()},
	}
}

// fetch starts a receiver into a new folder.
func (r *rig) fetch(name string, link seal.Link, change func(*Config)) *someone {
	r.t.Helper()
	return r.fetchInto(r.t.TempDir(), name, link, change)
}

func (r *rig) fetchInto(out, name string, link seal.Link, change func(*Config)) *someone {
	r.t.Helper()
	cfg := Config{Link: link, Identity: r.identity(), Fetch: &Fetch{Name: name}}
	var s *someone
	cfg.Fetch.Accept = func(ctx context.Context, o Offered) (*store.Sink, error) {
		sink, err := store.OpenSink(store.Spec{Out: out, Room: link.Room, Manifest: o.Manifest, Blob: o.Blob, Check: o})
		if err != nil {
			return nil, err
		}
		s.sink = sink
		_, err = sink.Recheck(ctx, o.Checked)
		return sink, err
	}
	s = r.prepare(name, cfg, change)
	s.out = out
	s.run()
	return s
}

func (r *rig) prepare(name string, cfg Config, change func(*Config)) *someone {
	r.t.Helper()
	cfg.Transport.Loopback = true
	cfg.Log = r.log.With("who", name)
	s := &someone{t: r.t, name: name, link: cfg.Link, ended: make(chan struct{}), events: make(chan Event, 1000)}
	cfg.Tell = func(e Event) {
		select {
		case s.events <- e:
		default:
		}
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.Peer, err = New(cfg); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// run starts it. What it stores is closed when it ends.
func (s *someone) run() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		defer close(s.ended)
		s.err = s.Run(ctx)
		if s.sink != nil {
			s.err = errors.Join(s.err, s.sink.Close())
		}
	}()
	s.t.Cleanup(func() { stop(); <-s.ended })
}

// hasEnded tells whether it has ended.
func (s *someone) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// limitTo has so many bytes a second sent at most from here on, as by Config.UpRate: a limit alone is not for long.
func (s *someone) limitTo(bytes int) {
	s.swarm.call(func() { s.swarm.cfg.UpRate, s.swarm.limit = bytes, newLimit(bytes) })
}

// wait returns the error with which a peer ends.
func (s *someone) wait() error {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.err
	case <-time.After(2 * time.Minute):
		s.t.Fatalf("%s does not end: %+v", s.name, s.Status())
		return nil
	}
}

// await returns the next event of a type.
func await[E Event](s *someone) (e E) {
	s.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		select {
		case got := <-s.events:
			if e, ok := got.(E); ok {
				return e
			}
		case <-s.ended:
			s.t.Fatalf("%s ended without %T: %v", s.name, e, s.err)
		case <-late:
			s.t.Fatalf("%s: no %T: %+v", s.name, e, s.Status())
		}
	}
}

// random writes a file that cannot be guessed, and gives its name.
func random(t testing.TB, name string, size int) string {
	t.Helper()
	b := make([]byte, size)
	_, _ = mathrand.NewChaCha8([32]byte{byte(size), byte(len(name))}).Read(b)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return string(sum[:])
}

// sums gives the SHA-256 of each file below a folder, "folder" for a folder.
func sums(t testing.TB, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(p, root)
		if d.IsDir() {
			found[name] = "folder"
			return nil
		}
		b, err := os.ReadFile(p)
		found[name] = sumOf(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
