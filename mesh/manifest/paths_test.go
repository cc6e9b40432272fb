package manifest_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/meshtest"
)

// pathsFile is mesh/testdata/paths.json.
type pathsFile struct {
	About string      `json:"about"`
	Good  []string    `json:"good"`
	Bad   []badPath   `json:"bad"`
	Same  [][2]string `json:"same"`
	Apart [][2]string `json:"apart"`
	Clash []clash     `json:"clash"`
}

type badPath struct {
	Path string `json:"path"`
	Rule string `json:"rule"`
}

// clash is two paths of one manifest of which Path breaks a rule beside Other.
type clash struct {
	Paths []string `json:"paths"`
	Path  string   `json:"path"`
	Other string   `json:"other"`
	Rule  string   `json:"rule"`
}

func paths() pathsFile {
	return pathsFile{
		About: "Single paths, good and bad by one rule; pairs that are the same after case folding, whether good or not; pairs that do well together, and paths that do not. " +
			"A path that ends in a slash is an empty folder.",
		Good: []string{
			"a", "a.txt", ".hidden", "..a", "...a", "a..b", "a/b/c", "folder/", "a/folder/", "with space", " leading space", "a/ b",
			"ünïcödé/日本語.txt", "\ufeffmark.txt", "zero\u200bwidth", "family 👨\u200d👩\u200d👧", "two\u2028lines", "é", "ﬁ",
			"con1", "console.txt", "xcon", "com", "com10", "lpt", "lptx", "com⁴", "nul1.txt", "conin", "conout$x", "aux-in", "ıAUX", "COM\u0661",
			"%2e%2e", "~", "$HOME", "-rf", "a'b", "a;b", "a&b", "[1]", "{}", "a=b,c@d#e!f^g`h",
			strings.Repeat("x", 255), strings.Repeat("ü", 127) + "x",
			strings.Repeat(strings.Repeat("x", 255)+"/", 4), strings.Repeat("a/", 511) + "bc",
		},
		Bad: []badPath{
			{"", "empty part"}, {"a//b", "empty part"}, {"a//", "empty part"},
			{"/", "absolute"}, {"/a", "absolute"}, {"//server/share", "absolute"},
			{".", "dot part"}, {"..", "dot part"}, {"./a", "dot part"}, {"a/..", "dot part"}, {"a/../b", "dot part"}, {"a/./b", "dot part"}, {"../", "dot part"},
			{strings.Repeat("x", 256), "part too long"}, {strings.Repeat("ü", 128), "part too long"}, {"a/" + strings.Repeat("x", 256) + "/b", "part too long"},
			{strings.Repeat("a/", 511) + "bcd", "too long"}, {strings.Repeat("a/", 512) + "/", "too long"}, {strings.Repeat("x", 5000), "too long"},
			{"u\u0308", "not NFC"}, {"\u212b", "not NFC"}, {"a/\u1100\u1161", "not NFC"}, {"\u0344", "not NFC"},
			{"a\x00b", "control character"}, {"\x1b[31m", "control character"}, {"a\tb", "control character"}, {"a\nb", "control character"},
			{"a\x7f", "control character"}, {"a\u0085b", "control character"}, {"a\u009bb", "control character"},
			{"a\u061cb", "bidi control"}, {"a\u200eb", "bidi control"}, {"a\u200fb", "bidi control"}, {"a\u202ab", "bidi control"}, {"a\u202bb", "bidi control"},
			{"a\u202cb", "bidi control"}, {"a\u202db", "bidi control"}, {"photo\u202egpj.exe", "bidi control"}, {"a\u2066b", "bidi control"},
			{"a\u2067b", "bidi control"}, {"a\u2068b", "bidi control"}, {"a\u2069b", "bidi control"},
			{`a\b`, "forbidden character"}, {`..\a`, "forbidden character"}, {"C:", "forbidden character"}, {"a:b", "forbidden character"}, {"a<b", "forbidden character"},
			{"a>b", "forbidden character"}, {`a"b`, "forbidden character"}, {"a|b", "forbidden character"}, {"a?b", "forbidden character"}, {"a*b", "forbidden character"},
			{"a.", "dot or space at the end"}, {"a ", "dot or space at the end"}, {"...", "dot or space at the end"}, {" ", "dot or space at the end"},
			{"a./b", "dot or space at the end"}, {"a /b", "dot or space at the end"}, {"a. /", "dot or space at the end"},
			{"CON", "device name"}, {"con", "device name"}, {"Prn", "device name"}, {"AUX", "device name"}, {"nul", "device name"}, {"NUL.txt", "device name"},
			{"nul.tar.gz", "device name"}, {"con .txt", "device name"}, {"COM0", "device name"}, {"com9", "device name"}, {"lpt0", "device name"}, {"LPT9.x", "device name"},
			{"COM¹", "device name"}, {"com².txt", "device name"}, {"lpt³", "device name"}, {"CONIN$", "device name"}, {"conout$", "device name"},
			{"a/con/b", "device name"}, {"con/", "device name"}, {"aux.c/x", "device name"},
		},
		Same: [][2]string{
			{"A/b.TXT", "a/b.txt"}, {"Folder/", "folder"}, {"STRASSE", "straße"}, {"STRAẞE", "Straße"}, {"ΣΊΣΥΦΟΣ", "Σίσυφος"}, {"σ", "ς"}, {"ﬁ", "FI"}, {"ﬀ", "ﬀ"},
			{"K", "k"}, {"\u212a", "k"}, {"İ", "i\u0307"}, {"ſ", "S"}, {"µ", "Μ"}, {"ŉ", "ʼN"}, {"ǰ", "J\u030c"}, {"\u0390", "\u1fd3"}, {"ᾼ", "αΙ"}, {"ᾳ", "ᾼ"},
			{"ᏸ", "Ᏸ"}, {"Ꭰ", "ꭰ"}, {"Ǆ", "ǅ"}, {"ǆ", "ǅ"}, {"\u2126", "ω"}, {"Ⅷ", "ⅷ"}, {"Ⓐ", "ⓐ"}, {"Ａ", "ａ"}, {"𐐀", "𐐨"}, {"ϐ", "Β"}, {"ẛ", "Ṡ"},
			{"Ӏ", "ӏ"}, {"և", "ԵՒ"}, {"ẖ", "H\u0331"}, {"ᲀ", "В"}, {"ꙋ", "Ꙋ"}, {"Ა", "ა"}, {"ΐ", "Ϊ\u0301"},
		},
		Apart: [][2]string{
			{"a", "b"}, {"a/b", "a/c"}, {"a", "ab"}, {"a", "a b/c"}, {"a", "a-b/c"}, {"a/", "a/b"}, {"A/b", "a/c"}, {"ı", "i"}, {"a", "á"}, {"ö", "oe"}, {"a.b", "a/b"}, {"ı", "I"}, {"Ꭰ", "Ꭱ"},
		},
		Clash: []clash{
			{[]string{"a", "a"}, "a", "a", "duplicate"}, {[]string{"a", "A"}, "A", "a", "duplicate"}, {[]string{"x/Y", "z", "X/y"}, "X/y", "x/Y", "duplicate"},
			{[]string{"straße", "STRASSE"}, "STRASSE", "straße", "duplicate"}, {[]string{"σ", "ς"}, "ς", "σ", "duplicate"}, {[]string{"a/", "a/"}, "a/", "a/", "duplicate"},
			{[]string{"a", "a/"}, "a/", "a", "duplicate"},
			{[]string{"a", "a/b"}, "a", "a/b", "file as folder"}, {[]string{"a/b", "a"}, "a", "a/b", "file as folder"}, {[]string{"A", "a/b"}, "A", "a/b", "file as folder"},
			{[]string{"a", "a b", "a-b", "a!/x", "a/b/c/d"}, "a", "a/b/c/d", "file as folder"}, {[]string{"a/b", "a/b/c/"}, "a/b", "a/b/c/", "file as folder"},
		},
	}
}

