package seal

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvelopeRoundTrip(t *testing.T) {
	s := newScene(t)
	ann, bob := s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann)
	if ann.Own() != bob.Other() || ann.Other() != bob.Own() || ann.Lower() == bob.Lower() {
		t.Error("the two sides of a pair do not mirror each other")
	}
	for _, m := range goldenMessages(t, s) {
		var got Message
		if forGroup(m) {
			envelope, err := s.keys.Seal(seeded("nonce"), "a", "b", m)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = s.keys.Open("a", "b", envelope); err != nil {
				t.Errorf("%s: %v", m.Type(), err)
			}
		} else {
			envelope, err := ann.Seal(seeded("nonce"), "a", "b", m)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = bob.Open("a", "b", envelope); err != nil {
				t.Errorf("%s: %v", m.Type(), err)
			}
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%s changed on its way:\n%s", m.Type(), diff)
		}
	}
}

// TestEnvelopeIsBound: what a server could do with an envelope that it carries.
func TestEnvelopeIsBound(t *testing.T) {
	s := newScene(t)
	ann, bob := s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann)
	envelope, err := ann.Seal(seeded("nonce"), "a", "b", Wait{})
	if err != nil {
		t.Fatal(err)
	}
	otherRoom, err := s.bob.Pair(s.ann.Public(), s.secret, "another")
	if err != nil {
		t.Fatal(err)
	}
	otherSecret, err := s.bob.Pair(s.ann.Public(), Secret{1}, s.room)
	if err != nil {
		t.Fatal(err)
	}
	swapped := bytes.Clone(envelope) // the server puts its own key in the place of Ann's
	eve := s.uploader.Public()
	copy(swapped[1:], eve[:])
	for _, tt := range []struct {
		name     string
		pair     Pair
		from, to string
		envelope []byte
		want     error
	}{
		{"as it was", bob, "a", "b", envelope, nil},
		{"from another endpoint", bob, "c", "b", envelope, ErrSealed},
		{"to another endpoint", bob, "a", "c", envelope, ErrSealed},
		{"fields moved", bob, "a-b", "b", envelope, ErrSealed},
		{"sent back to whom it came from", ann, "a", "b", envelope, ErrSealed},
		{"in another room", otherRoom, "a", "b", envelope, ErrSealed},
		{"with another secret", otherSecret, "a", "b", envelope, ErrSealed},
		{"to somebody else", s.pair(t, s.uploader, s.ann), "a", "b", envelope, ErrSealed},
		{"keys swapped, opened as Ann's", bob, "a", "b", swapped, ErrSealed},
		{"keys swapped, opened as the other's", s.pair(t, s.bob, s.uploader), "a", "b", swapped, ErrSealed},
		{"cut", bob, "a", "b", envelope[:pairHead+tagSize-1], ErrEnvelope},
		{"nothing", bob, "a", "b", nil, ErrEnvelope},
		{"too long", bob, "a", "b", append(bytes.Clone(envelope), make([]byte, MaxEnvelope)...), ErrEnvelope},
		{"another kind", bob, "a", "b", append([]byte{KindGroup}, envelope[1:]...), ErrEnvelope},
		{"no endpoint", bob, "", "b", envelope, ErrAddress},
		{"an endpoint with a NUL", bob, "a\x00b", "b", envelope, ErrAddress},
	} {
		if _, err := tt.pair.Open(tt.from, tt.to, tt.envelope); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestEnvelopeTampered(t *testing.T) {
	s := newScene(t)
	ann, bob := s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann)
	pair, err := ann.Seal(seeded("nonce"), "a", "b", Refused{Reason: ReasonFull})
	if err != nil {
		t.Fatal(err)
	}
	group, err := s.keys.Seal(seeded("nonce"), "a", "b", goldenMessages(t, s)[0].(Card))
	if err != nil {
		t.Fatal(err)
	}
	everyByte(pair, func(at int, changed []byte) {
		if _, err := bob.Open("a", "b", changed); err == nil {
			t.Errorf("pair envelope with byte %d changed opens", at)
		}
	})
	everyByte(group, func(at int, changed []byte) {
		if _, err := s.keys.Open("a", "b", changed); err == nil {
			t.Errorf("group envelope with byte %d changed opens", at)
		}
	})
}

// everyByte calls f with a copy of b for each of its bytes, in which that byte has one bit changed,
// and for each shorter length.
func everyByte(b []byte, f func(at int, changed []byte)) {
	for at := range b {
		changed := bytes.Clone(b)
		changed[at] ^= 1 << (at % 8)
		f(at, changed)
		f(at, b[:at])
	}
}

