package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// Words says in a few sentences what a comparison found: how far ways go and where they break, which is sooner, what asking again, a bad
// viewer and viewers who come and go do; how long files take; what the processors do.
func (d Document) Words() (list []string) {
	figures := Figures(d.Samples, d.HopMS)
	var widest []Figure
	for _, name := range experimentsOf(figures) {
		group, values := along(figures, name, "viewers")
		for i := range group {
			group[i].Value = values[i]
		}
		slices.SortStableFunc(group, func(a, b Figure) int { return cmp.Compare(a.Value, b.Value) }) // the base point lies between others
		list = append(list, reach(group))
		if most(group) > most(widest) {
			widest = group
		}
	}
	list = append(list, sooner(widest), d.steps(widest))
	list = append(list, unrepaired(figures), besideBad(figures), coming(figures))
	list = append(list, fileWords(FileFigures(d.Samples))...)
	list = append(list, d.processWords(ProcessFigures(d.Samples, d.HopCPU))...)
	return slices.DeleteFunc(list, func(text string) bool { return text == "" })
}

// most is the greatest value of a group in order, 0 of none.
func most(group []Figure) float64 {
	if len(group) == 0 {
		return 0
	}
	return group[len(group)-1].Value
}

// reach says of one experiment, whose values are numbers of viewers, which ways break where, and which do not.
func reach(group []Figure) string {
	var clauses, names []string
	tried := 0.0
	for _, t := range experiment.Media() {
		good, bad := limit(group, t)
		switch {
		case bad.Runs > 0 && good == 0:
			clauses = append(clauses, fmt.Sprintf("%s does not hold for %g (%s)", Name(t), bad.Value, fault(bad)))
		case bad.Runs > 0:
			clauses = append(clauses, fmt.Sprintf("%s holds up to %s and no longer at %g (%s)", Name(t), viewers(good), bad.Value, fault(bad)))
		case good > 0:
			names, tried = append(names, Name(t)), max(tried, good)
		}
	}
	switch len(names) {
	case 0:
	case 1:
		clauses = append(clauses, fmt.Sprintf("%s holds for as many as were tried, up to %g", names[0], tried))
	default:
		clauses = append(clauses, fmt.Sprintf("%s hold for as many as were tried, up to %g", and(names), tried))
	}
	if len(clauses) == 0 {
		return ""
	}
	return fmt.Sprintf("With uplinks of %g Mbit/s and a stream of %g Mbit/s, %s.", group[0].Point.UplinkMbit, group[0].Point.BitrateMbit, strings.Join(clauses, "; "))
}

// limit is the greatest value up to which a way holds, 0 for none, and where it does no longer, if it does not.
func limit(group []Figure, t experiment.Topology) (good float64, bad Figure) {
	for _, f := range group {
		if f.Topology != t || f.Runs == 0 {
			continue
		}
		if !f.Holds() {
			return good, f
		}
		good = f.Value
	}
	return good, bad
}

// fault is why a topology does not hold.
func fault(f Figure) string {
	text := fmt.Sprintf("%.1f %% of the packets are lost", f.Loss.Median)
	if f.Topology == experiment.Star && f.OnServer > 0 {
		text += fmt.Sprintf(", and the relay has to take over up to %d viewers", f.OnServer)
	}
	if f.Unplaced > 0 {
		text += fmt.Sprintf(", and up to %d viewers are not served from where they should be", f.Unplaced)
	}
	return text
}

// sooner compares the star with the relay where both hold: the crossover.
func sooner(figures []Figure) string {
	last, first, gain, most := Figure{}, Figure{}, 0.0, 0.0
	for _, f := range figures {
		for _, g := range figures {
			if f.Topology != experiment.Star || g.Topology != experiment.SFU || f.Value != g.Value || !f.Holds() || !g.Holds() {
				continue
			}
			by := g.P50.Median - f.P50.Median
			if first.Runs == 0 {
				first, most = f, by
			}
			if by > 0 {
				last, gain = f, by
			}
		}
	}
	switch {
	case first.Runs == 0:
		return ""
	case last.Runs == 0:
		return fmt.Sprintf("The star is never sooner than the relay: %.0f ms later with %s (median).", -most, viewers(first.Value))
	case last.Value == first.Value:
		return fmt.Sprintf("The star is %.0f ms sooner than the relay with %s (median).", most, viewers(first.Value))
	}
	return fmt.Sprintf("The star is %.0f ms sooner than the relay with %s and %.0f ms with %g (median), for which it takes %.1f Mbit/s of the uploader's line.",
		most, viewers(first.Value), gain, last.Value, last.Uploader.Median)
}