func entries(paths ...string) []manifest.File {
	files := make([]manifest.File, len(paths))
	for i, path := range paths {
		files[i].Path = path
	}
	return files
}

func TestGoldenPaths(t *testing.T) {
	meshtest.Golden(t, "paths.json", paths())
	var kept pathsFile
	meshtest.Read(t, "paths.json", &kept)
	for _, path := range kept.Good {
		if err := manifest.CheckPath(path); err != nil {
			t.Errorf("%v", err)
		}
	}
	for _, bad := range kept.Bad {
		checkPathError(t, manifest.CheckPath(bad.Path), manifest.PathError{Path: bad.Path, Rule: manifest.Rule(bad.Rule)})
	}
	for _, pair := range kept.Same {
		if a, b := manifest.FoldPath(pair[0]), manifest.FoldPath(pair[1]); a != b {
			t.Errorf("%q folds to %q, %q to %q", pair[0], a, pair[1], b)
		}
	}
	for _, pair := range kept.Apart {
		if err := manifest.CheckPaths(entries(pair[0], pair[1])); err != nil {
			t.Errorf("%v", err)
		}
		if err := manifest.CheckPaths(entries(pair[1], pair[0])); err != nil {
			t.Errorf("the other way round: %v", err)
		}
	}
	for _, c := range kept.Clash {
		checkPathError(t, manifest.CheckPaths(entries(c.Paths...)), manifest.PathError{Path: c.Path, Rule: manifest.Rule(c.Rule), Other: c.Other})
	}
}

