package experiments_test

import (
	"testing"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/experiments"
)

// TestFiles: all can be read, and every experiment has a name of its own and a question.
func TestFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, quick := range []bool{true, false} {
		names, texts, err := experiments.All(quick)
		if err != nil || len(names) == 0 {
			t.Fatalf("%v %v", names, err)
		}
		for _, name := range names {
			e, err := experiment.Parse(texts[name])
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if e.Name+".toml" != name || e.Question == "" || seen[e.Name] {
				t.Errorf("%s is called %q and asks %q", name, e.Name, e.Question)
			}
			seen[e.Name] = true
		}
	}
}
