package experiments_test

import (
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/experiments"
)

// TestFiles: all can be run, the quick ones within a minute, the others within half an hour.
func TestFiles(t *testing.T) {
	for quick, limit := range map[bool]time.Duration{true: time.Minute, false: 30 * time.Minute} {
		names, texts, err := experiments.All(quick)
		if err != nil || len(names) == 0 {
			t.Fatalf("%v %v", names, err)
		}
		total := time.Duration(0)
		for _, name := range names {
			e, err := experiment.Parse(texts[name])
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			total += e.Takes()
		}
		if total > limit {
			t.Errorf("quick %v takes %v", quick, total)
		}
	}
}
