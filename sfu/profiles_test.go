package sfu

import (
	"crypto/tls"
	"net"
	"sync"
	"testing"

	"github.com/pion/dtls/v2"
	"github.com/pion/dtls/v2/pkg/crypto/selfsign"
)

const (
	gcm = dtls.SRTP_AEAD_AES_128_GCM
	cm  = dtls.SRTP_AES128_CM_HMAC_SHA1_80
)

// Whoever offers AES-GCM gets it, wherever it stands in the list; whoever does not is served too.
func TestSRTPChoice(t *testing.T) {
	for _, c := range []struct {
		name  string
		offer []dtls.SRTPProtectionProfile
		want  dtls.SRTPProtectionProfile
	}{
		{"as Firefox", []dtls.SRTPProtectionProfile{gcm, cm}, gcm},
		{"as Chromium", []dtls.SRTPProtectionProfile{cm, dtls.SRTP_AEAD_AES_256_GCM, gcm}, gcm},
		{"GCM alone", []dtls.SRTPProtectionProfile{gcm}, gcm},
		{"no GCM", []dtls.SRTPProtectionProfile{cm}, cm},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := shake(t, newSRTPChoice(true), c.offer); got != c.want {
				t.Errorf("%#x, want %#x", got, c.want)
			}
		})
	}
}

// shake makes a handshake as pion's peer connection does, and returns what was agreed.
func shake(t *testing.T, choice *srtpChoice, offer []dtls.SRTPProtectionProfile) dtls.SRTPProtectionProfile {
	t.Helper()
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	config := func(profiles []dtls.SRTPProtectionProfile) *dtls.Config {
		return &dtls.Config{Certificates: []tls.Certificate{certificate}, SRTPProtectionProfiles: profiles, InsecureSkipVerify: true}
	}
	client, fromClient := net.Pipe()
	server, toServer := net.Pipe()
	var carriers sync.WaitGroup
	carriers.Go(func() { carry(fromClient, toServer, choice.hear) })
	carriers.Go(func() { carry(toServer, fromClient, func([]byte) {}) })
	clients := make(chan *dtls.Conn, 1)
	go func() {
		conn, err := dtls.Client(client, config(offer))
		if err != nil {
			t.Errorf("client: %v", err)
		}
		clients <- conn
	}()
	own := config(choice.profiles[:])
	own.ConnectContextMaker = choice.context
	conn, err := dtls.Server(server, own)
	if err != nil {
		t.Errorf("server: %v", err)
		return 0
	}
	defer carriers.Wait()
	defer func() { _, _, _ = conn.Close(), fromClient.Close(), toServer.Close() }()
	other := <-clients // it is through, too: one that hears a goodbye before fails
	if other == nil {
		return 0
	}
	defer other.Close()
	profile, _ := conn.SelectedSRTPProtectionProfile()
	return profile
}

// carry brings datagrams from one pipe to another, and shows each of them.
func carry(from, to net.Conn, show func([]byte)) {
	b := make([]byte, maxDatagram)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		show(b[:n])
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// A session that ends before its ClientHello leaves no goroutine waiting for it.
func TestSRTPChoiceReleased(t *testing.T) {
	choice := newSRTPChoice(true)
	choice.release()
	choice.release()
	ctx, cancel := choice.context()
	defer cancel()
	if ctx.Err() != nil || choice.profiles != [...]dtls.SRTPProtectionProfile{gcm, cm} {
		t.Errorf("%v, %v", ctx.Err(), choice.profiles)
	}
	_, cancel = newSRTPChoice(false).context() // waits for nothing
	cancel()
}
