package sfu

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pion/dtls/v2"

	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// handshakeTimeout is what pion gives a DTLS handshake that has begun.
const handshakeTimeout = 30 * time.Second

// srtpChoice sees to AES-GCM for every publisher who has it: it is several times cheaper than
// AES-CM with HMAC-SHA1. pion's DTLS takes the client's favourite, which in Chromium is the
// latter. Programs without GCM are to be served too, so it cannot be the only one on the list
// before the ClientHello (RFC 5764 section 4.1.1) is there. Therefore pion's server waits for it
// in the maker of its context, and reads its list afterwards.
type srtpChoice struct {
	profiles [2]dtls.SRTPProtectionProfile // pion's list; changed in the maker alone, before pion reads it
	hello    lite.HelloReader              // the demultiplexer's
	heard    bool                          // the demultiplexer's: the hello is over
	once     sync.Once
	known    chan struct{} // closed when there is nothing to wait for any more
	gcm      bool          // set before known is closed
}

// newSRTPChoice: relayIsServer is false for an offer that insists on being the server (setup:passive).
// Then the relay sends the list, in its own order, and waits for nothing.
func newSRTPChoice(relayIsServer bool) *srtpChoice {
	c := &srtpChoice{
		profiles: [...]dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
		known:    make(chan struct{}),
	}
	if !relayIsServer {
		c.release()
	}
	return c
}

// hear looks for the publisher's first ClientHello in a datagram. It has one caller at a time.
func (c *srtpChoice) hear(b []byte) {
	if c.heard {
		return
	}
	profiles, done := c.hello.Read(b)
	if !done {
		return
	}
	c.heard, c.hello = true, lite.HelloReader{}
	c.once.Do(func() {
		c.gcm = slices.Contains(profiles, lite.ProfileGCM)
		close(c.known)
	})
}

// release ends the waiting: the session has ended, or there is nothing to wait for.
func (c *srtpChoice) release() { c.once.Do(func() { close(c.known) }) }

// context is called by pion in the goroutine of the handshake, before it reads the list.
func (c *srtpChoice) context() (context.Context, func()) {
	<-c.known
	if c.gcm {
		c.profiles[1] = dtls.SRTP_AEAD_AES_128_GCM
	}
	return context.WithTimeout(context.Background(), handshakeTimeout)
}
