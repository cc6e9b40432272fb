package lite

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/logging"
)

// exporterLabel is that of RFC 5764 section 4.2.
const exporterLabel = "EXTRACTOR-dtls_srtp"

// keyExpansionLabel is that of RFC 5246 section 6.3.
const keyExpansionLabel = "key expansion"

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
// and the curve follow the client's order, so the lists hold only what we like: the suite and
// the curve that every client must have, P-256, whose key agreement takes half the time of
// X25519's here. No HelloVerifyRequest: the address has passed an ICE check already.
func (x *secrets) options(cfg *HandshakerConfig) []dtls.ServerOption {
	return []dtls.ServerOption{
		dtls.WithCertificates(cfg.Certificate),
		dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		dtls.WithEllipticCurves(elliptic.P256),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithInsecureSkipVerify(true), // no authority; the fingerprint is the proof
		dtls.WithVerifyPeerCertificate(x.verify),
		dtls.WithInsecureSkipVerifyHello(true),
		dtls.WithFlightInterval(flightInterval),
		dtls.WithKeyLogWriter(&x.keyLog), // in memory, the cheapest way to the master secret
		dtls.WithServerHelloMessageHook(x.serverHello),
		dtls.WithLoggerFactory(silence{}),
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
	_ = growStack(len(x.peer)) // the first time that the library calls from where it computes
	x.serverRandom = m.Random.MarshalFixed()
	return &m
}

// growStack takes the goroutine's stack to 16 KiB in one step, which is what the mathematics of the
// curve needs. The runtime would find it in three, with more on it to copy each time.
//
//go:noinline
func growStack(i int) byte {
	var room [9 << 10]byte
	room[i] = 1
	return room[i/2]
}

// run does the handshake and lets the connection go. A handshake that is ended from outside
// finds its pipe closed.
func (s *Handshake) run(cfg *HandshakerConfig) Result {
	x := &secrets{peer: s.peer}
	conn, err := dtls.ServerWithOptions(s.pipe, pipeAddr{}, x.options(cfg)...)
	if err != nil {
		return Result{Err: err}
	}
	err = conn.HandshakeContext(context.Background())
	// Closing makes the close_notify, which is kept instead of sent.
	s.pipe.mute()
	_ = conn.Close()
	switch {
	case x.mismatch:
		return Result{Err: ErrFingerprint}
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
	material := expand(master, exporterLabel, clientRandom, x.serverRandom[:], p.exportLen())
	block := expand(master, keyExpansionLabel, x.serverRandom[:], clientRandom, 2*(16+4))
	r := Result{Profile: p, keys: p.split(material)}
	copy(r.alertKey[:], block)     // the client's write key: the first of the two keys
	copy(r.alertIV[:], block[32:]) // and of the two IVs behind them (RFC 5246 section 6.3)
	r.lastFlight, r.closeNotify = from.remains()
	if len(r.lastFlight) == 0 || len(r.closeNotify) == 0 {
		return Result{Err: errIncomplete}
	}
	return r
}

// expand is the pseudorandom function of TLS 1.2 with SHA-256 (RFC 5246 section 5) over two
// randoms: n bytes.
func expand(secret []byte, label string, random1, random2 []byte, n int) []byte {
	seed := slices.Concat([]byte(label), random1, random2)
	mac := hmac.New(sha256.New, secret)
	sum := func(parts ...[]byte) []byte {
		mac.Reset()
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
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

// silence is the library's log: a failed handshake is told by its result.
type silence struct{}

// NewLogger implements logging.LoggerFactory.
func (silence) NewLogger(string) logging.LeveledLogger { return silence{} }

// The rest implements logging.LeveledLogger.

func (silence) Trace(string)          {}
func (silence) Tracef(string, ...any) {}
func (silence) Debug(string)          {}
func (silence) Debugf(string, ...any) {}
func (silence) Info(string)           {}
func (silence) Infof(string, ...any)  {}
func (silence) Warn(string)           {}
func (silence) Warnf(string, ...any)  {}
func (silence) Error(string)          {}
func (silence) Errorf(string, ...any) {}
