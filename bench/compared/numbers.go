package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/report"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// wide is from where on an interval makes digits behind the point mean nothing.
const wide = 10

// shown is a median with its interval in brackets, if that can be seen in so many digits behind the point; "" for none.
func shown(i stats.Interval, digits int) string {
	if i.N == 0 {
		return ""
	}
	if i.High-i.Low >= wide {
		digits = 0
	}
	median, low, high := number(i.Median, digits), number(i.Low, digits), number(i.High, digits)
	if low == median && high == median {
		return median
	}
	return fmt.Sprintf("%s (%s–%s)", median, low, high)
}

func number(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// ms are milliseconds, or percent of a processor: to a tenth.
func ms(i stats.Interval) string { return shown(i, 1) }

// small are percent of packets, or Mbit/s: to a hundredth while they are below ten.
func small(i stats.Interval) string {
	if i.High < 10 {
		return shown(i, 2)
	}
	return shown(i, 1)
}

// steps are medians one after another, to a millisecond.
func steps(levels []stats.Interval) string {
	texts := make([]string, len(levels))
	for i, level := range levels {
		if texts[i] = "–"; level.N > 0 { // nothing came so deep
			texts[i] = number(level.Median, 0)
		}
	}
	return strings.Join(texts, " / ")
}

// way names a topology in a table.
func way(t experiment.Topology) string {
	switch t {
	case experiment.SFU:
		return "relay"
	case experiment.HTTP:
		return "HTTP"
	}
	if n, tree := strings.CutPrefix(string(t), "tree"); tree {
		return "tree of " + n
	}
	return string(t)
}

// rowName is the way of a row, and of how many runs it is where some did not count.
func rowName(c report.Cell) string {
	name := way(c.Topology)
	switch {
	case c.Topology.OfFiles() && c.Topology != experiment.HTTP && c.Point.ToldPercent == 0:
		name += ", told nothing"
	case !c.Topology.OfFiles() && !c.Point.Repair:
		name += ", nobody asks again"
	}
	if c.Invalid > 0 {
		name += " (" + plural(c.Runs, "run") + ")"
	}
	return name
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// rank is the place of a topology of streams in a row or a table.
func rank(t experiment.Topology) int { return slices.Index(experiment.Media(), t) }
