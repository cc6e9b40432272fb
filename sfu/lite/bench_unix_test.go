//go:build unix

package lite

import (
	"bytes"
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"
)

// BenchmarkHandshake is one whole handshake between the Handshaker and a client of pion's, both
// in this process: what it tells is good for comparing two versions of ours. cpu-us/op
// holds when other processes are busy, too.
func BenchmarkHandshake(b *testing.B) {
	cert, err := NewCertificate(time.Now())
	if err != nil {
		b.Fatal(err)
	}
	peer := []Fingerprint{{sha256Name, hashCertificate(sha256Name, cert.Certificate[0])}}
	var client *pipe
	hs, err := NewHandshaker(HandshakerConfig{Send: func(d []byte, p Path) { client.feed(d, p) }})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = hs.Close() }()
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		results := make(chan Result, 1)
		var server *Handshake
		client = newPipe(func(d []byte, p Path) {
			if server == nil {
				server, err = hs.Begin(peer, func(r Result) { results <- r })
			}
			server.Feed(bytes.Clone(d), p)
		}, nil)
		conn, err := dtls.ClientWithOptions(client, pipeAddr{}, dtls.WithCertificates(cert), dtls.WithInsecureSkipVerify(true),
			dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM), dtls.WithEllipticCurves(elliptic.X25519, elliptic.P256),
			dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret))
		if err != nil {
			b.Fatal(err)
		}
		if err := conn.HandshakeContext(context.Background()); err != nil {
			b.Fatal(err)
		}
		if r := <-results; r.Err != nil {
			b.Fatal(r.Err)
		}
		client.mute()
		_ = conn.Close()
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
}

// processorTime is that of this process, user and system.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
