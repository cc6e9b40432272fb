package lite

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"

	"github.com/fanfare-relay/fanfare/media"
)

func TestHandshake(t *testing.T) {
	for name, r := range map[string]struct {
		profiles []dtls.SRTPProtectionProfile
		want     Profile
	}{
		"both, CM first": {[]dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM}, ProfileGCM},
		"CM only":        {[]dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80}, ProfileCM},
		"GCM only":       {[]dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM}, ProfileGCM},
	} {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, dtls.WithSRTPProtectionProfiles(r.profiles...))
			x.check()
			if err := x.connect(); err != nil {
				t.Fatal(err)
			}
			if x.leg.Profile() != r.want {
				t.Errorf("profile %v", x.leg.Profile())
			}
			x.talk()
		})
	}
}

// TestLastFlightLost: our ChangeCipherSpec and Finished get lost once, the client repeats
// its flight, and the leg answers although the connection is long gone.
func TestLastFlightLost(t *testing.T) {
	x := newExchange(t)
	x.check()
	lost := 0
	x.lose = func(b []byte) bool {
		if b[0] == recordChangeCipherSpec {
			lost++
			return true
		}
		return false
	}
	if err := x.connect(); err != nil {
		t.Fatal(err)
	}
	if lost == 0 {
		t.Error("nothing was lost")
	}
	x.talk()
}

// TestFlightRate: repeats are at least 20 ms apart.
func TestFlightRate(t *testing.T) {
	v := connected(t, ProfileGCM)
	flight := []byte{20, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1}
	for _, r := range []struct {
		after time.Duration
		want  DropReason
	}{{0, DropNone}, {19 * time.Millisecond, DropDTLSRepeat}, {20 * time.Millisecond, DropNone}, {21 * time.Millisecond, DropDTLSRepeat}} {
		v.out.Reset()
		if got := v.leg.Receive(flight, v.path, start().Add(r.after), &v.out); got != r.want || (got == DropNone) != (len(v.out.Send) == 1) {
			t.Errorf("after %v: %v, %d sent", r.after, got, len(v.out.Send))
		}
	}
	if got := v.leg.Receive(flight, somewhere(9), start().Add(time.Second), &v.out); got != DropUncheckedAddress {
		t.Errorf("repeated to a stranger: %v", got)
	}
}

// TestCloseNotifyFromClient: an authentic one ends the leg, a forged one does not.
func TestCloseNotifyFromClient(t *testing.T) {
	x := newExchange(t)
	x.check()
	if err := x.connect(); err != nil {
		t.Fatal(err)
	}
	var forgeries int
	x.early = func(b []byte, p Path) {
		if b[0] != recordAlert {
			return
		}
		for _, i := range []int{0, 3, 10, 13, 21, len(b) - 1} {
			bad := bytes.Clone(b)
			bad[i] ^= 1
			x.receive(bad, p)
			forgeries++
		}
		x.receive(append(bytes.Clone(b[:11]), 0, 2, 1, 0), p) // in the clear
		if x.leg.Closed() {
			t.Error("a forged alert ended the leg")
		}
	}
	if err := x.client.Close(); err != nil {
		t.Fatal(err)
	}
	x.run(x.leg.Closed)
	last := x.events[len(x.events)-1]
	if forgeries == 0 || last.Kind != EventClosed || last.Close != media.CloseByClient {
		t.Errorf("%d forgeries, then %v", forgeries, last)
	}
}

// TestCloseNotifyToClient: the kept record ends the client's connection.
func TestCloseNotifyToClient(t *testing.T) {
	x := newExchange(t)
	x.check()
	if err := x.connect(); err != nil {
		t.Fatal(err)
	}
	x.clientDone = false
	go func() {
		_, err := x.client.Read(make([]byte, 100))
		x.finished <- err
	}()
	x.out.Reset()
	x.leg.Close(media.CloseEnded, &x.out)
	if len(x.out.Send) != 1 || x.out.Send[0].Path != x.path || x.out.Send[0].Data[0] != recordAlert {
		t.Fatalf("sent %v", x.out.Send)
	}
	x.deliver()
	x.run(func() bool { return x.clientDone })
	if x.clientErr == nil {
		t.Error("the client still reads")
	}
	x.out.Reset()
	x.leg.Close(media.CloseEnded, &x.out)
	if len(x.out.Send)+len(x.out.Events) != 0 {
		t.Error("closing twice did something")
	}
}

// TestWrongCertificate: no media, and the leg is closed.
func TestWrongCertificate(t *testing.T) {
	x := newExchange(t)
	x.peer = fingerprintOf(newCertificate(t))
	x.check()
	if err := x.connect(); err == nil {
		t.Error("the client believes to be connected")
	}
	x.run(x.leg.Closed)
	if _, err := x.leg.SealRTP(nil, make([]byte, 12), nil); !errors.Is(err, ErrNotConnected) {
		t.Error(err)
	}
	last := x.events[len(x.events)-1]
	if last.Kind != EventClosed || last.Close != media.CloseFailed {
		t.Errorf("events %v", x.events)
	}
}

