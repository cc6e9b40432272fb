package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSelfMadeCertificate(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, "--data", data, "--tls-self")
	pem, err := os.ReadFile(filepath.Join(data, selfCertFile))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	res, err := client.Get(s.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(s.url, "https://") {
		t.Errorf("%s: %d", s.url, res.StatusCode)
	}
	if info, err := os.Stat(filepath.Join(data, selfKeyFile)); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("the private key: %v %v", info, err)
	}
}

func TestSelfMadeCertificateIsKeptWhileItServes(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	one := []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	two := append(one, netip.MustParseAddr("2001:db8::1"))
	make := func(addrs []netip.Addr, at time.Time) *x509.Certificate {
		pair, err := selfCertificate(dir, addrs, at)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf
	}
	first := make(one, now)
	if !first.Equal(make(one, now.Add(time.Hour))) {
		t.Error("a good certificate was replaced")
	}
	second := make(two, now)
	if first.Equal(second) || second.VerifyHostname("2001:db8::1") != nil {
		t.Error("a new address needs a new certificate")
	}
	if second.Equal(make(two, now.Add(selfLife-24*time.Hour))) {
		t.Error("a certificate that ends tomorrow was kept")
	}
	if err := os.WriteFile(filepath.Join(dir, selfCertFile), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := selfCertificate(dir, one, now); err == nil || !strings.Contains(err.Error(), "move") {
		t.Errorf("a damaged certificate: %v", err)
	}
}
