package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Limits of a path in bytes of UTF-8.
const (
	MaxPath = 1024
	MaxPart = 255
)

// Rule is a rule for paths (docs/MESH.md, section 5). As an error it says that the rule is broken; its
// text is the name that the golden files and both programs use.
type Rule string

// The rules in the order in which a path is held to them. The first ones are about the whole path,
// those from EmptyPart on about each part; the last three about a path among the others.
const (
	NotUTF8       Rule = "not UTF-8"
	Absolute      Rule = "absolute"
	TooLong       Rule = "too long"
	NotNFC        Rule = "not NFC"
	EmptyPart     Rule = "empty part"
	DotPart       Rule = "dot part"
	PartTooLong   Rule = "part too long"
	ControlChar   Rule = "control character"
	BidiControl   Rule = "bidi control"
	ForbiddenChar Rule = "forbidden character"
	BadEnding     Rule = "dot or space at the end"
	DeviceName    Rule = "device name"
	FolderSize    Rule = "folder with a size"
	Duplicate     Rule = "duplicate"
	FileAsFolder  Rule = "file as folder"
)

var advice = map[Rule]string{
	NotUTF8:       "the name is not valid UTF-8: rename it",
	Absolute:      "the path begins with a slash: share it relative to a folder",
	TooLong:       "the path is longer than 1024 bytes: share a folder further down, or shorten names",
	NotNFC:        "the name is not in Unicode's composed form (NFC): convert it",
	EmptyPart:     "a part of the path is empty: take out the extra slash",
	DotPart:       "a part of the path is . or ..: share the files by their plain names",
	PartTooLong:   "a name is longer than 255 bytes: shorten it",
	ControlChar:   "a name holds a control character, such as a line break: rename it",
	BidiControl:   "a name holds a character that turns the direction of writing: rename it",
	ForbiddenChar: `a name holds one of \ : < > " | ? *, which not every system can store: rename it`,
	BadEnding:     "a name ends in a dot or a space, which not every system can store: rename it",
	DeviceName:    "a name is one that Windows keeps for a device: rename it",
	FolderSize:    "an empty folder has a size",
	Duplicate:     "another path is the same but for upper and lower case: rename one of them",
	FileAsFolder:  "another file's path needs this one to be a folder: rename one of them",
}

func (r Rule) Error() string { return string(r) }

// PathError tells which path breaks which Rule. errors.Is finds the rule.
type PathError struct {
	Path  string
	Rule  Rule
	Other string // the other path, for Duplicate and FileAsFolder
}

// Error says what to do. It quotes the paths, so that no character of theirs does harm in a terminal,
// and cuts very long ones.
func (e *PathError) Error() string {
	if e.Other != "" {
		return fmt.Sprintf("%s: %s (the other is %s)", quote(e.Path), advice[e.Rule], quote(e.Other))
	}
	return fmt.Sprintf("%s: %s", quote(e.Path), advice[e.Rule])
}

func quote(path string) string {
	const shown = 200
	if len(path) <= shown {
		return fmt.Sprintf("%q", path)
	}
	return fmt.Sprintf("%q…", strings.ToValidUTF8(path[:shown], ""))
}

// Unwrap gives the rule.
func (e *PathError) Unwrap() error { return e.Rule }

// CheckPath holds one path to the rules; a single "/" at the end marks an empty folder and is no part.
// The error is a *PathError.
func CheckPath(path string) error {
	rule := wholeRule(path)
	if rule == "" {
		for part := range strings.SplitSeq(strings.TrimSuffix(path, "/"), "/") {
			if rule = partRule(part); rule != "" {
				break
			}
		}
	}
	if rule != "" {
		return &PathError{Path: path, Rule: rule}
	}
	return nil
}

func wholeRule(path string) Rule {
	switch {
	case !utf8.ValidString(path):
		return NotUTF8
	case strings.HasPrefix(path, "/"):
		return Absolute
	case len(path) > MaxPath:
		return TooLong
	case !norm.NFC.IsNormalString(path):
		return NotNFC
	}
	return ""
}

func partRule(part string) Rule {
	switch {
	case part == "":
		return EmptyPart
	case part == "." || part == "..":
		return DotPart
	case len(part) > MaxPart:
		return PartTooLong
	case strings.ContainsFunc(part, unicode.IsControl):
		return ControlChar
	case strings.ContainsFunc(part, bidiControl):
		return BidiControl
	case strings.ContainsAny(part, `\:<>"|?*`):
		return ForbiddenChar
	case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
		return BadEnding
	case device(part):
		return DeviceName
	}
	return ""
}

func bidiControl(r rune) bool {
	return r >= utf8.RuneSelf && unicode.Is(unicode.Bidi_Control, r)
}

// device tells whether Windows takes a name for a device: one of its names in any case, alone or
// before a dot, with spaces between; COM and LPT also with a superscript digit.
func device(part string) bool {
	stem, _, _ := strings.Cut(part, ".")
	stem = asciiUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, isCOM := strings.CutPrefix(stem, "COM")
	if !isCOM {
		var isLPT bool
		if port, isLPT = strings.CutPrefix(stem, "LPT"); !isLPT {
			return false
		}
	}
	return utf8.RuneCountInString(port) == 1 && strings.Contains("0123456789¹²³", port)
}

// asciiUpper leaves all other letters as they are: ı is no I to Windows.
func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// FoldPath gives what two paths have in common that are the same on a system which does not tell upper
// case from lower: full case folding (Unicode, section 3.13, the mappings C and F of CaseFolding.txt),
// brought to NFC; without the slash of an empty folder.
func FoldPath(path string) string {
	path = strings.Map(smallCherokee, strings.TrimSuffix(path, "/"))
	return norm.NFC.String(cases.Fold().String(path))
}

// smallCherokee makes the letters of Cherokee small, because the folding of golang.org/x/text changes
// small ones to capitals, which is right, and capitals to small ones, so that they would never meet.
func smallCherokee(r rune) rune {
	if r >= utf8.RuneSelf && unicode.Is(unicode.Cherokee, r) {
		return unicode.ToLower(r)
	}
	return r
}

// CheckPaths holds the paths of files to the rules, each by itself in their order and then among
// each other. Folders may be named beside what is in them.
func CheckPaths(files []File) error {
	for _, f := range files {
		if err := CheckPath(f.Path); err != nil {
			return err
		}
		if f.Folder() && f.Size != 0 {
			return &PathError{Path: f.Path, Rule: FolderSize}
		}
	}
	return checkCollisions(files)
}

// checkCollisions sorts the folded paths with the slash below all other characters. Then equal ones
// are neighbours, and what needs a file as its folder comes right behind that file.
func checkCollisions(files []File) error {
	type entry struct {
		key  string
		file File
	}
	entries := make([]entry, len(files))
	for i, f := range files {
		entries[i] = entry{strings.ReplaceAll(FoldPath(f.Path), "/", "\x00"), f}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	for i := 1; i < len(entries); i++ {
		a, b := entries[i-1], entries[i]
		if a.key == b.key {
			return &PathError{Path: b.file.Path, Rule: Duplicate, Other: a.file.Path}
		}
		if !a.file.Folder() && strings.HasPrefix(b.key, a.key+"\x00") {
			return &PathError{Path: a.file.Path, Rule: FileAsFolder, Other: b.file.Path}
		}
	}
	return nil
}
