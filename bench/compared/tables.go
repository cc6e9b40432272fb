package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fanfare-relay/fanfare/bench/page"
	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
)

// streams are the figures of some experiments that have a run that counts, by number of viewers and way; where viewers do not ask again
// comes last.
func (f figures) streams(experiments ...string) []report.Figure {
	list := slices.DeleteFunc(slices.Clone(f.Streams), func(s report.Figure) bool { return s.Runs == 0 || !slices.Contains(experiments, s.Experiment) })
	slices.SortStableFunc(list, func(a, b report.Figure) int {
		return cmp.Or(cmp.Compare(a.Point.Viewers, b.Point.Viewers), cmp.Compare(rank(a.Topology), rank(b.Topology)), cmp.Compare(repairs(b), repairs(a)))
	})
	return list
}

// repairs is 1 where viewers ask again.
func repairs(s report.Figure) int {
	if s.Point.Repair {
		return 1
	}
	return 0
}

// starLike is a tree in which nobody passes anything on, nor is left to the relay: it is a star, and has a star's figures.
func starLike(s report.Figure) bool {
	return rank(s.Topology) > rank(experiment.Star) && s.Depth <= 1 && s.OnServer == 0
}

func (f figures) viewers() string {
	var rows [][]string
	for _, s := range f.streams("viewers") {
		if starLike(s) {
			continue
		}
		rows = append(rows, []string{fmt.Sprint(s.Point.Viewers), rowName(s.Cell), ms(s.P50), ms(s.P95), small(s.Loss), small(s.Uploader), small(s.Server), steps(s.Levels), served(s)})
	}
	return page.Table([]string{"Viewers", "Way", "p50", "p95", "Lost, %", "Uploader, Mbit/s", "Server, Mbit/s", "p50 at each step", "By the server"}, rows)
}

// served is how many the server had to serve at the end: the most of all runs, where that is not as planned or differs from run to run.
func served(s report.Figure) string {
	unsteady := s.Server.High-s.Server.Low > s.Point.BitrateMbit/2
	if s.OnServer > 0 && (s.Topology == experiment.Star || s.Unplaced > 0 || unsteady) {
		return fmt.Sprintf("up to %d", s.OnServer)
	}
	return fmt.Sprint(s.OnServer)
}

// firstPictures has a row for each number of viewers: when the picture comes by the relay, and then by each other way.
func (f figures) firstPictures() string {
	var rows [][]string
	for _, s := range f.streams("viewers") {
		n := fmt.Sprint(s.Point.Viewers)
		if len(rows) == 0 || rows[len(rows)-1][0] != n {
			rows = append(rows, make([]string, 1+len(experiment.Media())))
			rows[len(rows)-1][0] = n
		}
		when := s.Direct
		if s.Topology == experiment.SFU {
			when = s.Join
		}
		rows[len(rows)-1][1+rank(s.Topology)] = ms(when)
	}
	return page.Table([]string{"Viewers", "By the relay", "Star: straight", "Tree of 2: straight or passed on", "Tree of 3"}, rows)
}

func (f figures) breaks() string {
	var rows [][]string
	for _, s := range f.streams("uplink", "no-repair") {
		rows = append(rows, []string{fmt.Sprint(s.Point.Viewers), rowName(s.Cell), ms(s.P50), ms(s.P95), small(s.Loss), small(s.Uploader), ms(s.Repeated)})
	}
	return page.Table([]string{"Viewers", "Way", "p50", "p95", "Lost, %", "Uploader, Mbit/s", "Sent again, Mbit/s"}, rows)
}

// lines has a row for each line, with two columns for each way.
func (f figures) lines() string {
	ways := []experiment.Topology{experiment.SFU, experiment.Star, experiment.Tree2}
	head := []string{"Line"}
	for _, t := range ways {
		head = append(head, way(t)+" p50", "p95")
	}
	var rows [][]string
	for _, s := range f.onLines() {
		name, at := lineName(s), slices.Index(ways, s.Topology)
		if at < 0 {
			continue
		}
		if len(rows) == 0 || rows[len(rows)-1][0] != name {
			rows = append(rows, make([]string, len(head)))
			rows[len(rows)-1][0] = name
		}
		rows[len(rows)-1][1+2*at], rows[len(rows)-1][2+2*at] = ms(s.P50)+remarks(s), ms(s.P95)
	}
	return page.Table(head, rows)
}

