package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/signalling"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
	"github.com/fanfare-relay/fanfare/web"
)

type serveCmd struct {
	Listen string `placeholder:"HOST:PORT" help:"Address of the web pages and of signalling, TCP. Default :8080, with --dev 127.0.0.1:8080."`
	UDP    string `name:"udp" placeholder:"HOST:PORT" help:"Address of media, UDP. Default: every address of this machine, and the port number of --listen."`

	UDPSegment   bool        `name:"udp-segment" default:"true" negatable:"" help:"Let the kernel cut runs of packets for one viewer (Linux, UDP_SEGMENT). It is switched off by itself where the network device refuses; --no-udp-segment is for a device that takes them and loses them."`
	FEC          bool        `name:"fec" default:"true" negatable:"" help:"Send parity packets (FlexFEC) to viewers whose browser takes them, where their line loses packets and is so long that repeats come too late."`
	PlayoutDelay playoutFlag `placeholder:"MIN,MAX" help:"How long players are to hold a picture back, such as 0,200ms: less is livelier, more rides out a bad line. Default: what the uploader asks for, else the player decides."`

	PublicAddress string `placeholder:"IP[:PORT]" help:"Address at which the media port is reached from outside, for a server behind NAT."`
	PublicURL     string `name:"public-url" placeholder:"URL" help:"Origin of links and QR codes, such as https://live.example.org. Default: this machine's first address in the local network."`

	TLSCert      string   `name:"tls-cert" placeholder:"FILE" help:"Certificate chain (PEM) for https; needs --tls-key."`
	TLSKey       string   `name:"tls-key" placeholder:"FILE" help:"Private key (PEM) of --tls-cert."`
	TLSSelf      bool     `name:"tls-self" help:"Use https with a certificate made here and kept in the data folder. Browsers warn once; then cameras and screens of other machines can be used."`
	TrustedProxy []string `placeholder:"CIDR" help:"Network of a reverse proxy whose X-Forwarded-For is believed. May be given several times."`

	Data       string `placeholder:"DIR" help:"Folder for keys and streams. Default: the user's data folder."`
	PublishKey secret `placeholder:"KEY" help:"A further key for publishing: the key itself, @FILE to read it from, or - for standard input."`
	OpenFiles  bool   `help:"Let everybody open rooms to share files, not holders of a publish key alone."`
	HTTPMemory int64  `name:"http-memory" default:"134217728" placeholder:"BYTES" help:"Memory for streams and files that go by plain HTTP, all together: for viewers whose network lets no live video through, and to compare with. 0 switches it off. Default: 134217728."`
	FileRelay  int    `default:"4000000" placeholder:"BYTES_PER_SECOND" help:"What members of one room of files without a direct path may send to each other through this server; all rooms together may send four times that. 0 switches it off. Default: 4000000."`
	Viewers    int    `name:"viewers-by-server" placeholder:"N" help:"For how many viewers of one stream this server is meant. Nobody is refused; where the uploader leaves the way to the server, viewers pass the picture on when there are more. Default: 0, for all that come."`

	TURN       []string `name:"turn" placeholder:"URL" help:"TURN server for members of a room of files without a direct path, such as turn:turn.example.org:3478. May be given several times; needs --turn-secret."`
	TURNUser   string   `name:"turn-user" placeholder:"NAME" help:"User at the TURN servers, with --turn-secret as its password. Without it the secret is one that they share with this server, and each member gets a user of its own for a day."`
	TURNSecret secret   `name:"turn-secret" placeholder:"SECRET" help:"Password of --turn-user, or the secret that the TURN servers share with this server: itself, @FILE to read it from, or - for standard input."`

	Demo     bool   `help:"Play a short clip in a loop at /w/demo."`
	Dev      bool   `help:"For work on this machine alone: listens on 127.0.0.1 and lifts all rate limits, and everybody may open rooms of files."`
	LogLevel string `default:"info" enum:"debug,info,warn,error" help:"How much to log: debug, info, warn or error."`
}

// Help is shown under the flags.
func (*serveCmd) Help() string {
	return `The first start makes the publish key and prints it once, inside an address that opens the
studio. Every flag is also an environment variable: FANFARE_LISTEN for --listen.

Examples:
  fanfare serve --demo
      Try it: the home page leads to a moving picture.
  fanfare serve --tls-self
      For phones and other machines in your network, with cameras.
  fanfare serve --listen :443 --tls-cert chain.pem --tls-key key.pem --public-url https://live.example.org
      On a server of your own. Open port 443 for TCP and UDP.
  fanfare serve --listen 127.0.0.1:8080 --trusted-proxy 127.0.0.1 --public-url https://live.example.org
      Behind a reverse proxy on the same machine. Open port 8080 for UDP.
  FANFARE_PUBLISH_KEY=@/run/secrets/key fanfare serve --public-address 203.0.113.7
      With a key from a file, behind NAT.`
}

