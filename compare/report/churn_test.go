package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// churning are runs in which a viewer leaves and another comes: the longest waits are those of these two.
func churning() (d Document) {
	for repeat := 1; repeat <= 3; repeat++ {
		for _, churn := range []float64{0, 60} {
			s := Sample{Run: experiment.Run{
				Experiment: "churn", Factor: "churn_per_minute", Value: churn, Topology: experiment.Tree2, Repeat: repeat,
				Point: experiment.Point{Viewers: 3, ChurnPerMinute: churn, UplinkMbit: 10, BitrateMbit: 1, Repair: true},
			}, Seconds: 5, Frames: 150}
			for i, gap := range []float64{90, 95 + float64(repeat), 300 * churn / 60} {
				s.Viewers = append(s.Viewers, Viewer{
					ID: fmt.Sprint("v", i), Via: "direct", Depth: 1, JoinMS: 150, DirectMS: 1300, Frames: 150, WholeFrames: 149, Packets: 600, Received: 598,
					GapMS: gap, LatencyMS: []float64{40, 41},
				})
			}
			if churn > 0 {
				s.Viewers = append(s.Viewers,
					Viewer{ID: "v3", Frames: 70, WholeFrames: 60, Packets: 280, Received: 240 + repeat, GapMS: 900, LatencyMS: []float64{40}},
					Viewer{ID: "w1", Via: "sfu", JoinMS: 160, Frames: 60, WholeFrames: 60, Packets: 240, Received: 240, GapMS: 800, LatencyMS: []float64{50}})
			}
			d.Samples = append(d.Samples, s)
		}
	}
	return d
}

// TestChurnRecomputed: the page's figures of viewers that come and go are computed again from the bytes of samples.json: the longest wait
// of those who were there for all frames, the packets of everybody.
func TestChurnRecomputed(t *testing.T) {
	var text, html bytes.Buffer
	d := churning()
	if err := WriteJSON(&text, d); err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(&html, d); err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text.Bytes(), &raw); err != nil {
		t.Fatal(err)
	}
	waits, lost := map[float64][]float64{}, map[float64][]float64{}
	for _, sample := range raw["samples"].([]any) {
		longest, packets, received := 0.0, 0.0, 0.0
		for _, v := range sample.(map[string]any)["viewers"].([]any) {
			packets, received = packets+number(t, v, "packets"), received+number(t, v, "received")
			if number(t, v, "frames") == number(t, sample, "frames") {
				longest = max(longest, number(t, v, "gap_ms"))
			}
		}
		churn := number(t, sample, "point", "churn_per_minute")
		waits[churn], lost[churn] = append(waits[churn], longest), append(lost[churn], 100*(1-received/packets))
	}
	heads := strings.Split(html.String(), "<th>")
	column := func(name string) int {
		return slices.IndexFunc(heads, func(h string) bool { return strings.HasPrefix(strings.ReplaceAll(h, "<br>", " "), name) }) - 1
	}
	for _, churn := range []float64{0, 60} {
		for name, c := range map[string]struct {
			values []float64
			digits int
		}{"Longest gap of who stayed, ms": {waits[churn], 0}, "Packets lost, %": {lost[churn], 2}} {
			want := fmt.Sprintf("%.*f (%.*f to %.*f)", c.digits, middle(c.values), c.digits, slices.Min(c.values), c.digits, slices.Max(c.values))
			row := fmt.Sprintf("churn: viewers that change a minute = %g</td>", churn)
			if got := cell(t, html.String(), row, column(name)); got != want {
				t.Errorf("%g a minute, %s: the page says %q, the samples %q", churn, name, got, want)
			}
		}
	}
	if want := "is 300 ms by the tree of 2 (97 where nobody leaves)."; !strings.Contains(strings.Join(d.Words(), "\n"), want) {
		t.Errorf("%q is not said in %q", want, d.Words())
	}
}
