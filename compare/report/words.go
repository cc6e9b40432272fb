package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// Words says in sentences what a comparison found: where topologies break and which is sooner, for each experiment that varies the number
// of viewers; how long files take; what the processors do.
func (d Document) Words() (list []string) {
	figures := Figures(d.Samples, d.HopMS)
	for _, name := range experimentsOf(figures) {
		group, values := along(figures, name, "viewers")
		for i := range group {
			group[i].Value = values[i]
		}
		slices.SortStableFunc(group, func(a, b Figure) int { return cmp.Compare(a.Value, b.Value) }) // the base point lies between others
		if len(group) > 0 {
			list = append(list, d.streams(group)...)
		}
	}
	list = append(list, unrepaired(figures)...)
	list = append(list, besideBad(figures)...)
	list = append(list, coming(figures)...)
	for _, name := range experimentsOf(FileFigures(d.Samples)) {
		list = append(list, fileWords(FileFigures(d.Samples), name)...)
	}
	return append(list, d.processWords(ProcessFigures(d.Samples, d.HopCPU))...)
}

// streams speaks of one experiment whose values are numbers of viewers.
func (d Document) streams(group []Figure) (list []string) {
	for _, t := range experiment.Media() {
		if text := holds(group, t); text != "" {
			list = append(list, text)
		}
	}
	for _, text := range []string{sooner(group), d.steps(group)} {
		if text != "" {
			list = append(list, text)
		}
	}
	return list
}

// holds says how far one topology goes.
func holds(figures []Figure, t experiment.Topology) string {
	good, bad := 0.0, Figure{}
	for _, f := range figures {
		if f.Topology != t || f.Runs == 0 {
			continue
		}
		if !f.Holds() {
			bad = f
			break
		}
		good = f.Value
	}
	if good == 0 && bad.Runs == 0 {
		return ""
	}
	at := fmt.Sprintf("With uplinks of %g Mbit/s and a stream of %g Mbit/s", figures[0].Point.UplinkMbit, figures[0].Point.BitrateMbit)
	switch {
	case bad.Runs == 0:
		return fmt.Sprintf("%s, %s holds for every number of viewers that was tried, up to %g.", at, Name(t), good)
	case good == 0:
		return fmt.Sprintf("%s, %s does not hold for %g: %s.", at, Name(t), bad.Value, fault(bad))
	}
	text := fmt.Sprintf("%s, %s holds up to %s and no longer at %g: %s.", at, Name(t), viewers(good), bad.Value, fault(bad))
	if again := bad.Repeated.Median; t == experiment.Star && again > 0.1 {
		text += fmt.Sprintf(" Packets that are asked for and sent again come to the line at %.1f Mbit/s then, beside the new ones.", again)
	}
	return text
}

// unrepaired says what is lost where viewers never ask again, beside the same point at which they do: the counter-check of what asking
// again does to a line that is full.
func unrepaired(figures []Figure) (list []string) {
	for _, f := range figures {
		if f.Point.Repair || f.Runs == 0 {
			continue
		}
		text := fmt.Sprintf("Where viewers never ask again for what was lost, %s with %d viewers and uplinks of %g Mbit/s loses %.1f %% of the packets",
			Name(f.Topology), f.Point.Viewers, f.Point.UplinkMbit, f.Loss.Median)
		same := f.Point
		same.Repair = true
		i := slices.IndexFunc(figures, func(g Figure) bool { return g.Topology == f.Topology && g.Point == same && g.Runs > 0 })
		if i >= 0 {
			text += fmt.Sprintf("; where they ask, %.1f %%, while %.1f Mbit/s of repeats come to the uploader's line",
				figures[i].Loss.Median, figures[i].Repeated.Median)
		}
		list = append(list, text+".")
	}
	return list
}

// besideBad says what one viewer with a narrow line costs the others: beside the same point of the same experiment at which there is none.
func besideBad(figures []Figure) (list []string) {
	for _, f := range figures {
		if f.Point.BadDownlinkMbit == 0 || f.Runs == 0 {
			continue
		}
		text := fmt.Sprintf("Where one of %d viewers can get %g Mbit/s of a stream of %g, by %s it misses %.1f %% of the packets, and the others miss %.1f %% (p50 %.0f ms)",
			f.Point.Viewers, f.Point.BadDownlinkMbit, f.Point.BitrateMbit, Name(f.Topology), f.Bad.Loss.Median, f.Loss.Median, f.P50.Median)
		without := f.Point
		without.BadDownlinkMbit = 0
		if g, ok := sameAt(figures, f, without); ok {
			text += fmt.Sprintf("; where nobody's line is narrow, %.1f %% (p50 %.0f ms)", g.Loss.Median, g.P50.Median)
		}
		list = append(list, text+".")
	}
	return list
}