// How long the end in good order may take, and the limits of HTTP (SECURITY section 2).
const (
	endWithin      = 10 * time.Second
	headerWithin   = 5 * time.Second
	answerWithin   = 60 * time.Second
	idleConnection = 2 * time.Minute
	maxHeader      = 32 << 10
)

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, std stdio) error {
	if err := c.check(); err != nil {
		return err
	}
	key, err := c.PublishKey.read(std.in)
	if err != nil {
		return err
	}
	s := &serving{cmd: c, log: newLogger(std.err, c.LogLevel)}
	if s.turn, err = c.turn(std.in); err != nil {
		return err
	}
	if s.proxies, err = networks(c.TrustedProxy); err != nil {
		return err
	}
	if s.outside, err = publicAddress(c.PublicAddress); err != nil {
		return err
	}
	defer s.close()
	if err := s.open(key); err != nil {
		return err
	}
	if err := s.keepNewKey(); err != nil {
		return err
	}
	if err := s.banner(std.out); err != nil {
		return errors.Join(err, s.forgetNewKey())
	}
	return s.run(ctx)
}

// check refuses what cannot be meant, before anything is opened.
func (c *serveCmd) check() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return usageError{"--tls-cert and --tls-key belong together; give both or neither"}
	case c.TLSSelf && c.TLSCert != "":
		return usageError{"--tls-self makes a certificate of its own; leave it out, or leave --tls-cert and --tls-key out"}
	case c.HTTPMemory < 0:
		return usageError{"--http-memory is a number of bytes; 0 switches plain HTTP for streams and files off"}
	case c.FileRelay < 0:
		return usageError{"--file-relay is a number of bytes a second; 0 switches the relay off"}
	case c.Viewers < 0:
		return usageError{"--viewers-by-server is a number of viewers; 0 is for all that come"}
	case c.Dev && c.Listen != "" && !isLoopback(c.Listen):
		return usageError{"--dev lifts the limits and so listens on 127.0.0.1 only; leave --dev out to listen on " + c.Listen}
	}
	return nil
}

// turn reads what the operator says of TURN servers.
func (c *serveCmd) turn(stdin io.Reader) (signalling.TURN, error) {
	secret, err := c.TURNSecret.read(stdin)
	if err != nil {
		return signalling.TURN{}, err
	}
	turn := signalling.TURN{URLs: c.TURN, User: c.TURNUser, Secret: secret}
	if err := turn.Validate(); err != nil {
		return turn, usageError{err.Error() + "; see --turn, --turn-user and --turn-secret"}
	}
	return turn, nil
}

func newLogger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // kong lets nothing else in
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// serving is what runs, in the order in which it is opened; close goes backwards.
type serving struct {
	cmd *serveCmd
	log *slog.Logger

	proxies []netip.Prefix
	turn    signalling.TURN
	outside netip.AddrPort // where the media port is reached from outside, see publicAddress

	store  *store.Store
	tcp    net.Listener
	media  *sfu.SFU
	server *signalling.Server
	http   *http.Server
	demo   *demo
	addrs  addresses
	newKey string // made at this start, "" otherwise
	oldKey bool   // publishing needs a key that was made before
}

// open does everything that can fail before the first request.
func (s *serving) open(flagKey string) error {
	dir, err := dataFolder(s.cmd.Data)
	if err != nil {
		return err
	}
	if s.store, err = store.Open(dir); err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	keys, err := s.keys(flagKey)
	if err != nil {
		return err
	}
	if err := s.listen(dir); err != nil {
		return err
	}
	return s.wire(keys)
}

// keys makes the publish key at the first start, and lists those that are not stored.
func (s *serving) keys(flagKey string) ([]signalling.Key, error) {
	var keys []signalling.Key
	if flagKey != "" {
		keys = append(keys, signalling.Key{Hash: token.HashKey(flagKey)})
		if len(flagKey) < 16 {
			s.log.Warn("the publish key is short and can be guessed; fanfare key new makes a good one")
		}
	}
	has, err := s.store.HasPublishKey()
	if err != nil {
		return nil, fmt.Errorf("cannot start: %w", err)
	}
	switch {
	case flagKey != "":
	case has:
		s.oldKey = true
	default:
		s.newKey = token.NewPublishKey()
	}
	if s.cmd.Demo {
		s.demo = newDemo(s.store.Secret(), s.log)
		keys = append(keys, signalling.Key{Hash: token.HashKey(s.demo.key), Stream: demoStream})
	}
	return keys, nil
}