// TestHandshakesRefused: each of these is a client that no browser is; the leg waits for
// another try.
func TestHandshakesRefused(t *testing.T) {
	for name, opt := range map[string]dtls.ClientOption{
		"no extended master secret": dtls.WithExtendedMasterSecret(dtls.DisableExtendedMasterSecret),
		"no common profile":         dtls.WithSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_32),
		"no common suite":           dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
		"no common curve":           dtls.WithEllipticCurves(elliptic.P384),
	} {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, opt)
			x.check()
			if err := x.connect(); err == nil {
				t.Error("the client believes to be connected")
			}
			x.run(func() bool { return x.handshake == nil })
			if x.leg.Connected() || x.leg.Closed() || x.leg.state != stateNew {
				t.Errorf("state %d", x.leg.state)
			}
		})
	}
}

// TestDTLSFromStrangers: a ClientHello counts only from an address that passed a check,
// and nothing else begins a handshake.
func TestDTLSFromStrangers(t *testing.T) {
	x := newExchange(t)
	x.early = func(b []byte, _ Path) {
		if reason := x.receive(b, somewhere(6666)); reason != DropUncheckedAddress || x.handshake != nil && len(x.out.Handshake) != 0 {
			t.Errorf("a stranger's datagram: %v", reason)
		}
	}
	x.begin()
	x.run(func() bool { return x.drops[DropUncheckedAddress] >= 4 }) // unchecked itself, too
	if x.handshake != nil || x.leg.state != stateNew {
		t.Error("a handshake has begun")
	}
	x.check()
	for _, b := range [][]byte{
		{22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 11},
		{20, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1},
		{22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1},
	} {
		if reason := x.receive(b, x.path); reason != DropDTLSUnexpected {
			t.Errorf("%v: %v", b, reason)
		}
	}
	for _, b := range [][]byte{{22, 0xFE}, {22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1}, {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 1}} {
		if reason := x.receive(b, x.path); reason != DropDTLSMalformed {
			t.Errorf("%v: %v", b, reason)
		}
	}
	x.run(func() bool { return x.leg.Connected() && x.clientDone }) // it repeats the ClientHello
	if x.clientErr != nil {
		t.Error(x.clientErr)
	}
	x.talk()
}

// TestAttempts: after a failed handshake the peer may try again, but not for ever.
func TestAttempts(t *testing.T) {
	x := newExchange(t)
	x.check()
	hello := []byte{22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1}
	for range 2 * maxAttempts { // a full queue is not the peer's fault
		x.out.Reset()
		x.leg.Receive(hello, x.path, x.now, &x.out)
		x.finish(Result{Err: ErrBusy})
	}
	for i := range maxAttempts {
		x.out.Reset()
		if got := x.leg.Receive(hello, x.path, x.now, &x.out); got != DropNone || len(x.out.Handshake) != 1 {
			t.Fatalf("attempt %d: %v", i, got)
		}
		x.finish(Result{Err: ErrHandshakeTimeout})
		if x.leg.Closed() {
			t.Fatal("closed")
		}
	}
	if got := x.receive(hello, x.path); got != DropDTLSUnexpected {
		t.Error(got)
	}
}

// TestLateResult: keys that come after the connect deadline are of no use.
func TestLateResult(t *testing.T) {
	v := newLeg()
	var out Out
	v.trust(somewhere(1), start(), &out)
	v.state = stateHandshaking
	v.Finish(Result{Profile: ProfileGCM}, start().Add(DefaultConnectTimeout), &out)
	if !v.Closed() || out.Events[len(out.Events)-1].Close != media.CloseUnfinished {
		t.Errorf("events %v", out.Events)
	}
	v.Finish(Result{Profile: ProfileGCM}, start(), &out)
	if v.Connected() {
		t.Error("a closed leg connected")
	}
}

// TestDTLSPathBeforeNomination: Chromium talks DTLS before it nominates; the answer and
// then the media go to where it talks.
func TestDTLSPathBeforeNomination(t *testing.T) {
	x := newExchange(t)
	x.receive(question{}.build(t), somewhere(4999))
	x.check()
	if err := x.connect(); err != nil {
		t.Fatal(err)
	}
	if p, ok := x.leg.Path(); !ok || p != x.path {
		t.Errorf("media goes to %v", p)
	}
	if !slices.ContainsFunc(x.events, func(e Event) bool { return e.Kind == EventConnected && e.Path == x.path }) {
		t.Errorf("events %v", x.events)
	}
}

func FuzzParseKeyLog(f *testing.F) {
	f.Add("CLIENT_RANDOM 00 00\n")
	f.Fuzz(func(t *testing.T, line string) {
		if master, random, ok := parseKeyLog(line); ok && (len(master) != 48 || len(random) != 32) {
			t.Errorf("%d and %d bytes", len(master), len(random))
		}
	})
}