// TestCardsStayInGroupEnvelopes: a message counts only in the kind of envelope that it belongs in.
func TestCardsStayInGroupEnvelopes(t *testing.T) {
	s := newScene(t)
	ann, bob := s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann)
	card := goldenMessages(t, s)[0]
	if _, err := ann.Seal(seeded("nonce"), "a", "b", card); !errors.Is(err, ErrBadMessage) {
		t.Errorf("a card sealed for a pair: %v", err)
	}
	head := append([]byte{KindPair}, ann.own[:]...)
	envelope, err := sealUp(seeded("nonce"), ann.sealing, head, label{KindPair, s.room, "a", "b"}, card)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Open("a", "b", envelope); !errors.Is(err, ErrBadMessage) {
		t.Errorf("a card in an envelope of a pair: %v", err)
	}
	envelope, err = sealUp(seeded("nonce"), s.keys.group, []byte{KindGroup}, label{KindGroup, s.room, "a", "b"}, Wait{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.keys.Open("a", "b", envelope); !errors.Is(err, ErrBadMessage) {
		t.Errorf("a wait in a group envelope: %v", err)
	}
}

func TestPairRefusesKeys(t *testing.T) {
	s := newScene(t)
	for name, public := range badPublicKeys(s.ann) {
		if len(public) != len(PublicKey{}) {
			continue // cannot even be a PublicKey
		}
		if _, err := s.ann.Pair(PublicKey(public), s.secret, s.room); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.ann.Pair(s.bob.Public(), s.secret, "no room"); !errors.Is(err, ErrAddress) {
		t.Errorf("a room with a space: %v", err)
	}
}

func TestHello(t *testing.T) {
	s := newScene(t)
	ann, bob := s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann)
	good := Hello{Attempt: Attempt{1}, Lane: 2, Offerer: Fingerprint{3}, Answerer: Fingerprint{4}}
	mac := ann.HelloMAC(good)
	if err := bob.CheckHello(good, mac); err != nil {
		t.Fatal(err)
	}
	if err := ann.CheckHello(good, mac); !errors.Is(err, ErrHello) {
		t.Errorf("one's own HELLO, come back: %v", err)
	}
	for name, h := range map[string]Hello{
		"another attempt":      {Attempt{2}, 2, Fingerprint{3}, Fingerprint{4}},
		"another lane":         {Attempt{1}, 3, Fingerprint{3}, Fingerprint{4}},
		"another offerer":      {Attempt{1}, 2, Fingerprint{5}, Fingerprint{4}},
		"another answerer":     {Attempt{1}, 2, Fingerprint{3}, Fingerprint{5}},
		"the two certificates": {Attempt{1}, 2, Fingerprint{4}, Fingerprint{3}},
	} {
		if err := bob.CheckHello(h, mac); !errors.Is(err, ErrHello) {
			t.Errorf("%s: %v", name, err)
		}
	}
	everyByte(mac[:], func(at int, changed []byte) {
		if len(changed) == len(mac) && bob.CheckHello(good, [32]byte(changed)) == nil {
			t.Errorf("mac with byte %d changed", at)
		}
	})
}

// TestCheckWords: both sides see the same numbers, another pair sees others.
func TestCheckWords(t *testing.T) {
	s := newScene(t)
	var seen [3][4]uint16
	for i, p := range []Pair{s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann), s.pair(t, s.ann, s.uploader)} {
		check, err := p.Check()
		if err != nil {
			t.Fatal(err)
		}
		seen[i] = check
	}
	if seen[0] != seen[1] || seen[0] == seen[2] {
		t.Errorf("check words %v", seen)
	}
}

func TestRandomSourceFails(t *testing.T) {
	s := newScene(t)
	none := bytes.NewReader(nil)
	_, secretErr := NewSecret(none)
	_, attemptErr := NewAttempt(none)
	_, signerErr := NewSigningKey(none)
	_, agreementErr := NewAgreementKey(bytes.NewReader(make([]byte, 1024))) // zero is no key
	_, envelopeErr := s.pair(t, s.ann, s.bob).Seal(none, "a", "b", Wait{})
	for _, err := range []error{secretErr, attemptErr, signerErr, agreementErr, envelopeErr} {
		if !errors.Is(err, ErrRandom) {
			t.Errorf("%v, want %v", err, ErrRandom)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	s := newScene(f)
	ann, bob := s.pair(f, s.ann, s.bob), s.pair(f, s.bob, s.ann)
	pair, err := ann.Seal(seeded("nonce"), "a", "b", Wait{})
	if err != nil {
		f.Fatal(err)
	}
	group, err := s.keys.Seal(seeded("nonce"), "a", "b", goldenMessages(f, s)[0].(Card))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pair)
	f.Add(group)
	f.Fuzz(func(t *testing.T, envelope []byte) {
		if _, err := bob.Open("a", "b", envelope); err == nil && !bytes.Equal(envelope, pair) {
			t.Error("an envelope that nobody sealed opens")
		}
		if _, err := s.keys.Open("a", "b", envelope); err == nil && !bytes.Equal(envelope, group) {
			t.Error("a group envelope that nobody sealed opens")
		}
	})
}
