package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var tokenErrors = map[error]string{
	nil: "", ErrTokenForm: "form", ErrTokenRoom: "room", ErrTokenKey: "key",
	ErrTokenSignature: "signature", ErrTokenExpired: "expired", ErrTokenRights: "rights",
}

type tokenCase struct {
	name  string
	token SignedToken
	room  string
	k     KeyHash
	now   time.Time
	need  Rights
	want  error
}

// with returns a token with bytes changed after it was signed.
func (s SignedToken) with(at int, b ...byte) SignedToken {
	copy(s[at:], b)
	return s
}

func tokenCases(t testing.TB, s scene) []tokenCase {
	stranger, err := NewSigningKey(seeded("stranger"))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := s.token().Sign(stranger)
	if err != nil {
		t.Fatal(err)
	}
	// The stranger's signature under the uploader's key.
	public := s.signer.Public()
	grafted := forged.with(atKey, public[:]...)
	own := s.token()
	own.Serial, own.Rights = 0, Receive|PassOn|Uploader
	expiring := s.token()
	expiring.Expiry = uint64(s.now.Unix())
	k, good, uploader := s.signer.Public().Hash(), s.sign(t, s.token()), s.sign(t, own)
	long := binary.BigEndian.AppendUint64(nil, 1<<53)
	return []tokenCase{
		{"good", good, s.room, k, s.now, Receive, nil},
		{"good for both", good, s.room, k, s.now, Receive | PassOn, nil},
		{"the uploader's", uploader, s.room, k, s.now, Uploader, nil},
		{"in its last second", good, s.room, k, s.now.Add(time.Hour - time.Second), Receive, nil},
		{"before it was made", good, s.room, k, time.Unix(0, 0), Receive, nil},
		{"expired", good, s.room, k, s.now.Add(time.Hour), Receive, ErrTokenExpired},
		{"expired when made", s.sign(t, expiring), s.room, k, s.now, Receive, ErrTokenExpired},
		{"asked for more than it gives", good, s.room, k, s.now, Uploader, ErrTokenRights},
		{"of another room", good, "another", k, s.now, Receive, ErrTokenRoom},
		{"of another link", good, s.room, KeyHash{1}, s.now, Receive, ErrTokenKey},
		{"signed by a stranger", forged, s.room, k, s.now, Receive, ErrTokenKey},
		{"signed by a stranger in the uploader's name", grafted, s.room, k, s.now, Receive, ErrTokenSignature},
		{"another version", good.with(0, 2), s.room, k, s.now, Receive, ErrTokenForm},
		{"another serial", good.with(atSerial+3, 8), s.room, k, s.now, Receive, ErrTokenSignature},
		{"no serial", good.with(atSerial, 0, 0, 0, 0), s.room, k, s.now, Receive, ErrTokenForm},
		{"longer", good.with(atExpiry+7, 0xff), s.room, k, s.now, Receive, ErrTokenSignature},
		{"far too long", good.with(atExpiry, long...), s.room, k, s.now, Receive, ErrTokenForm},
		{"more rights", good.with(atRights, 7), s.room, k, s.now, Receive, ErrTokenForm},
		{"fewer rights", good.with(atRights, 1), s.room, k, s.now, Receive, ErrTokenSignature},
		{"no rights", good.with(atRights, 0), s.room, k, s.now, Receive, ErrTokenForm},
		{"unknown rights", good.with(atRights, 11), s.room, k, s.now, Receive, ErrTokenForm},
		{"another peer's", good.with(atDH+1, 1), s.room, k, s.now, Receive, ErrTokenSignature},
		{"another certificate's", good.with(atFingerprint, 9), s.room, k, s.now, Receive, ErrTokenSignature},
		{"signature of zeros", good.with(atTokenSignature, make([]byte, 64)...), s.room, k, s.now, Receive, ErrTokenSignature},
		{"nothing", SignedToken{}, s.room, k, s.now, Receive, ErrTokenForm},
	}
}

func TestToken(t *testing.T) {
	s := newScene(t)
	for _, c := range tokenCases(t, s) {
		if _, err := c.token.Verify(c.k, c.room, c.now, c.need); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	want := s.token()
	want.Key = s.signer.Public()
	got, err := s.sign(t, s.token()).Verify(want.Key.Hash(), s.room, s.now, Receive)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestTokenTampered(t *testing.T) {
	s := newScene(t)
	k, good := s.signer.Public().Hash(), s.sign(t, s.token())
	everyByte(good[:], func(at int, changed []byte) {
		if len(changed) != TokenSize {
			return
		}
		if _, err := SignedToken(changed).Verify(k, s.room, s.now, Receive); err == nil {
			t.Errorf("token with byte %d changed is good", at)
		}
	})
}

func TestTokensThatAreNotSigned(t *testing.T) {
	s := newScene(t)
	for name, change := range map[string]func(*Token){
		"no rights":               func(t *Token) { t.Rights = 0 },
		"unknown rights":          func(t *Token) { t.Rights = 8 },
		"the uploader's serial":   func(t *Token) { t.Serial = 0 },
		"the uploader's rights":   func(t *Token) { t.Rights = Uploader },
		"an expiry out of bounds": func(t *Token) { t.Expiry = 1 << 60 },
	} {
		token := s.token()
		change(&token)
		if _, err := token.Sign(s.signer); !errors.Is(err, ErrTokenForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignature(t *testing.T) {
	s := newScene(t)
	key := s.signer.Public()
	signature, err := s.signer.Sign([]byte("mess"), []byte("age"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(key, signature, []byte("m"), []byte("essage")); err != nil {
		t.Error("the parts of a message matter:", err)
	}
	if err := Verify(key, signature, []byte("massage")); !errors.Is(err, ErrSignature) {
		t.Errorf("another message: %v", err)
	}
	if err := Verify(s.ann.Public(), signature, []byte("message")); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := Verify(PublicKey{4}, signature, []byte("message")); !errors.Is(err, ErrKey) {
		t.Errorf("no key: %v", err)
	}
	for _, b := range []byte{0, 0xff} {
		if err := Verify(key, Signature(bytes.Repeat([]byte{b}, 64)), []byte("message")); !errors.Is(err, ErrSignature) {
			t.Errorf("signature of %#x: %v", b, err)
		}
	}
	kept, err := s.signer.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseSigningKey(kept)
	if err != nil || again.Public() != key {
		t.Errorf("a kept key came back as another: %v", err)
	}
}

func FuzzToken(f *testing.F) {
	s := newScene(f)
	k, good := s.signer.Public().Hash(), s.sign(f, s.token())
	f.Add(good[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		var token SignedToken
		copy(token[:], b)
		if _, err := token.Verify(k, s.room, s.now, Receive); err == nil && token != good {
			t.Error("a token that nobody signed is good")
		}
	})
}