// keepNewKey stores the key of the first start right before it is shown: a start that fails, say at
// a port that is taken, must not leave a key behind that nobody has seen.
func (s *serving) keepNewKey() error {
	if s.newKey == "" {
		return nil
	}
	if err := s.store.AddKey(token.HashKey(s.newKey), store.Key{Created: time.Now().UTC()}); err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	return nil
}

func (s *serving) forgetNewKey() error {
	if s.newKey == "" {
		return nil
	}
	return s.store.RevokeKey(token.HashKey(s.newKey))
}

// wire makes the relay and the server and introduces them to each other.
func (s *serving) wire(keys []signalling.Key) error {
	site, err := web.New()
	if err != nil {
		return errors.Join(err, s.addrs.udp.Close())
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	// The relay speaks of sessions only, and there are none before the server is there.
	var server *signalling.Server
	conn := s.addrs.udp
	s.media, err = sfu.New(sfu.Config{
		Conn: conn, PublicAddress: s.outside, Logger: s.log, PlayoutDelay: s.cmd.PlayoutDelay.delay, Parity: s.cmd.FEC,
		OnEvent: func(e media.Event) { server.Event(e) },
	})
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	registry.MustRegister(relayFigures{s.media})
	server, err = signalling.New(signalling.Config{
		Media: s.media, Store: s.store, Site: site, Logger: s.log, Registry: registry, PublicURL: s.addrs.public,
		STUN: s.addrs.stun(s.outside), Keys: keys, TrustedProxies: s.proxies, Unlimited: s.cmd.Dev,
		OpenFiles: s.cmd.OpenFiles || s.cmd.Dev, FileRelay: s.cmd.FileRelay, TURN: s.turn, HTTPMemory: s.cmd.HTTPMemory,
		ServerRoom: s.cmd.Viewers,
	})
	if err != nil {
		return usageError{fmt.Sprintf("--public-url %q is not an origin such as https://live.example.org", s.cmd.PublicURL)}
	}
	s.server = server
	s.http = newHTTPServer(server.Handler(), s.log)
	s.http.TLSConfig = s.addrs.tls
	return nil
}

// newHTTPServer sets the limits of headers and of idle connections; those of bodies are signalling's.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: headerWithin, WriteTimeout: answerWithin, IdleTimeout: idleConnection, MaxHeaderBytes: maxHeader,
	}
}

// run serves until ctx ends or a listener fails.
func (s *serving) run(ctx context.Context) error {
	web, relay := make(chan error, 1), make(chan error, 1)
	go func() { web <- s.serveHTTP() }()
	go func() { relay <- s.media.Serve() }()
	if s.demo != nil {
		if err := s.demo.start(s.server.Handler()); err != nil {
			return err
		}
	}
	select {
	case err := <-web:
		return fmt.Errorf("the web server stopped: %w", err)
	case err := <-relay:
		return fmt.Errorf("the media port stopped: %w", err)
	case <-ctx.Done():
	}
	s.log.Info("stopping")
	s.end()
	if err := <-web; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *serving) serveHTTP() error {
	if s.addrs.tls != nil {
		return s.http.ServeTLS(s.tcp, "", "")
	}
	return s.http.Serve(s.tcp)
}

// end says goodbye in the order in which people notice: pages first, then media.
func (s *serving) end() {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	if err := s.server.Close(ctx); err != nil {
		s.log.Warn("some pages did not hear the goodbye", "err", err)
	}
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn("some requests were cut off", "err", err)
	}
}

// close releases what open has opened, as far as it came.
func (s *serving) close() {
	if s.demo != nil {
		s.demo.stop()
	}
	if s.media != nil {
		s.media.Shutdown()
	}
	if s.tcp != nil {
		_ = s.tcp.Close() // usually closed by the end of HTTP already
	}
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.log.Error("the database did not close well", "err", err)
		}
	}
}

func networks(texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, usageError{fmt.Sprintf("--trusted-proxy %q is neither an address nor a network such as 10.0.0.0/8", text)}
		}
		out = append(out, network.Masked())
	}
	return out, nil
}

// publicAddress reads an address with or without a port; port 0 stands for the media port.
func publicAddress(text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.AddrPortFrom(addr, 0), nil
	}
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		return ap, usageError{fmt.Sprintf("--public-address %q is not an IP address such as 203.0.113.7 or 203.0.113.7:8080", text)}
	}
	return ap, nil
}
