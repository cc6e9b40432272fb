package layer

import (
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// modelSelector is the Selector, slow and obvious: it writes down every choice, and looks through the list for what
// it has to know of the past. The numbers are those of docs/adr/0013, written once more, so that a
// change of one is noticed.
type modelSelector struct{ log []modelStep }

// modelStep is one choice that was made, and why: it is the first, the wish forbids the rung before, the line does not
// carry that, there is room for a better one; "" where it stays.
type modelStep struct {
	at   time.Time
	rung Rung
	why  string
}

func (m *modelSelector) choose(ladder []Rung, line media.Bitrate, wish media.Wish, now time.Time) Choice {
	best := modelBest(ladder, wish)
	wanted := ladder[:best+1]
	at, why := 0, ""
	if len(m.log) > 0 {
		at = m.place(ladder)
	}
	switch {
	case len(m.log) == 0:
		at, why = modelRoom(wanted, line, 87), "first"
	case at > best:
		at, why = modelRoom(wanted, line, 110), "wish"
	case !modelCarries(line, 110, ladder[at]) && at != modelLeast(wanted):
		at, why = modelRoom(wanted, line, 100), "line"
	case m.patient(ladder[at], line, now):
		if up := modelRoom(wanted, line, 87); up > at {
			at, why = up, "room"
		}
	}
	m.log = append(m.log, modelStep{now, ladder[at], why})
	c := Choice{Rung: ladder[at], Down: why == "line"}
	for i := at + 1; i <= best; i++ {
		// What a rung takes is 87 % of what the line has to carry before it is entered.
		if need := ladder[i].Bitrate * 100 / 87; i == at+1 || need < c.Next {
			c.Next = need
		}
	}
	return c
}

// last is the rung that was chosen last.
func (m *modelSelector) last() Rung { return m.log[len(m.log)-1].rung }

// place is where the last rung is now: the best of what is there of its encoding and was sent with it; else the best one
// that takes no more; else the lowest.
func (m *modelSelector) place(ladder []Rung) int {
	last := m.last()
	var left, cheaper []int
	for i, r := range ladder {
		if r.Encoding == last.Encoding && r.Layer.Spatial <= last.Layer.Spatial && r.Layer.Temporal <= last.Layer.Temporal {
			left = append(left, i)
		}
		if r.Bitrate <= last.Bitrate {
			cheaper = append(cheaper, i)
		}
	}
	switch {
	case len(left) > 0:
		return slices.Max(left)
	case len(cheaper) > 0:
		return slices.Max(cheaper)
	default:
		return 0
	}
}

// patient tells whether a better rung may be entered: at once where the line is unknown or the rung not measured yet,
// else when the last rung has been chosen for long enough.
func (m *modelSelector) patient(rung Rung, line media.Bitrate, now time.Time) bool {
	since := now
	for _, step := range slices.Backward(m.log) {
		if step.rung.Encoding != m.last().Encoding || step.rung.Layer != m.last().Layer {
			break
		}
		since = step.at
	}
	return line == 0 || rung.Bitrate == 0 || now.Sub(since) >= m.patience()
}

// patience is a second, and doubles with each step up after which the line was full within eight seconds, up to 20. It is
// a second again when a rung is entered for another reason than room, and no step up was made in the 28 seconds before.
func (m *modelSelector) patience() time.Duration {
	hold := time.Second
	var up *modelStep // the last step up
	failed := false   // it has been counted
	for i := range m.log {
		step := &m.log[i]
		long := up == nil || step.at.Sub(up.at) > 28*time.Second
		switch step.why {
		case "room":
			up, failed = step, false
		case "line":
			if up != nil && !failed && step.at.Sub(up.at) < 8*time.Second {
				hold, failed = min(hold*2, 20*time.Second), true
			}
		}
		if long && (step.why == "first" || step.why == "wish" || step.why == "line") {
			hold = time.Second
		}
	}
	return hold
}

// bound tells what keeps the viewer from a better rung than the last one.
func (m *modelSelector) bound(ladder []Rung, wish media.Wish) media.Bound {
	best := modelBest(ladder, wish)
	if m.place(ladder) < best {
		return media.BoundLine
	}
	if best < len(ladder)-1 {
		return media.BoundWish
	}
	return media.BoundSource
}

// modelBest is the best rung that is wanted: what takes least while nobody looks, else the last one that is not larger than
// the smallest picture that fills the height; where none fills it, the last of all.
func modelBest(ladder []Rung, wish media.Wish) int {
	if wish.Hidden {
		return modelLeast(ladder)
	}
	var fill []int
	for _, r := range ladder {
		if r.Height >= wish.MaxHeight {
			fill = append(fill, r.Height)
		}
	}
	best := 0
	for i, r := range ladder {
		if wish.MaxHeight <= 0 || len(fill) == 0 || r.Height <= slices.Min(fill) {
			best = i
		}
	}
	return best
}

// modelCarries tells whether so many percent of what the line carries are enough for the rung. An unknown line carries all.
func modelCarries(line, percent media.Bitrate, r Rung) bool {
	return line == 0 || 100*r.Bitrate <= percent*line
}

// modelRoom is the best rung that the line carries, or what takes least.
func modelRoom(ladder []Rung, line, percent media.Bitrate) int {
	best := -1
	for i, r := range ladder {
		if modelCarries(line, percent, r) {
			best = i
		}
	}
	if best < 0 {
		return modelLeast(ladder)
	}
	return best
}

// modelLeast is the lowest of the rungs of which none takes less.
func modelLeast(ladder []Rung) int {
	var rates []media.Bitrate
	for _, r := range ladder {
		rates = append(rates, r.Bitrate)
	}
	return slices.Index(rates, slices.Min(rates))
}

// modelLadder is AppendLadder to nothing: of each encoding all combinations of layers, but those above the highest that
// carry anything, lower spatial layers first; each spatial layer has half the width and height of the next.
func modelLadder(list []Encoding) (ladder []Rung) {
	for _, e := range list {
		measured, spatial, temporal := false, 0, 0
		for s := range 3 {
			for t := range 4 {
				if e.Rates[s][t] > 0 {
					measured, spatial, temporal = true, max(spatial, s), max(temporal, t)
				}
			}
		}
		if !measured {
			ladder = append(ladder, Rung{e.ID, media.Layer{Spatial: 2, Temporal: 3}, e.Total, e.Width, e.Height})
			continue
		}
		for s := range spatial + 1 {
			for t := range temporal + 1 {
				r := Rung{e.ID, media.Layer{Spatial: int8(s), Temporal: int8(t)}, 0, e.Width, e.Height}
				for n := range 12 {
					if n/4 <= s && n%4 <= t {
						r.Bitrate += e.Rates[n/4][n%4]
					}
				}
				for range spatial - s {
					r.Width, r.Height = r.Width/2, r.Height/2
				}
				ladder = append(ladder, r)
			}
		}
	}
	return ladder
}

// FuzzAppendLadder compares the ladder of any encodings with the model's, behind what was there before.
func FuzzAppendLadder(f *testing.F) {
	f.Add([]byte{1, 20, 0, 80, 30, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 40, 0, 200, 100, 100, 50, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 81, 9, 10, 5, 0, 0, 30, 10, 0, 0, 90, 50, 0, 0})  // spatial layers, of odd sizes
	f.Add([]byte{0, 80, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})       // not measured
	f.Add([]byte{7, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})       // of nothing
	f.Add([]byte{7, 80, 9, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 0, 0})       // gaps below what carries anything
	f.Add([]byte{7, 255, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 1}) // the last layer alone
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []Encoding
		for ; len(b) >= 15 && len(list) < 5; b = b[15:] {
			e := Encoding{ID: uint32(b[0]), Width: int(b[1]) * 16, Height: int(b[1]) * 9, Total: media.Bitrate(b[2]) * 1000}
			for i, rate := range b[3:15] {
				e.Rates[i/4][i%4] = media.Bitrate(rate) * 1000
			}
			list = append(list, e)
		}
		want := append([]Rung{{Encoding: 99}}, modelLadder(list)...)
		if got := AppendLadder([]Rung{{Encoding: 99}}, list); !slices.Equal(got, want) {
			t.Fatalf("of %+v\ngot  %s\nwant %s", list, words(got), words(want))
		}
	})
}
