package token

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestKeysAreLongAndTellWhatTheyAre(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		for prefix, key := range map[string]string{
			PublishKeyPrefix: NewPublishKey(), StreamKeyPrefix: NewStreamKey(), "": NewName(),
		} {
			rest, ok := strings.CutPrefix(key, prefix)
			raw, err := base64.RawURLEncoding.DecodeString(rest)
			if !ok || err != nil || len(raw) < 16 || seen[key] {
				t.Fatalf("key %q: %d bytes of randomness, error %v, seen %v", key, len(raw), err, seen[key])
			}
			seen[key] = true
		}
	}
	if n := len(NewName()); n != 22 {
		t.Errorf("a name has %d characters, want 22", n)
	}
}

func TestHash(t *testing.T) {
	a, b := HashKey("a"), HashKey("b")
	if a.Equal(b) || !a.Equal(HashKey("a")) || a.IsZero() || !(Hash{}).IsZero() {
		t.Error("comparison is wrong")
	}
	text, _ := a.MarshalText()
	var back Hash
	if err := back.UnmarshalText(text); err != nil || back != a {
		t.Errorf("round trip: %v %v", back, err)
	}
	for _, bad := range []string{"", "12", strings.Repeat("x", 64)} {
		if err := back.UnmarshalText([]byte(bad)); !errors.Is(err, errBadHash) {
			t.Errorf("UnmarshalText(%q) = %v", bad, err)
		}
	}
}

func sample(now time.Time) Capability {
	return Capability{
		Kind: KindMedia, Role: RoleSubscriber, Room: "stream", Stream: "demo", Endpoint: NewID(), Viewer: "v",
		Proof: HashKey("k"), Expires: now.Add(time.Minute).Truncate(time.Second),
	}
}

func TestCapabilityRoundTrip(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := NewSigner(NewSecret())
	want := sample(now)
	text, err := s.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Open(text, KindMedia, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		signer Signer
		kind   Kind
		now    time.Time
		want   error
	}{
		"another server": {NewSigner(NewSecret()), KindMedia, now, ErrBadCapability},
		"another kind":   {s, KindResume, now, ErrBadCapability},
		"at its expiry":  {s, KindMedia, want.Expires, ErrExpired},
	} {
		if _, err := c.signer.Open(text, c.kind, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestEveryChangedByteIsRefused(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := NewSigner(NewSecret())
	text, err := s.Sign(sample(now))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	for i := range raw {
		raw[i] ^= 1
		if _, err := s.Open(base64.RawURLEncoding.EncodeToString(raw), KindMedia, now); !errors.Is(err, ErrBadCapability) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		raw[i] ^= 1
	}
}

func TestLongFieldIsRefused(t *testing.T) {
	if _, err := NewSigner(nil).Sign(Capability{Stream: strings.Repeat("x", 256)}); !errors.Is(err, ErrField) {
		t.Errorf("got %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	s := NewSigner(make([]byte, SecretSize))
	good, err := s.Sign(Capability{Kind: KindMedia, Stream: "demo", Expires: now.Add(time.Hour)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("")
	f.Add(strings.Repeat("A", 200))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := s.Open(text, KindMedia, now)
		if err != nil {
			return
		}
		if again, err := s.Sign(c); err != nil || again != text {
			t.Errorf("%q opens, but signs again as %q (%v)", text, again, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{capabilityVersion, 1, 1})
	f.Add(append([]byte{capabilityVersion, 1, 1}, make([]byte, 44)...))
	longest := append([]byte{capabilityVersion, 1, 1}, make([]byte, 40)...)
	f.Add(append(append(longest, 255), make([]byte, 258)...))
	f.Fuzz(func(_ *testing.T, b []byte) { parse(b) })
}
