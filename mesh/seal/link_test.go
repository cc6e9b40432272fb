package seal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const goodLink = "https://files.example.org/f/q1fWtdUkFzvGxmW8mVQnDg#v1.AAECAwQFBgcICQoLDA0ODw.8PHy8_T19vf4-fr7_P3-_w"

var goodLinks = []string{
	goodLink,
	"http://localhost:8080/f/a#v1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA",
	"https://[2001:db8::7]:8443/f/holiday_2026-11#v1." + strings.Repeat("_", 21) + "w." + strings.Repeat("-", 21) + "w",
	"  " + goodLink + "\n",
}

var linkErrors = map[error]string{
	ErrNotLink: "not a link", ErrLinkCut: "cut", ErrLinkVersion: "version", ErrLinkDamaged: "damaged",
}

var badLinks = []struct {
	text string
	want error
}{
	{"", ErrNotLink},
	{"7-acorn-piano-zebra", ErrNotLink},
	{"https://files.example.org/", ErrNotLink},
	{"https://files.example.org/w/q1fWtdUkFzvGxmW8mVQnDg", ErrNotLink},
	{strings.Replace(goodLink, "https", "ftp", 1), ErrNotLink},
	{strings.Replace(goodLink, "https", "httqs", 1), ErrNotLink},
	{strings.Replace(goodLink, "://", ":/", 1), ErrNotLink},
	{strings.Replace(goodLink, "files.", "me:pw@files.", 1), ErrNotLink},
	{strings.Replace(goodLink, "/f/", "/g/", 1), ErrNotLink},
	{strings.Replace(goodLink, "#", "?a#", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "#", "?#", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "q1f", "q%31f", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "q1f", "q1/f", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "#", "/#", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "q1fWtdUkFzvGxmW8mVQnDg", "", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "q1fWtdUkFzvGxmW8mVQnDg", strings.Repeat("a", 65), 1), ErrLinkDamaged},
	{strings.Replace(goodLink, ".org", ".org:", 1), ErrLinkDamaged},
	{goodLink[:strings.Index(goodLink, "#")], ErrLinkCut},
	{goodLink[:len(goodLink)-1], ErrLinkCut},
	{goodLink + ".", ErrLinkCut},
	{goodLink + "a", ErrLinkCut},
	{goodLink[:strings.LastIndex(goodLink, ".")], ErrLinkCut},
	{strings.Replace(goodLink, "v1", "v2", 1), ErrLinkVersion},
	{strings.Replace(goodLink, "v1", "v", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "v1", "V1", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "v1.", "", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "ODw.", "ODx.", 1), ErrLinkDamaged}, // spare bits
	{goodLink[:len(goodLink)-1] + "x", ErrLinkDamaged},             // spare bits
	{strings.Replace(goodLink, "AAEC", "AA+C", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "AAEC", "AA=C", 1), ErrLinkDamaged},
	{strings.Replace(goodLink, "AAEC", "AA\nC", 1), ErrLinkDamaged},
}

func TestLink(t *testing.T) {
	for _, text := range goodLinks {
		l, err := ParseLink(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := l.String(); got != strings.TrimSpace(text) {
			t.Errorf("%q came back as %q", text, got)
		}
	}
	for _, bad := range badLinks {
		if l, err := ParseLink(bad.text); !errors.Is(err, bad.want) {
			t.Errorf("%q: %+v, %v, want %v", bad.text, l, err, bad.want)
		}
	}
}

// TestLinkWithOneCharacterChanged: no change of one character is taken for the same link.
func TestLinkWithOneCharacterChanged(t *testing.T) {
	whole, err := ParseLink(goodLink)
	if err != nil {
		t.Fatal(err)
	}
	const others = "\x00\n #%&+-./0129:=?@AZ_afz~é"
	for i := range goodLink {
		for _, r := range others {
			check(t, whole, goodLink[:i]+string(r)+goodLink[i+1:]) // changed
			check(t, whole, goodLink[:i]+string(r)+goodLink[i:])   // put in
		}
		check(t, whole, goodLink[:i]+goodLink[i+1:]) // left out
	}
}

func check(t *testing.T, whole Link, text string) {
	t.Helper()
	same := strings.TrimSpace(text) == goodLink // a space round it, or the character that was there
	if l, err := ParseLink(text); err == nil && l == whole && !same {
		t.Errorf("%q is taken for the whole link", text)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	s := newScene(t)
	for _, v := range []fmt.Stringer{s.secret, s.keys, s.signer, s.uploader, s.pair(t, s.ann, s.bob)} {
		if text := v.String(); !strings.HasPrefix(text, "(") || strings.ContainsAny(text, "0123456789[") {
			t.Errorf("%T prints as %q", v, text)
		}
	}
}

func FuzzLink(f *testing.F) {
	for _, text := range goodLinks {
		f.Add(text)
	}
	for _, bad := range badLinks {
		f.Add(bad.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLink(text)
		if err != nil {
			return
		}
		if again, err := ParseLink(l.String()); err != nil || again != l {
			t.Errorf("%q: %+v came back as %+v, %v", text, l, again, err)
		}
	})
}
