package lite

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/logging"
)

// exporterLabel is that of RFC 5764 section 4.2.
const exporterLabel = "EXTRACTOR-dtls_srtp"

// flightInterval is when the library first repeats a flight. The second of RFC 6347 is
// long for somebody who waits for a picture.
const flightInterval = 250 * time.Millisecond

// errIncomplete: the library reports success and something is missing all the same.
var errIncomplete = errors.New("the handshake left no keys")

// secrets is what a handshake tells by its hooks while it runs. The library calls them
// one after the other, and all before HandshakeContext returns.
type secrets struct {
	peer         []Fingerprint
	verified     bool // the certificate matched
	mismatch     bool // it did not
	serverRandom [handshake.RandomLength]byte
	keyLog       strings.Builder
}

// options are those of RFC 8827 section 6.5, and as little else as possible. The suite
// and the curve follow the client's order, so the lists hold only what we like. No
// HelloVerifyRequest: the address has passed an ICE check already.
func (x *secrets) options(cfg *HandshakerConfig) []dtls.ServerOption {
	return []dtls.ServerOption{
		dtls.WithCertificates(cfg.Certificate),
		dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		dtls.WithEllipticCurves(elliptic.X25519, elliptic.P256),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithInsecureSkipVerify(true), // no authority; the fingerprint is the proof
		dtls.WithVerifyPeerCertificate(x.verify),
		dtls.WithInsecureSkipVerifyHello(true),
		dtls.WithFlightInterval(flightInterval),
		dtls.WithKeyLogWriter(&x.keyLog), // in memory, the cheapest way to the master secret
		dtls.WithServerHelloMessageHook(x.serverHello),
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}),
	}
}

func (x *secrets) verify(chain [][]byte, _ [][]*x509.Certificate) error {
	x.verified = len(chain) > 0 && matchFingerprint(chain[0], x.peer)
	x.mismatch = !x.verified
	if x.mismatch {
		return ErrFingerprint
	}
	return nil
}

func (x *secrets) serverHello(m handshake.MessageServerHello) handshake.Message {
	x.serverRandom = m.Random.MarshalFixed()
	return &m
}

// run does the handshake and lets the connection go.
func (s *Handshake) run(cfg *HandshakerConfig) Result {
	x := &secrets{peer: s.peer}
	conn, err := dtls.ServerWithOptions(s.pipe, pipeAddr{}, x.options(cfg)...)
	if err != nil {
		return Result{Err: err}
	}
	watchDone := make(chan struct{})
	watched, stop := context.WithCancel(s.ctx)
	go func() {
		defer close(watchDone)
		s.watch(watched, cfg.Patience)
	}()
	err = conn.HandshakeContext(s.ctx)
	stop()
	<-watchDone
	// Closing makes the close_notify, which is kept instead of sent.
	s.pipe.mute()
	_ = conn.Close()
	switch {
	case x.mismatch:
		return Result{Err: ErrFingerprint}
	case s.ctx.Err() != nil:
		return Result{Err: s.cause()}
	case err != nil:
		return Result{Err: fmt.Errorf("DTLS: %w", err)}
	}
	profile, _ := conn.SelectedSRTPProtectionProfile()
	return x.result(Profile(profile), s.pipe)
}

// result derives all keys from the master secret. It fails closed.
func (x *secrets) result(p Profile, from *pipe) Result {
	master, clientRandom, ok := parseKeyLog(x.keyLog.String())
	if !ok || !x.verified || (p != ProfileGCM && p != ProfileCM) {
		return Result{Err: errIncomplete}
	}
	seed := append([]byte(exporterLabel), clientRandom...)
	seed = append(seed, x.serverRandom[:]...)
	material, err := prf.PHash(master, seed, p.exportLen(), sha256.New)
	if err != nil {
		return Result{Err: err}
	}
	block, err := prf.GenerateEncryptionKeys(master, clientRandom, x.serverRandom[:], 0, 16, 4, sha256.New)
	if err != nil {
		return Result{Err: err}
	}
	r := Result{Profile: p, keys: p.split(material)}
	copy(r.alertKey[:], block.ClientWriteKey)
	copy(r.alertIV[:], block.ClientWriteIV)
	r.lastFlight, r.closeNotify = from.remains()
	if len(r.lastFlight) == 0 || len(r.closeNotify) == 0 {
		return Result{Err: errIncomplete}
	}
	return r
}

// parseKeyLog reads "CLIENT_RANDOM <random> <master secret>" (the NSS key log format).
func parseKeyLog(line string) (master, clientRandom []byte, ok bool) {
	words := strings.Fields(line)
	if len(words) != 3 || words[0] != "CLIENT_RANDOM" {
		return nil, nil, false
	}
	clientRandom, err1 := hex.DecodeString(words[1])
	master, err2 := hex.DecodeString(words[2])
	return master, clientRandom, err1 == nil && err2 == nil && len(clientRandom) == 32 && len(master) == 48
}