// steps compares the deepest tree with the relay, with what browsers add.
func (d Document) steps(figures []Figure) string {
	var deepest, relay Figure
	for _, f := range figures {
		if strings.HasPrefix(string(f.Topology), "tree") && f.Holds() && f.Depth > 1 && f.Value >= deepest.Value {
			deepest = f
		}
	}
	for _, f := range figures {
		if f.Topology == experiment.SFU && f.Value == deepest.Value && f.Runs > 0 {
			relay = f
		}
	}
	if deepest.Runs == 0 || relay.Runs == 0 {
		return ""
	}
	text := fmt.Sprintf("%s for %g viewers is %d steps deep and %s than the relay (median) while viewers forward packets", capital(Name(deepest.Topology)),
		deepest.Value, deepest.Depth, later(deepest.P50.Median-relay.P50.Median))
	if d.HopMS > 0 {
		return text + fmt.Sprintf("; with %g ms for each browser that decodes and encodes again, %s.", d.HopMS, later(deepest.Steps.Median-relay.P50.Median))
	}
	return text + "; what browsers add at each step is not in this."
}

// unrepaired says what is lost for good where viewers never ask again, beside the same point at which they do: the counter-check of what
// asking again does to a line that is full.
func unrepaired(figures []Figure) string {
	var list []string
	for _, f := range figures {
		if f.Point.Repair || f.Runs == 0 || f.Loss.Median <= LossLimit {
			continue
		}
		text := fmt.Sprintf("%.1f %% of the packets by %s with %d viewers and uplinks of %g Mbit/s", f.Loss.Median, Name(f.Topology), f.Point.Viewers, f.Point.UplinkMbit)
		same := f.Point
		same.Repair = true
		i := slices.IndexFunc(figures, func(g Figure) bool { return g.Topology == f.Topology && g.Point == same && g.Runs > 0 })
		if i >= 0 {
			text += fmt.Sprintf(" (where they ask %.1f %%, while %.1f Mbit/s of repeats come to the uploader's line)",
				figures[i].Loss.Median, figures[i].Repeated.Median)
		}
		list = append(list, text)
	}
	if list == nil {
		return ""
	}
	return fmt.Sprintf("Viewers who never ask again for what was lost miss %s.", and(list))
}

// besideBad says what one viewer with a narrow line costs the others by each way: beside the same point at which there is none.
func besideBad(figures []Figure) string {
	var costs []string
	var at experiment.Point
	for _, f := range figures {
		if f.Point.BadDownlinkMbit == 0 || f.Runs == 0 {
			continue
		}
		at = f.Point
		text := fmt.Sprintf("%.1f %% with a median of %.0f ms by %s", f.Loss.Median, f.P50.Median, Name(f.Topology))
		without := f.Point
		without.BadDownlinkMbit = 0
		if g, ok := sameAt(figures, f, without); ok {
			text += fmt.Sprintf(" (else %.1f %% and %.0f ms)", g.Loss.Median, g.P50.Median)
		}
		costs = append(costs, text)
	}
	if costs == nil {
		return ""
	}
	return fmt.Sprintf("When one of %d viewers can get %g Mbit/s of a stream of %g, the others miss %s.", at.Viewers, at.BadDownlinkMbit, at.BitrateMbit, and(costs))
}

// coming says for how long viewers that come and go leave those without a picture who stay.
func coming(figures []Figure) string {
	var gaps []string
	var at experiment.Point
	for _, f := range figures {
		if f.Point.ChurnPerMinute == 0 || f.Runs == 0 {
			continue
		}
		at = f.Point
		text := fmt.Sprintf("%.0f ms by %s", f.Gap.Median, Name(f.Topology))
		without := f.Point
		without.ChurnPerMinute = 0
		if g, ok := sameAt(figures, f, without); ok {
			text += fmt.Sprintf(" (%.0f where nobody leaves)", g.Gap.Median)
		}
		gaps = append(gaps, text)
	}
	if gaps == nil {
		return ""
	}
	return fmt.Sprintf("While %g viewers a minute leave and others come, the longest wait of those who stay for a whole frame is %s.", at.ChurnPerMinute, and(gaps))
}

