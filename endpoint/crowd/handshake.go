package crowd

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/pion/logging"
	"github.com/pion/srtp/v3"
)

var (
	errFingerprint = errors.New("the server's certificate is not the one in its answer")
	errNoProfile   = errors.New("the server agreed to no protection of media that is known here")
)

// flightInterval is the time until the first repeat of a flight, as in browsers.
const flightInterval = 100 * time.Millisecond

// identity is the certificate of all viewers.
type identity struct {
	cert        tls.Certificate
	fingerprint string // "AA:BB:…", SHA-256
}

func newIdentity() (identity, error) {
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return identity{}, fmt.Errorf("making a certificate: %w", err)
	}
	sum := sha256.Sum256(cert.Certificate[0])
	digits := make([]string, len(sum))
	for i := range sum {
		digits[i] = strings.ToUpper(hex.EncodeToString(sum[i : i+1]))
	}
	return identity{cert, strings.Join(digits, ":")}, nil
}

// handshake does a whole handshake over w and lets the connection go, without a word: the server hears no close_notify.
// active: the server is the client (RFC 5763 section 5).
func (id identity) handshake(ctx context.Context, w *wire, fingerprint [32]byte, active bool) (keys, error) {
	options := []dtls.Option{
		dtls.WithCertificates(id.cert),
		dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // no authority; the fingerprint is the proof
		dtls.WithVerifyPeerCertificate(func(chain [][]byte, _ [][]*x509.Certificate) error {
			if len(chain) == 0 || sha256.Sum256(chain[0]) != fingerprint {
				return errFingerprint
			}
			return nil
		}),
		dtls.WithFlightInterval(flightInterval),
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}),
	}
	conn, err := open(w, options, active)
	if err != nil {
		return keys{}, err
	}
	err = conn.HandshakeContext(ctx)
	flight := w.mute()
	defer func() { _ = conn.Close() }()
	if err != nil {
		return keys{}, fmt.Errorf("DTLS: %w", err)
	}
	k, err := export(conn, active)
	if active {
		k.lastFlight = flight
	}
	return k, err
}

func open(w *wire, options []dtls.Option, active bool) (*dtls.Conn, error) {
	under, far := dtlsnet.PacketConnFromConn(w), net.Addr(w.RemoteAddr())
	if active {
		server := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
		for _, o := range options {
			server = append(server, o)
		}
		return dtls.ServerWithOptions(under, far, server...)
	}
	var client []dtls.ClientOption
	for _, o := range options {
		client = append(client, o)
	}
	return dtls.ClientWithOptions(under, far, client...)
}

// export derives the keys (RFC 5764 section 4.2): client's key, server's key, client's salt, server's salt.
func export(conn *dtls.Conn, active bool) (keys, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	k := keys{profile: srtp.ProtectionProfile(profile)}
	keyLen, err := k.profile.KeyLen()
	saltLen, err2 := k.profile.SaltLen()
	state, ok2 := conn.ConnectionState()
	if !ok || !ok2 || err != nil || err2 != nil {
		return k, errNoProfile
	}
	m, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*(keyLen+saltLen))
	if err != nil {
		return k, err
	}
	k.ourKey, k.peerKey = m[:keyLen], m[keyLen:2*keyLen]
	k.ourSalt, k.peerSalt = m[2*keyLen:2*keyLen+saltLen], m[2*keyLen+saltLen:]
	if active {
		k.ourKey, k.peerKey, k.ourSalt, k.peerSalt = k.peerKey, k.ourKey, k.peerSalt, k.ourSalt
	}
	return k, nil
}
