package schedule_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// TestLanes: looks of testdata/lanes.json, which the TypeScript half reads, too. Times are in ms.
func TestLanes(t *testing.T) {
	text, err := os.ReadFile("testdata/lanes.json")
	if err != nil {
		t.Fatal(err)
	}
	var scripts []struct {
		Name  string
		Looks []struct {
			At, Taken, Further, RoundTrip int64
			Alone, Open, Failed           bool
		}
	}
	if err := json.Unmarshal(text, &scripts); err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1_800_000_000, 0)
	for _, script := range scripts {
		var lanes schedule.Lanes
		for _, l := range script.Looks {
			open := lanes.Look(start.Add(time.Duration(l.At)*time.Millisecond), schedule.LaneFacts{
				Taken: l.Taken, Further: int(l.Further), RoundTrip: time.Duration(l.RoundTrip) * time.Millisecond, Alone: l.Alone,
			})
			if open != l.Open {
				t.Errorf("%s: at %d ms: %v", script.Name, l.At, open)
			}
			if l.Failed {
				lanes.Failed()
			}
		}
	}
}
