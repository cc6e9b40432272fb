// Command baseline is what a relay looks like when it is written the way pion's examples are: WHIP in,
// WHEP out, a TrackLocalStaticRTP for each kind of media, a PeerConnection with the default interceptors for everybody.
// `make bench` measures it in turns with Fanfare, so that Fanfare's figures are ratios and not this machine's.
//
// It is a fair peer: one UDP port for all, no mDNS, key frame requests merged. It holds one stream, whatever
// its name is, takes any key, and shares no code with the packet path or the signalling that it is compared with.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address of HTTP, TCP")
	udp := flag.String("udp", "127.0.0.1:0", "address of media, UDP")
	pli := flag.Duration("pli", 3*time.Second, "how often the publisher is asked for a key frame")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *listen, *udp, *pli)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. When it is ready it says where, in the words of `fanfare serve`.
func run(ctx context.Context, said io.Writer, listen, udp string, pli time.Duration) error {
	conn, err := net.ListenPacket("udp4", udp)
	if err != nil {
		return err
	}
	r, err := newRelay(conn, pli)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer r.close()
	tcp, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: r.handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(tcp) }()
	if _, err := fmt.Fprintf(said, "  Home      http://%s/\n", tcp.Addr()); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}
