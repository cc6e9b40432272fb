package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// Files of --tls-self in the data folder.
const (
	selfCertFile = "tls-self.crt"
	selfKeyFile  = "tls-self.key"
)

// Apple's systems take no certificate for longer than 825 days; a new one means a new warning.
const (
	selfLife  = 820 * 24 * time.Hour
	selfRenew = 30 * 24 * time.Hour
)

// certificate returns the TLS configuration that the flags ask for, nil for plain HTTP.
func (s *serving) certificate(dir string) (*tls.Config, error) {
	var pair tls.Certificate
	var err error
	switch {
	case s.cmd.TLSCert != "":
		if pair, err = tls.LoadX509KeyPair(s.cmd.TLSCert, s.cmd.TLSKey); err != nil {
			return nil, fmt.Errorf("cannot use the certificate %s with the key %s: %w; check --tls-cert and --tls-key", s.cmd.TLSCert, s.cmd.TLSKey, err)
		}
	case s.cmd.TLSSelf:
		if pair, err = selfCertificate(dir, s.addrs.lan, time.Now()); err != nil {
			return nil, fmt.Errorf("cannot make a certificate: %w", err)
		}
	default:
		return nil, nil
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// selfCertificate loads the kept certificate, and makes a new one when there is none, when it
// ends soon, or when this machine has got an address that it does not name.
func selfCertificate(dir string, addrs []netip.Addr, now time.Time) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(dir, selfCertFile), filepath.Join(dir, selfKeyFile)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil && stillGood(pair.Leaf, addrs, now) {
		return pair, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return pair, fmt.Errorf("%w; move %s and %s away to have new ones made", err, certFile, keyFile)
	}
	cert, key, err := makeCertificate(addrs, now)
	if err != nil {
		return pair, err
	}
	if err := errors.Join(os.WriteFile(keyFile, key, 0o600), os.WriteFile(certFile, cert, 0o644)); err != nil {
		return pair, err
	}
	return tls.X509KeyPair(cert, key)
}

func stillGood(leaf *x509.Certificate, addrs []netip.Addr, now time.Time) bool {
	if now.Before(leaf.NotBefore) || now.Add(selfRenew).After(leaf.NotAfter) {
		return false
	}
	for _, addr := range addrs {
		if leaf.VerifyHostname(addr.String()) != nil {
			return false
		}
	}
	return true
}

// makeCertificate makes a P-256 key and a certificate for localhost, this machine's name and its
// addresses, both as PEM.
func makeCertificate(addrs []netip.Addr, now time.Time) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Fanfare on this machine"},
		NotBefore:    now.Add(-time.Hour), // clocks of phones differ
		NotAfter:     now.Add(selfLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},

		BasicConstraintsValid: true,
	}
	if name, err := os.Hostname(); err == nil && name != "" && name != "localhost" {
		template.DNSNames = append(template.DNSNames, name)
	}
	for _, addr := range addrs {
		template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}
