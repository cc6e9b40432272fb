package lite

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCredentials(t *testing.T) {
	a, b := NewCredentials(), NewCredentials()
	if !a.Valid() || !b.Valid() || a.Ufrag == b.Ufrag || a.Pwd == b.Pwd || len(a.Ufrag) != 12 || len(a.Pwd) != 32 {
		t.Errorf("made %v and %v", a, b)
	}
	good := strings.Repeat("p", 22)
	for _, c := range []Credentials{
		{}, {"abc", good}, {"abcd", good[1:]}, {"ab:d", good}, {"abc\n", good},
		{strings.Repeat("u", 257), good}, {"abcd", strings.Repeat("p", 257)}, {"abcd", good + "é"},
	} {
		if c.Valid() {
			t.Errorf("%v is valid", c)
		}
	}
	if !(Credentials{"a+/9", good}).Valid() {
		t.Error("a good one is not valid")
	}
}

func TestFingerprints(t *testing.T) {
	cert, err := NewCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	der := cert.Certificate[0]
	of := func(name string) Fingerprint { return Fingerprint{name, hashCertificate(name, der)} }
	wrong := sha256.Sum256(nil)
	for name, r := range map[string]struct {
		offered []Fingerprint
		want    bool
	}{
		"none":                      {nil, false},
		"sha-256":                   {[]Fingerprint{of("sha-256")}, true},
		"sha-384":                   {[]Fingerprint{of("sha-384")}, true},
		"sha-512":                   {[]Fingerprint{of("sha-512")}, true},
		"wrong":                     {[]Fingerprint{{"sha-256", wrong[:]}}, false},
		"two, second right":         {[]Fingerprint{{"sha-256", wrong[:]}, of("sha-256")}, true},
		"strong wrong, weak right":  {[]Fingerprint{{"sha-512", make([]byte, 64)}, of("sha-256")}, false},
		"strong right, weak wrong":  {[]Fingerprint{{"sha-256", wrong[:]}, of("sha-384")}, true},
		"unknown function, nothing": {[]Fingerprint{{"md5", nil}}, false},
	} {
		if got := matchFingerprint(der, r.offered); got != r.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	back, err := ParseFingerprint(of("sha-384").String())
	if err != nil || back.String() != of("sha-384").String() {
		t.Errorf("%v, %v", back, err)
	}
}

func TestParseFingerprint(t *testing.T) {
	good := "sha-256 " + strings.TrimSuffix(strings.Repeat("aB:", 32), ":")
	if f, err := ParseFingerprint(" SHA-256" + good[7:] + "\r"); err != nil || f.Algorithm != "sha-256" || f.Value[31] != 0xAB {
		t.Errorf("%v, %v", f, err)
	}
	for _, text := range []string{
		"", "sha-256", "sha-1 " + strings.Repeat("aa:", 19) + "aa", good[:len(good)-1], good + ":aa",
		strings.Replace(good, ":", "-", 1), strings.Replace(good, "aB", "xx", 1), strings.Replace(good, "sha-256", "md5", 1),
	} {
		if _, err := ParseFingerprint(text); !errors.Is(err, ErrBadFingerprint) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseFingerprint(f *testing.F) {
	f.Add("sha-256 " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":"))
	f.Add("sha-512 00")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseFingerprint(text)
		if err != nil {
			return
		}
		if back, err := ParseFingerprint(p.String()); err != nil || back.String() != p.String() {
			t.Errorf("%q became %v, %v", text, back, err)
		}
	})
}
