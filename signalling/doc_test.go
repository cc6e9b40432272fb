package signalling

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestProblemsAreDocumented compares the list of problems with the protocol's document.
func TestProblemsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems() {
		if row := fmt.Sprintf("| `%s%s` | %d |", problemPrefix, p.Name, p.Status); !strings.Contains(string(text), row) {
			t.Errorf("docs/PROTOCOL.md has no row %s", row)
		}
	}
	if rows := strings.Count(string(text), "| `"+problemPrefix); rows != len(problems()) {
		t.Errorf("docs/PROTOCOL.md lists %d problems, the program has %d", rows, len(problems()))
	}
}

// TestSecurityNamesRealTests: the table of bad input in docs/SECURITY.md names tests that are there.
func TestSecurityNamesRealTests(t *testing.T) {
	text, err := os.ReadFile("../docs/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(source, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(text, -1)
	for _, m := range named {
		if !there[string(m[1])] {
			t.Errorf("docs/SECURITY.md names %s, which is no test", m[1])
		}
	}
	if len(named) < 30 {
		t.Errorf("docs/SECURITY.md names %d tests", len(named))
	}
}
