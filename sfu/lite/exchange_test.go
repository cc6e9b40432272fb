package lite

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
)

// exchange is a leg, a handshaker, and a DTLS client as a browser has it, joined in
// process. The test goroutine owns the leg; datagrams reach it by a channel.
type exchange struct {
	t         *testing.T
	leg       *Leg
	out       Out
	hs        *Handshaker
	handshake *Handshake
	peer      []Fingerprint
	client    *dtls.Conn
	pipe      *pipe // under the client
	path      Path
	now       time.Time

	toLeg      chan []byte // from the client
	toClient   chan []byte // from the handshaker
	results    chan Result
	finished   chan error // what the client waits for; run notes it in the two fields below
	clientDone bool
	clientErr  error
	lose       func(b []byte) bool    // the network towards the client; nil loses nothing
	drops      [NumDropReasons]int    // of the leg
	events     []Event                // of the leg
	reports    [][]byte               // of the leg
	early      func(b []byte, p Path) // sees the client's datagrams first
}

func newCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	c, err := NewCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fingerprintOf(c tls.Certificate) []Fingerprint {
	return []Fingerprint{{"sha-256", hashCertificate("sha-256", c.Certificate[0])}}
}

// newExchange prepares a client with the options of a browser, changed by opts.
func newExchange(t *testing.T, opts ...dtls.ClientOption) *exchange {
	t.Helper()
	x := &exchange{
		t: t, path: somewhere(5000), now: start(), leg: newLeg(),
		toLeg: make(chan []byte, 100), toClient: make(chan []byte, 100),
		results: make(chan Result, 1), finished: make(chan error, 1),
	}
	var err error
	x.hs, err = NewHandshaker(HandshakerConfig{
		InFlight: 2, Send: func(b []byte, _ Path) { x.toClient <- bytes.Clone(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	cert := newCertificate(t)
	x.peer = fingerprintOf(cert)
	opts = append([]dtls.ClientOption{
		dtls.WithCertificates(cert),
		dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithEllipticCurves(elliptic.X25519, elliptic.P256),
		dtls.WithFlightInterval(50 * time.Millisecond),
	}, opts...)
	x.pipe = newPipe(func(b []byte, _ Path) { x.toLeg <- bytes.Clone(b) }, nil)
	if x.client, err = dtls.ClientWithOptions(x.pipe, pipeAddr{}, opts...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = x.client.Close()
		_ = x.hs.Close()
	})
	return x
}

// check makes the path known to the leg.
func (x *exchange) check() { x.receive(question{}.build(x.t), x.path) }

func (x *exchange) receive(b []byte, from Path) DropReason {
	x.out.Reset()
	x.now = x.now.Add(time.Millisecond)
	reason := x.leg.Receive(b, from, x.now, &x.out)
	x.drops[reason]++
	x.deliver()
	return reason
}

// deliver does with the outputs what a worker does.
func (x *exchange) deliver() {
	for _, d := range x.out.Handshake {
		if x.handshake == nil {
			var err error
			if x.handshake, err = x.hs.Begin(x.peer, func(r Result) { x.results <- r }); err != nil {
				x.t.Fatal(err)
			}
		}
		x.handshake.Feed(d.Data, d.Path)
	}
	for _, d := range x.out.Send {
		if IsDTLS(d.Data) {
			x.pipe.feed(d.Data, d.Path)
		}
	}
	for _, r := range x.out.RTCP {
		x.reports = append(x.reports, bytes.Clone(r))
	}
	x.events = append(x.events, x.out.Events...)
}

// finish gives the leg a result.
func (x *exchange) finish(r Result) {
	x.out.Reset()
	x.handshake = nil
	x.leg.Finish(r, x.now, &x.out)
	x.deliver()
}

// begin starts the client's handshake.
func (x *exchange) begin() {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		x.finished <- x.client.HandshakeContext(ctx)
	}()
}

// run carries datagrams until done is true.
func (x *exchange) run(done func() bool) {
	x.t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !done() {
		select {
		case b := <-x.toLeg:
			if x.early != nil {
				x.early(b, x.path)
			}
			x.receive(b, x.path)
		case b := <-x.toClient:
			if x.lose == nil || !x.lose(b) {
				x.pipe.feed(b, x.path)
			}
		case r := <-x.results:
			x.finish(r)
		case err := <-x.finished:
			x.clientDone, x.clientErr = true, err
		case <-limit.C:
			x.t.Fatalf("nothing more happens; dropped %v", x.drops)
		}
	}
}

// connect runs the handshake to its end on both sides and returns the client's error.
func (x *exchange) connect() error {
	x.t.Helper()
	x.begin()
	x.run(func() bool {
		return x.clientDone && (x.leg.Connected() || x.leg.Closed() || x.clientErr != nil)
	})
	return x.clientErr
}

// keys are the client's SRTP contexts, made by pion.
func (x *exchange) keys() (enc, dec *srtp.Context) {
	x.t.Helper()
	state, ok := x.client.ConnectionState()
	p, has := x.client.SelectedSRTPProtectionProfile()
	if !ok || !has {
		x.t.Fatal("the client has no keys")
	}
	profile := srtp.ProtectionProfile(p)
	var cfg srtp.Config
	cfg.Profile = profile
	if err := cfg.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		x.t.Fatal(err)
	}
	enc, err1 := srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, profile)
	dec, err2 := srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, profile)
	if err := errors.Join(err1, err2); err != nil {
		x.t.Fatal(err)
	}
	return enc, dec
}

// talk sends media one way and a report the other.
func (x *exchange) talk() {
	x.t.Helper()
	enc, dec := x.keys()
	header, payload := rtpPacket(x.t, 7, 1, 500)
	sealed, err := x.leg.SealRTP(nil, header, payload)
	if err != nil {
		x.t.Fatal(err)
	}
	if plain, err := dec.DecryptRTP(nil, sealed, nil); err != nil || !bytes.Equal(plain, append(header, payload...)) {
		x.t.Errorf("media: %v", err)
	}
	report, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}})
	if err != nil {
		x.t.Fatal(err)
	}
	b, err := enc.EncryptRTCP(nil, report, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	if reason := x.receive(b, x.path); reason != DropNone || !bytes.Equal(x.reports[len(x.reports)-1], report) {
		x.t.Errorf("report dropped for %v", reason)
	}
}