func checkPathError(t *testing.T, err error, want manifest.PathError) {
	t.Helper()
	var got *manifest.PathError
	if !errors.As(err, &got) || *got != want || !errors.Is(err, want.Rule) {
		t.Errorf("%q: %v, want %q", want.Path, err, want.Rule)
	}
}

func TestFoldPath(t *testing.T) {
	for path, want := range map[string]string{
		"A/b.TXT": "a/b.txt", "Folder/": "folder", "Straße": "strasse", "ΣΊΣΥΦΟΣ": "σίσυφοσ", "ﬁ": "fi", "İ": "i\u0307", "ı": "ı", "ᾳ": "αι",
		"Ꭰ": "Ꭰ", "ꭰ": "Ꭰ", "ᏸ": "Ᏸ", "Ᏸ": "Ᏸ", "ǰ": "ǰ", "J\u030c": "ǰ",
	} {
		if got := manifest.FoldPath(path); got != want {
			t.Errorf("%q folds to %q, want %q", path, got, want)
		}
	}
}

// All letters that Unicode's simple folding takes for one, Go's own tables say, fold to the same.
func TestFoldPathOfAllLetters(t *testing.T) {
	for r := range unicode.MaxRune {
		other := unicode.SimpleFold(r)
		if other == r {
			continue
		}
		if a, b := manifest.FoldPath(string(r)), manifest.FoldPath(string(other)); a != b {
			t.Errorf("%U folds to %q, %U to %q", r, a, other, b)
		}
	}
}

func TestPathIsNotUTF8(t *testing.T) {
	checkPathError(t, manifest.CheckPath("a\xff"), manifest.PathError{Path: "a\xff", Rule: manifest.NotUTF8})
}

// What is shown to a person says what to do, shows no character that does harm, and is no book.
func TestPathErrorText(t *testing.T) {
	for _, bad := range paths().Bad {
		text := manifest.CheckPath(bad.Path).Error()
		if len(text) > 1200 || !utf8.ValidString(text) || !strings.Contains(text, ": ") ||
			strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Errorf("%q", text)
		}
	}
	text := manifest.CheckPaths(entries("a", "A")).Error()
	if !strings.Contains(text, `"a"`) || !strings.Contains(text, `"A"`) {
		t.Errorf("%q names not both", text)
	}
}

// FuzzPath: a path that is taken can be joined to a folder without leaving it, on any system.
func FuzzPath(f *testing.F) {
	for _, path := range paths().Good {
		f.Add(path)
	}
	for _, bad := range paths().Bad {
		f.Add(bad.Path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if manifest.CheckPath(path) != nil {
			return
		}
		if !utf8.ValidString(path) || len(path) > 1024 || strings.ContainsAny(path, "\x00\\:*?\"<>|\n\r") {
			t.Fatalf("%q is taken", path)
		}
		for part := range strings.SplitSeq(strings.TrimSuffix(path, "/"), "/") {
			if part == "" || strings.Trim(part, ".") == "" || len(part) > 255 || strings.TrimRight(part, " .") != part {
				t.Fatalf("%q is taken with the part %q", path, part)
			}
		}
		if folded := manifest.FoldPath(path); manifest.FoldPath(folded) != folded {
			t.Fatalf("%q folds to %q, and that to %q", path, folded, manifest.FoldPath(folded))
		}
	})
}

// FuzzCollisions: the neighbours in order find what comparing all with all finds.
func FuzzCollisions(f *testing.F) {
	f.Add("a\na/b\nc")
	f.Add("a\nA\na!/b\na/c")
	f.Add("a/b\na/\nA/c")
	f.Fuzz(func(t *testing.T, lines string) {
		files := entries(strings.Split(lines, "\n")...)
		if len(files) > 50 {
			return
		}
		for _, file := range files {
			if manifest.CheckPath(file.Path) != nil {
				return
			}
		}
		if err := manifest.CheckPaths(files); (err != nil) != collides(files) {
			t.Fatalf("%v", err)
		}
	})
}

// collides compares all with all.
func collides(files []manifest.File) bool {
	for i, a := range files {
		for j, b := range files {
			keyA, keyB := manifest.FoldPath(a.Path), manifest.FoldPath(b.Path)
			if i != j && (keyA == keyB || !a.Folder() && strings.HasPrefix(keyB, keyA+"/")) {
				return true
			}
		}
	}
	return false
}