// onLines are the figures of lines in the order of the table: by round trip with the base point among them, by loss, by loss in a row,
// and by uplink from the widest on.
func (f figures) onLines() (list []report.Figure) {
	add := func(name, factor string, base bool, sign float64) {
		part := slices.DeleteFunc(f.streams(name), func(s report.Figure) bool { return s.Factor != factor && !(base && s.Factor == "") })
		slices.SortStableFunc(part, func(a, b report.Figure) int {
			return cmp.Compare(sign*a.Point.Value(factor), sign*b.Point.Value(factor))
		})
		list = append(list, part...)
	}
	add("network", "round_trip_ms", true, 1)
	add("network", "loss_percent", false, 1)
	add("bursts", "loss_percent", false, 1)
	add("network", "uplink_mbit", false, -1)
	return list
}

// lineName is what is special about a line.
func lineName(s report.Figure) string {
	switch {
	case s.Factor == "uplink_mbit":
		return fmt.Sprintf("uplinks of %g Mbit/s", s.Point.UplinkMbit)
	case s.Factor == "loss_percent" && s.Point.LossBurst > 1:
		return fmt.Sprintf("loss %g %%, %g in a row", s.Point.LossPercent, s.Point.LossBurst)
	case s.Factor == "loss_percent":
		return fmt.Sprintf("loss %g %%", s.Point.LossPercent)
	case s.Point.RoundTripMS == 0:
		return "round trip 0 ms (control)"
	}
	return fmt.Sprintf("round trip %g ms", s.Point.RoundTripMS)
}

// remarks stand behind a latency: what never came, whom a tree leaves to the relay, and of how many runs it is where some did not count.
func remarks(s report.Figure) (text string) {
	if lost := small(s.Loss); lost != "0.00" {
		text += ", " + lost + " % lost"
	}
	if s.Topology != experiment.SFU && s.OnServer > 0 {
		text += ", " + served(s) + " by the relay"
	}
	if s.Invalid > 0 {
		text += ", " + plural(s.Runs, "run")
	}
	return text
}

// besideBase calls row for each figure whose factor varies, with that of the same way at the base point.
func (f figures) besideBase(name, factor string, row func(s, base report.Figure)) {
	list := f.streams(name)
	for _, s := range list {
		base := slices.IndexFunc(list, func(b report.Figure) bool { return b.Factor == "" && b.Topology == s.Topology })
		if s.Factor == factor && base >= 0 {
			row(s, list[base])
		}
	}
}

func (f figures) bad() string {
	var rows [][]string
	f.besideBase("network", "bad_downlink_mbit", func(s, base report.Figure) {
		rows = append(rows, []string{rowName(s.Cell), small(s.Bad.Loss), small(s.Loss), ms(s.P50), ms(base.P50), ms(s.P95), ms(base.P95), ms(s.Repeated), served(s)})
	})
	return page.Table([]string{
		"Way", "That one misses, %", "The others miss, %", "Their p50", "without a bad one", "Their p95", "without a bad one", "Sent again by the uploader, Mbit/s",
		"By the server",
	}, rows)
}

func (f figures) churn() string {
	var rows [][]string
	f.besideBase("churn", "churn_per_minute", func(s, base report.Figure) {
		rows = append(rows, []string{rowName(s.Cell), ms(s.Gap), ms(base.Gap), small(s.Loss)})
	})
	return page.Table([]string{"Way", "Longest time without a whole frame, ms", "where nobody leaves", "Lost, %, with those who had just come"}, rows)
}

func (f figures) processors() string {
	var rows [][]string
	for _, p := range f.Processes {
		if p.Runs == 0 {
			continue
		}
		relay := ms(p.Relay)
		if relay != "" && f.Run.HopCPU > 0 {
			relay += ", a browser " + number(p.Browser.Median, 1)
		}
		rows = append(rows, []string{rowName(p.Cell), ms(p.Uploader), fmt.Sprint(p.Sends), ms(p.Server), relay, ms(p.Viewer), ms(p.All)})
	}
	return page.Table([]string{"Way", "Uploader", "it sends to", "Server", "A viewer who passes on", "A viewer", "All together"}, rows)
}

func (f figures) files() string {
	var rows [][]string
	for _, name := range []string{"files", "files-copies", "files-http", "files-untold"} {
		for _, s := range f.Files {
			if s.Experiment != name || s.Runs == 0 {
				continue
			}
			rows = append(rows, []string{
				rowName(s.Cell), fmt.Sprint(s.Point.Viewers), fmt.Sprintf("%g", s.Point.FileMiB), number(s.Bound, 2), shown(s.Last, 2), shown(s.Share, 3),
				shown(s.Copies, 2), shown(s.Server, 1),
			})
		}
	}
	return page.Table([]string{
		"Way", "Receivers", "File, MiB", "Bound, s", "Last receiver, s", "Bound ÷ last", "Copies sent by the uploader", "Through the server, MB",
	}, rows)
}
