package estimate_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
)

// recordedPacket is one that the relay has sent to a real receiver.
type recordedPacket struct {
	seq        uint16
	left, came time.Duration // came is 0 for one that never did
	size       int
}

// readRecording reads what TestRecordLines of package sfu has written, and when the line changed.
func readRecording(t *testing.T, name string) (packets []recordedPacket, changes []time.Duration) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	const unit = 100 * time.Microsecond
	now := time.Duration(0)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "line ") {
			changes = append(changes, now)
			continue
		}
		var after, way time.Duration
		p := recordedPacket{seq: uint16(len(packets))}
		if _, err := fmt.Sscan(strings.Replace(line, "-\n", "-1", 1), &after, &p.size, &way); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		now += after * unit
		if p.left = now; way >= 0 {
			p.came = now + way*unit
		}
		packets = append(packets, p)
	}
	return packets, changes
}

// playRecording gives an estimator what a recording has, with feedback by pion's receiver ten times a second that takes 20 ms
// back, and calls each ten times a second.
func playRecording(packets []recordedPacket, each func(at time.Duration, e *estimate.Estimator)) {
	const feedback, back = 100 * time.Millisecond, 20 * time.Millisecond
	e := estimate.New(estimate.Config{Initial: need(2)})
	e.SetDemand(need(2), 0)
	came := slices.DeleteFunc(slices.Clone(packets), func(p recordedPacket) bool { return p.came == 0 })
	slices.SortStableFunc(came, func(a, b recordedPacket) int { return int(a.came - b.came) })
	recorder := twcc.NewRecorder(2)
	end := packets[len(packets)-1].left
	for at := feedback; at < end; at += feedback {
		for ; len(packets) > 0 && packets[0].left < at; packets = packets[1:] {
			e.Sent(packets[0].seq, packets[0].size, epoch.Add(packets[0].left))
		}
		for ; len(came) > 0 && came[0].came < at-back; came = came[1:] {
			recorder.Record(1, came[0].seq, came[0].came.Microseconds())
		}
		for _, fb := range recorder.BuildFeedbackPacket() {
			raw, err := fb.Marshal()
			if err != nil {
				panic(err)
			}
			e.Feedback(raw, epoch.Add(at))
		}
		each(at, &e)
	}
}

// What real lines did to real packets, recorded once: the target follows a line that is squeezed, keeps to one that has
// little more than what is sent, and is not frightened by losses that no queue made.
func TestRecorded(t *testing.T) {
	type band struct {
		from, to  time.Duration // since the line changed for the last time
		low, high media.Bitrate
	}
	for name, bands := range map[string][]band{
		"squeezed": {{-3 * time.Second, 0, 2_400_000, 3_100_000}, {2 * time.Second, 8 * time.Second, 100_000, 330_000}},
		"bursts":   {{0, 10 * time.Second, 2_000_000, 3_200_000}},
		"tight":    {{0, 10 * time.Second, 2_100_000, 3_150_000}},
	} {
		t.Run(name, func(t *testing.T) {
			packets, changes := readRecording(t, name)
			changed := changes[len(changes)-1]
			seen := make([][]media.Bitrate, len(bands))
			playRecording(packets, func(at time.Duration, e *estimate.Estimator) {
				for i, b := range bands {
					if since := at - changed; since >= b.from && since < b.to {
						seen[i] = append(seen[i], e.Target())
					}
				}
			})
			for i, b := range bands {
				if len(seen[i]) == 0 {
					t.Fatalf("the recording has nothing from %v to %v", b.from, b.to)
				}
				t.Logf("from %v to %v: between %d and %d", b.from, b.to, slices.Min(seen[i]), slices.Max(seen[i]))
				if slices.Min(seen[i]) < b.low || slices.Max(seen[i]) > b.high {
					t.Errorf("it should be between %d and %d", b.low, b.high)
				}
			}
		})
	}
}
