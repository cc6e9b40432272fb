package page

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReplace(t *testing.T) {
	const two = "# Page\n\n<!-- a: begin -->\nold\n<!-- a: end -->\n\nbetween\n<!-- b: begin -->\n<!-- b: end -->\nlast\n"
	for _, c := range []struct {
		name, page, section, body, want string
		err                             error
	}{
		{"the first of two", two, "a", "new\n\n", strings.Replace(two, "old", "new", 1), nil},
		{"an empty one", two, "b", "x", strings.Replace(two, "<!-- b: end", "x\n<!-- b: end", 1), nil},
		{"not there", two, "c", "x", "", ErrNoMarkers},
		{"no end", "<!-- a: begin -->\ntext\n", "a", "x", "", ErrNoMarkers},
		{"end before begin", "<!-- a: end -->\n<!-- a: begin -->\n", "a", "x", "", ErrNoMarkers},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Replace(c.page, c.section, c.body)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// The second writing changes nothing, and each leaves the other's section alone.
func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("<!-- a: begin -->\n<!-- a: end -->\n<!-- b: begin -->\n<!-- b: end -->\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, s := range []string{"a", "b"} {
			if err := Write(file, s, "text of "+s); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := os.ReadFile(file)
	want := "<!-- a: begin -->\ntext of a\n<!-- a: end -->\n<!-- b: begin -->\ntext of b\n<!-- b: end -->\n"
	if err != nil || string(b) != want {
		t.Errorf("%q, %v", b, err)
	}
}

// The commands find their sections on the page as it is committed.
func TestThePageHasTheSections(t *testing.T) {
	b, err := os.ReadFile("../../docs/BENCHMARKS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"bench", "prove"} {
		if _, err := Replace(string(b), section, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestTable(t *testing.T) {
	got := Table([]string{"a", "b"}, [][]string{{"1", "x|y"}, {"2"}, {"3", "two\nlines", "too many"}})
	want := "| a | b |\n|---|---|\n| 1 | x\\|y |\n| 2 |  |\n| 3 | two lines |\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestMeasured(t *testing.T) {
	got := Measured(time.Date(2026, 11, 26, 0, 24, 9, 0, time.UTC), 115400*time.Millisecond)
	if got != "Measured on 26 November 2026, 00:24 UTC, in 1m55s.\n\n" {
		t.Error(got)
	}
}

func TestMachine(t *testing.T) {
	text := Machine(t.Context())
	if !strings.HasPrefix(text, "- ") || !strings.Contains(text, " cores, ") || !strings.HasSuffix(text, "\n") {
		t.Errorf("%q", text)
	}
}
