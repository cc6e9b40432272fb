package files

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/compare/emulate"
	"github.com/fanfare-relay/fanfare/signalling"
	serverstore "github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
	"github.com/fanfare-relay/fanfare/web"
)

// server is the product's, over the same lines. Peers of the mesh meet in its rooms, and it carries none of their bytes; files by plain
// HTTP go through its memory.
type server struct {
	url    string
	key    string // whoever shows it may put a file there
	kept   *serverstore.Store
	server *signalling.Server
	http   *http.Server
	served chan error
}

// noMedia stands where a server has its data plane: files never ask it for anything.
type noMedia struct{ signalling.Media }

var site = sync.OnceValues(web.New)

// openServer starts it at a host, with a folder for its store and so many bytes of memory for plain HTTP.
func openServer(dir string, host *emulate.Host, memory int64) (*server, error) {
	pages, err := site()
	if err != nil {
		return nil, err
	}
	kept, err := serverstore.Open(dir)
	if err != nil {
		return nil, err
	}
	key := token.NewPublishKey()
	inner, err := signalling.New(signalling.Config{
		Media: noMedia{}, Store: kept, Site: pages, PublicURL: "http://files.example.org", Logger: slog.New(slog.DiscardHandler),
		Unlimited: true, OpenFiles: true, HTTPMemory: memory, Keys: []signalling.Key{{Hash: token.HashKey(key)}},
	})
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	listener := host.ListenStream()
	s := &server{
		url: "http://" + listener.Addr().String(), key: key, kept: kept, server: inner, served: make(chan error, 1),
		http: &http.Server{Handler: inner.Handler(), ReadHeaderTimeout: 5 * time.Second},
	}
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

func (s *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := errors.Join(s.server.Close(ctx), s.http.Close(), s.kept.Close())
	<-s.served
	return err
}
