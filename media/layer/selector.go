package layer

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

const (
	// Percents of the estimate that a rung may take. It is kept up to a tenth above, since both
	// swing, and entered from an eighth below: with less room its key frame would fill the line.
	keepPercent, fallPercent, enterPercent = 110, 100, 87
	// holdFirst is the least time on a rung before the next one up. A step up that did not
	// hold, because the line was full within fragile, doubles it, up to holdLongest. It counts once, also
	// where the way down from it has several steps: estimates fall by and by. All is forgotten where a rung
	// is entered for another reason than room, longer than holdLongest and fragile after the last step up.
	holdFirst   = time.Second
	holdLongest = 20 * time.Second
	fragile     = 8 * time.Second
)

// Choice is what a viewer is to be sent.
type Choice struct {
	Rung
	// Down is set when the rung is lower than the one before because the line does not carry that.
	Down bool
	// Next is what the next better rung would take, 0 when there is none that the viewer wants.
	Next media.Bitrate
}

// Selector chooses for one viewer. The zero value is ready.
type Selector struct {
	current Rung
	chosen  bool
	since   time.Time // when the current rung was entered
	raised  time.Time // when the last step up was made
	failed  bool      // the last step up has not held, and has been counted
	hold    time.Duration
}

// Choose returns the rung for a viewer whose line carries target, 0 for a line of which nothing
// is known: then everything fits. The ladder has at least one rung. It is to be called
// when any of its arguments has changed, and once a second.
//
// Going down is immediate. Going up takes room and patience; it may pass several rungs at once.
func (s *Selector) Choose(ladder []Rung, target media.Bitrate, wish media.Wish, now time.Time) Choice {
	top := highestWanted(ladder, wish)
	if s.hold == 0 {
		s.hold = holdFirst
	}
	wanted := ladder[:top+1]
	at, was, first := s.find(ladder), s.current, !s.chosen
	down := false
	switch {
	case first:
		at = fitting(wanted, target, enterPercent)
		s.enter(ladder[at], now)
	case at > top:
		at = fitting(wanted, target, keepPercent)
		s.enter(ladder[at], now)
	case !fits(ladder[at], target, keepPercent) && at != cheapest(wanted):
		at, down = fitting(wanted, target, fallPercent), true
		s.fall(now)
		s.enter(ladder[at], now)
	case target == 0 || ladder[at].Bitrate == 0 || now.Sub(s.since) >= s.hold: // 0: a stream that has just begun, not measured yet
		if up := fitting(wanted, target, enterPercent); up > at {
			at, s.raised, s.failed = up, now, false
			s.enter(ladder[at], now)
		}
	}
	if first || !ladder[at].same(was) { // before the first choice there was none to be the same
		s.since = now
	}
	s.current = ladder[at] // with what it takes now
	c := Choice{Rung: ladder[at], Down: down}
	if at < top {
		better := wanted[at+1:]
		c.Next = better[cheapest(better)].Bitrate * 100 / enterPercent
	}
	return c
}

// Current returns the rung that was chosen last; ok is false before the first choice.
func (s *Selector) Current() (r Rung, ok bool) { return s.current, s.chosen }

// Bound tells what keeps the viewer from a better rung than its current one.
func (s *Selector) Bound(ladder []Rung, wish media.Wish) media.Bound {
	switch at, top := s.find(ladder), highestWanted(ladder, wish); {
	case at < top:
		return media.BoundLine
	case top < len(ladder)-1:
		return media.BoundWish
	default:
		return media.BoundSource
	}
}

func (s *Selector) enter(r Rung, now time.Time) {
	s.current, s.chosen = r, true
	if now.Sub(s.raised) > holdLongest+fragile {
		s.hold = holdFirst
	}
}

// fall notes a step down that the line has forced.
func (s *Selector) fall(now time.Time) {
	if !s.raised.IsZero() && !s.failed && now.Sub(s.raised) < fragile {
		s.hold, s.failed = min(2*s.hold, holdLongest), true
	}
}

// find returns the place of the current rung; or of what is left of its layers, or has been measured
// of them since; or of the best one that takes no more.
func (s *Selector) find(ladder []Rung) int {
	for i := len(ladder) - 1; i >= 0; i-- {
		r, l := ladder[i], s.current.Layer
		if r.Encoding == s.current.Encoding && r.Layer.Spatial <= l.Spatial && r.Layer.Temporal <= l.Temporal {
			return i
		}
	}
	at := 0
	for i, r := range ladder {
		if r.Bitrate <= s.current.Bitrate {
			at = i
		}
	}
	return at
}

// fits tells whether the rung takes no more than the percent of what the line carries.
func fits(r Rung, target, percent media.Bitrate) bool {
	return target == 0 || r.Bitrate*100 <= target*percent
}

// fitting returns the best rung for which the line has room, else the one that takes least.
func fitting(ladder []Rung, target, percent media.Bitrate) int {
	for i := len(ladder) - 1; i >= 0; i-- {
		if fits(ladder[i], target, percent) {
			return i
		}
	}
	return cheapest(ladder)
}

// cheapest returns the rung that takes least: the lowest, unless a larger picture takes less.
func cheapest(ladder []Rung) int {
	at := 0
	for i, r := range ladder {
		if r.Bitrate < ladder[at].Bitrate {
			at = i
		}
	}
	return at
}

// highestWanted is the best rung that the viewer has use for: the smallest picture that fills
// the height that is shown, in full motion; what takes least while nobody looks.
func highestWanted(ladder []Rung, wish media.Wish) int {
	if wish.Hidden {
		return cheapest(ladder)
	}
	top := len(ladder) - 1
	if wish.MaxHeight <= 0 {
		return top
	}
	enough := 0
	for _, r := range ladder {
		if r.Height >= wish.MaxHeight && (enough == 0 || r.Height < enough) {
			enough = r.Height
		}
	}
	for top > 0 && enough > 0 && ladder[top].Height > enough {
		top--
	}
	return top
}