// coming says what viewers that come and go do to those who are there.
func coming(figures []Figure) (list []string) {
	for _, f := range figures {
		if f.Point.ChurnPerMinute == 0 || f.Runs == 0 {
			continue
		}
		text := fmt.Sprintf("Where %g viewers a minute leave and others come, by %s nobody who stays is without a whole frame for longer than %.0f ms, and all together lose %.1f %% of the packets",
			f.Point.ChurnPerMinute, Name(f.Topology), f.Gap.Median, f.Loss.Median)
		without := f.Point
		without.ChurnPerMinute = 0
		if g, ok := sameAt(figures, f, without); ok {
			text += fmt.Sprintf("; where nobody leaves, %.0f ms and %.1f %%", g.Gap.Median, g.Loss.Median)
		}
		list = append(list, text+".")
	}
	return list
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
	return fmt.Sprintf("The star is %.0f ms sooner than the relay with %s and %.0f ms with %g (median); with %g it takes %.1f Mbit/s of the uploader's line.",
		most, viewers(first.Value), gain, last.Value, last.Value, last.Uploader.Median)
}

// steps compares trees with the relay, with what browsers add.
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
	text := fmt.Sprintf("With %g viewers %s is %d steps deep and %s than the relay (median) while viewers forward packets", deepest.Value,
		Name(deepest.Topology), deepest.Depth, later(deepest.P50.Median-relay.P50.Median))
	if d.HopMS > 0 {
		return text + fmt.Sprintf("; with %g ms for each browser that decodes and encodes again, %s.", d.HopMS, later(deepest.Steps.Median-relay.P50.Median))
	}
	return text + "; what browsers add at each step is not in this."
}

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

// fileWords says how long each way takes, at the greatest number of receivers.
func fileWords(figures []FileFigure, name string) (list []string) {
	most := 0
	for _, f := range figures {
		if f.Experiment == name && f.Runs > 0 {
			most = max(most, f.Point.Viewers)
		}
	}
	for _, f := range figures {
		if f.Experiment != name || f.Runs == 0 || f.Point.Viewers != most {
			continue
		}
		way := Name(f.Topology)
		if f.Topology != experiment.HTTP && f.Point.ToldPercent == 0 {
			way += ", whose peers find out by themselves what they may send"
		}
		text := fmt.Sprintf("A file of %g MiB to %d receivers with uplinks of %g Mbit/s by %s: the last has it after %.1f s, %.2f of the bound",
			f.Point.FileMiB, most, f.Point.UplinkMbit, way, f.Last.Median, f.Share.Median)
		if f.Upload.N > 0 {
			text += fmt.Sprintf(" (%.1f s to the server, %.1f s from there)", f.Upload.Median, f.Download.Median)
		}
		list = append(list, text+fmt.Sprintf("; the uploader sent %.2f copies.", f.Copies.Median))
	}
	return list
}

// processWords says who works how much, at each point.
func (d Document) processWords(figures []ProcessFigure) (list []string) {
	for _, f := range figures {
		if f.Runs == 0 {
			continue
		}
		text := fmt.Sprintf("With %d viewers by %s, a process each: the uploader uses %.1f %% of a processor", f.Point.Viewers, Name(f.Topology), f.Uploader.Median)
		if f.Server.N > 0 {
			text += fmt.Sprintf(", the server %.1f %%", f.Server.Median)
		}
		if f.Relay.N > 0 {
			text += fmt.Sprintf(", a viewer that passes on %.1f %%", f.Relay.Median)
			if d.HopCPU > 0 {
				text += fmt.Sprintf(" (a browser that decodes and encodes again %.1f %%)", f.Browser.Median)
			}
		}
		list = append(list, text+fmt.Sprintf(", a viewer %.1f %%.", f.Viewer.Median))
	}
	return list
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
