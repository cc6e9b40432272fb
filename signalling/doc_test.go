package signalling

import (
	"fmt"
	"os"
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
