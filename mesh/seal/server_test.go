package seal

import (
	"errors"
	"testing"
)

// TestServerIntroducesItself: a server that has a room's join but not its link, in the way from a
// receiver who comes to a peer that serves.
func TestServerIntroducesItself(t *testing.T) {
	s := newScene(t)
	random := seeded("server")
	evil, err := NewAgreementKey(random)
	if err != nil {
		t.Fatal(err)
	}
	evilSigner, err := NewSigningKey(random)
	if err != nil {
		t.Fatal(err)
	}
	// It has join and the verifier, and takes them for a secret.
	guessed, err := Secret(s.keys.Join[:16]).Keys(s.room)
	if err != nil {
		t.Fatal(err)
	}
	k := s.signer.Public().Hash()

	// A card of its own: no holder of the link can open it, and none would believe it.
	card, err := NewCard(evilSigner, s.room, evil.Public())
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := guessed.Seal(random, "uploader", "ann", card)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.keys.Open("uploader", "ann", envelope); !errors.Is(err, ErrSealed) {
		t.Errorf("a card of the server opens: %v", err)
	}
	if err := card.Verify(k, s.room); !errors.Is(err, ErrKey) {
		t.Errorf("a card of the server is believed: %v", err)
	}

	// Asking in its own name: without S there is no pair with the uploader.
	asking, err := evil.Pair(s.uploader.Public(), Secret(s.keys.Join[:16]), s.room)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err = asking.Seal(random, "evil", "uploader", Ask{Name: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.pair(t, s.uploader, evil).Open("evil", "uploader", envelope); !errors.Is(err, ErrSealed) {
		t.Errorf("the server asks and is heard: %v", err)
	}

	// Ann's own envelope, in the name of an endpoint of the server's.
	envelope, err = s.pair(t, s.ann, s.uploader).Seal(random, "ann", "uploader", Ask{Name: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.pair(t, s.uploader, s.ann).Open("evil", "uploader", envelope); !errors.Is(err, ErrSealed) {
		t.Errorf("Ann's envelope from another endpoint opens: %v", err)
	}

	// Ann's good token, taken from elsewhere, with the server's key and certificate.
	gate := Gate{Room: s.room, Key: k}
	sdp := "v=0\r\na=fingerprint:sha-256 " + (Fingerprint{9}).String() + "\r\n"
	if _, err := gate.Admit(s.sign(t, s.token()), evil.Public(), sdp, s.now, Receive); !errors.Is(err, ErrHolder) {
		t.Errorf("Ann's token in another's hand: %v", err)
	}
}

// TestHolderOfTheLinkInTheMiddle: somebody who has the link, together with the server, swaps the
// keys of two peers. Their tokens give the swap away, and so do the check words.
func TestHolderOfTheLinkInTheMiddle(t *testing.T) {
	s := newScene(t)
	evil, err := NewAgreementKey(seeded("holder"))
	if err != nil {
		t.Fatal(err)
	}
	sdp := "v=0\r\na=fingerprint:sha-256 " + s.token().Fingerprint.String() + "\r\n"
	offer := Offer{Token: s.sign(t, s.token()), SDP: sdp} // Ann's, read by nobody else, but suppose it were
	envelope, err := s.pair(t, evil, s.bob).Seal(seeded("nonce"), "ann", "bob", offer)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.pair(t, s.bob, evil).Open("ann", "bob", envelope)
	if err != nil {
		t.Fatal(err) // the holder of the link can seal for Bob
	}
	got := m.(Offer)
	gate := Gate{Room: s.room, Key: s.signer.Public().Hash()}
	if _, err := gate.Admit(got.Token, evil.Public(), got.SDP, s.now, Receive); !errors.Is(err, ErrHolder) {
		t.Errorf("Ann's token under another key: %v", err)
	}
	ann, err := s.pair(t, s.ann, evil).Check()
	if err != nil {
		t.Fatal(err)
	}
	uploader, err := s.pair(t, s.uploader, evil).Check()
	if err != nil {
		t.Fatal(err)
	}
	if ann == uploader {
		t.Error("the check words are the same on both sides of somebody in the middle")
	}
}

// TestReplayOpens: an envelope opens again between the same two. What it says must do nothing the
// second time; that is for whoever keeps the conversation (docs/MESH.md, section 2).
func TestReplayOpens(t *testing.T) {
	s := newScene(t)
	envelope, err := s.pair(t, s.ann, s.bob).Seal(seeded("nonce"), "ann", "bob", Wait{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.pair(t, s.bob, s.ann).Open("ann", "bob", envelope); err != nil {
			t.Error(err)
		}
	}
}
