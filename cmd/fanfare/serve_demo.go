package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media/container"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// demoStream is the name of the stream that --demo plays.
const demoStream = "demo"

//go:embed demo/demo.webm
var demoClip []byte

// demo publishes the bundled clip as any other publisher does: by WHIP, to an address of the
// server that only this machine can reach.
type demo struct {
	key    string
	log    *slog.Logger
	http   *http.Server
	cancel context.CancelFunc
	done   chan struct{}
}

// newDemo derives the key from the server's secret: the stream's owner is the same after a restart.
func newDemo(secret []byte, log *slog.Logger) *demo {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("demo stream key"))
	return &demo{
		key: token.StreamKeyPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
		log: log, done: make(chan struct{}),
	}
}

// start publishes until stop. The plain listener of its own spares it the server's certificate.
func (d *demo) start(handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	publisher, err := endpoint.NewPublisher(endpoint.PublisherConfig{
		URL: "http://" + listener.Addr().String() + "/whip/" + demoStream, Bearer: d.key, Loop: true, Persist: true, Log: d.log,
		Clips: []endpoint.Clip{{Name: "demo", Open: func() (container.Reader, error) {
			return container.New(bytes.NewReader(demoClip), int64(len(demoClip)))
		}}},
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	d.http = &http.Server{Handler: handler, ReadHeaderTimeout: headerWithin}
	var ctx context.Context
	ctx, d.cancel = context.WithCancel(context.Background())
	go func() {
		// Serve ends with stop; there is nothing to be told.
		_ = d.http.Serve(listener)
	}()
	go func() {
		defer close(d.done)
		if err := publisher.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			d.log.Error("the demo cannot be played", "err", err)
		}
	}()
	return nil
}

func (d *demo) stop() {
	if d.cancel == nil {
		return // it never started
	}
	d.cancel()
	<-d.done
	_ = d.http.Close() // nobody else is connected to it
}
