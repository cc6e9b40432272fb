package sfu

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/pion/webrtc/v3"
)

// certificateLife is longer than any process should run; peers check the fingerprint of the
// answer, not the dates.
const certificateLife = 365 * 24 * time.Hour

// newCertificate makes the self-signed certificate that all DTLS sessions of the process
// share (P-256: every browser has it), in pion's form and in that of crypto/tls.
func newCertificate() (webrtc.Certificate, tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetUint64(randomUint64() >> 1),
		Subject:      pkix.Name{CommonName: "WebRTC"},
		NotBefore:    now.Add(-24 * time.Hour),
		NotAfter:     now.Add(certificateLife),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return webrtc.Certificate{}, tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return webrtc.Certificate{}, tls.Certificate{}, err
	}
	return webrtc.CertificateFromX509(key, leaf),
		tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
