package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// Identity is what a peer is known by in one room: its key pair for agreement and its DTLS certificate.
// Whoever comes back with the same is let in as the same.
type Identity struct {
	dh          seal.AgreementKey
	certificate webrtc.Certificate
	fingerprint seal.Fingerprint
}

var errIdentity = errors.New("not an identity")

// dhSize is the length of the agreement key in Bytes; the certificate follows in PEM.
const dhSize = 32

// NewIdentity makes one by chance.
func NewIdentity() (Identity, error) {
	dh, err := seal.NewAgreementKey(rand.Reader)
	if err != nil {
		return Identity{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Identity{}, err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return Identity{}, err
	}
	return identityOf(dh, *certificate)
}

// ParseIdentity reads what Bytes wrote. A certificate that has run out is refused.
func ParseIdentity(b []byte) (Identity, error) {
	if len(b) < dhSize {
		return Identity{}, errIdentity
	}
	dh, err := seal.ParseAgreementKey(b[:dhSize])
	if err != nil {
		return Identity{}, err
	}
	certificate, err := webrtc.CertificateFromPEM(string(b[dhSize:]))
	if err != nil || time.Now().After(certificate.Expires()) {
		return Identity{}, errIdentity
	}
	return identityOf(dh, *certificate)
}

// Bytes holds both private keys.
func (i Identity) Bytes() ([]byte, error) {
	pem, err := i.certificate.PEM()
	if err != nil {
		return nil, err
	}
	return append(i.dh.Bytes(), pem...), nil
}

func identityOf(dh seal.AgreementKey, certificate webrtc.Certificate) (Identity, error) {
	prints, err := certificate.GetFingerprints()
	if err != nil {
		return Identity{}, err
	}
	for _, p := range prints {
		if fingerprint, err := seal.SDPFingerprint("a=fingerprint:" + p.Algorithm + " " + p.Value); err == nil {
			return Identity{dh, certificate, fingerprint}, nil
		}
	}
	return Identity{}, fmt.Errorf("%w: no SHA-256 of the certificate", errIdentity)
}