// sameAt is the figure of the same way in the same experiment at another point.
func sameAt(figures []Figure, f Figure, at experiment.Point) (Figure, bool) {
	i := slices.IndexFunc(figures, func(g Figure) bool {
		return g.Experiment == f.Experiment && g.Topology == f.Topology && g.Point == at && g.Runs > 0
	})
	if i < 0 {
		return Figure{}, false
	}
	return figures[i], true
}

// fileWords says for each greatest number of receivers how near each way comes to the least time.
func fileWords(figures []FileFigure) (list []string) {
	greatest := map[string]int{} // by experiment
	for _, f := range figures {
		if f.Runs > 0 {
			greatest[f.Experiment] = max(greatest[f.Experiment], f.Point.Viewers)
		}
	}
	ways, order := map[int][]string{}, []int{}
	for _, f := range figures {
		n := f.Point.Viewers
		if f.Runs == 0 || n != greatest[f.Experiment] {
			continue
		}
		way := Name(f.Topology)
		if f.Topology != experiment.HTTP && f.Point.ToldPercent == 0 {
			way += " whose peers find out by themselves what they may send"
		}
		if ways[n] == nil {
			order = append(order, n)
		}
		ways[n] = append(ways[n], fmt.Sprintf("%s %.2f (%.2f copies sent)", way, f.Share.Median, f.Copies.Median))
	}
	for _, n := range order {
		list = append(list, fmt.Sprintf("The least time in which %d receivers could have a file, as a share of what it took: %s.", n, and(ways[n])))
	}
	return list
}

// processWords says who works how much, for each number of viewers.
func (d Document) processWords(figures []ProcessFigure) (list []string) {
	for i, f := range figures {
		if slices.ContainsFunc(figures[:i], func(g ProcessFigure) bool { return g.Point.Viewers == f.Point.Viewers }) {
			continue
		}
		same := slices.DeleteFunc(slices.Clone(figures), func(g ProcessFigure) bool { return g.Point.Viewers != f.Point.Viewers })
		clauses := []string{
			shares("the uploader takes", same, func(f ProcessFigure) stats.Interval { return f.Uploader }),
			shares("the server", same, func(f ProcessFigure) stats.Interval { return f.Server }),
			shares("a viewer who passes on", same, func(f ProcessFigure) stats.Interval { return f.Relay }),
		}
		if d.HopCPU > 0 {
			clauses = append(clauses, shares("which in a browser is", same, func(f ProcessFigure) stats.Interval { return f.Browser }))
		}
		clauses = slices.DeleteFunc(clauses, func(text string) bool { return text == "" })
		if len(clauses) > 0 {
			list = append(list, fmt.Sprintf("Of one processor, with %s and a process each, %s.", viewers(float64(f.Point.Viewers)), strings.Join(clauses, "; ")))
		}
	}
	return list
}

// shares says what a role takes by each way that has it, "" when none has.
func shares(role string, figures []ProcessFigure, of func(ProcessFigure) stats.Interval) string {
	var parts []string
	for _, f := range figures {
		if i := of(f); i.N > 0 {
			parts = append(parts, fmt.Sprintf("%.1f %% by %s", i.Median, Name(f.Topology)))
		}
	}
	if parts == nil {
		return ""
	}
	return role + " " + and(parts)
}

// and lists texts.
func and(texts []string) string {
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// viewers counts them.
func viewers(n float64) string {
	if n == 1 {
		return "1 viewer"
	}
	return fmt.Sprintf("%g viewers", n)
}

func later(ms float64) string {
	if ms < 0 {
		return fmt.Sprintf("%.0f ms sooner", -ms)
	}
	return fmt.Sprintf("%.0f ms later", ms)
}

// Name is a topology in words.
func Name(t experiment.Topology) string {
	switch t {
	case experiment.SFU:
		return "the relay (sfu)"
	case experiment.Star:
		return "the star"
	case experiment.Swarm:
		return "the swarm"
	case experiment.Copies:
		return "copies"
	case experiment.HTTP:
		return "HTTP through the server"
	}
	return "the tree of " + strings.TrimPrefix(string(t), "tree")
}
