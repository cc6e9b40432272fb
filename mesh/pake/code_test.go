package pake

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestWordList(t *testing.T) {
	if len(words) != 1<<wordBits {
		t.Fatalf("%d words", len(words))
	}
	if !slices.IsSorted(words) || strings.Join(words, "\n")+"\n" != wordsFile {
		t.Error("the file is not one word a line in the order of the alphabet")
	}
	form, starts := regexp.MustCompile(`^[a-z]{4,7}$`), map[string]string{}
	for _, word := range words {
		if !form.MatchString(word) {
			t.Errorf("%q is not of 4 to 7 letters", word)
			continue
		}
		if other, taken := starts[word[:4]]; taken {
			t.Errorf("%q and %q begin alike", word, other)
		}
		starts[word[:4]] = word
	}
	for i, a := range words {
		for _, b := range words[:i] {
			if gap := len(a) - len(b); -1 <= gap && gap <= 1 && slips(a, b) < 2 {
				t.Errorf("one wrong letter turns %q into %q", a, b)
			}
		}
	}
}

func TestSlips(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"acorn", "acorn", 0}, {"acorn", "corn", 1}, {"acorn", "acorns", 1},
		{"acorn", "akorn", 1}, {"acorn", "caorn", 2}, {"kitten", "sitting", 3}, {"abc", "xyz", 3},
	} {
		if got := slips(tt.a, tt.b); got != tt.want {
			t.Errorf("%q → %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// goodCodes are ways to type one code.
var goodCodes = []string{
	"7-acorn-piano-zebra", "7 acorn piano zebra", " 7-Acorn-PIANO-zebra\n", "7–acorn—piano−zebra", "007 - acorn, piano. zebra",
	"7_acorn_piano_zebra", "7\u00a0acorn\u2011piano\u2003zebra",
}

var badCodes = []struct{ text, nearest string }{
	{"", ""}, {"7", ""}, {"acorn-piano-zebra", ""}, {"7-acorn-piano", ""}, {"7-acorn-piano-zebra-acorn", ""}, {"7acorn-piano-zebra", ""},
	{"seven-acorn-piano-zebra", ""}, {"+7-acorn-piano-zebra", ""}, {"4294967296-acorn-piano-zebra", ""}, {"7-acorn/piano-zebra", ""},
	{"7-akorn-piano-zebra", "acorn"}, {"7-acorn-pian-zebra", "piano"}, {"7-acorn-piano-zzzebra", "zebra"},
	{"7-acorn-piano-qqqqqqqqqq", ""}, {"7-acorn-piano-zébra", "zebra"}, {"7-acorn-" + strings.Repeat("a", 200) + "-zebra", ""},
}

func TestCode(t *testing.T) {
	for _, text := range goodCodes {
		if c, err := ParseCode(text); err != nil || c.String() != "7-acorn-piano-zebra" || c.Number() != 7 {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
	for _, bad := range badCodes {
		_, err := ParseCode(bad.text)
		var unknown *UnknownWordError
		if !errors.Is(err, ErrCode) || errors.As(err, &unknown) && unknown.Nearest != bad.nearest || unknown == nil && bad.nearest != "" {
			t.Errorf("%q: %v", bad.text, err)
		}
		if bad.nearest != "" && !strings.Contains(err.Error(), bad.nearest) {
			t.Errorf("%q: %q does not name %q", bad.text, err, bad.nearest)
		}
	}
}

func TestNewCode(t *testing.T) {
	for _, tt := range []struct {
		random []byte
		want   string
	}{
		{[]byte{0, 0, 0, 0}, "1-abacus-abacus-abacus"},
		{[]byte{0, 0, 0, 3}, "1-abacus-abacus-abacus"}, // two bits are not used
		{[]byte{0xff, 0xff, 0xff, 0xff}, "1-zoom-zoom-zoom"},
		{[]byte{0, 0x40, 0x20, 0x0c}, "1-absorb-acorn-across"},
	} {
		if c, err := NewCode(1, bytes.NewReader(tt.random)); err != nil || c.String() != tt.want {
			t.Errorf("%x: %v, %v", tt.random, c, err)
		}
	}
	if _, err := NewCode(1, bytes.NewReader(nil)); !errors.Is(err, ErrRandom) {
		t.Errorf("no random bytes: %v", err)
	}
}

func FuzzCode(f *testing.F) {
	for _, text := range goodCodes {
		f.Add(text)
	}
	for _, bad := range badCodes {
		f.Add(bad.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCode(text)
		if err != nil {
			if !errors.Is(err, ErrCode) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again, err := ParseCode(c.String()); err != nil || again != c {
			t.Errorf("%q: %v came back as %v, %v", text, c, again, err)
		}
	})
}
