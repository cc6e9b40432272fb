package main

import (
	"fmt"
	"strings"

	"github.com/fanfare-relay/fanfare/compare/report"
)

// section is a part of the page that this command writes.
type section struct{ name, body string }

// sections are all of them, in the order of the page.
func (f figures) sections() []section {
	return []section{
		{"compared: run", f.Run.words()},
		{"compared: viewers", f.viewers()},
		{"compared: first pictures", f.firstPictures()},
		{"compared: breaks", f.breaks()},
		{"compared: lines", f.lines()},
		{"compared: bad", f.bad()},
		{"compared: churn", f.churn()},
		{"compared: processors", f.processors()},
		{"compared: files", f.files()},
	}
}

const day, clock = "2 January 2006", "15:04"

// words say what was run, where, and what of it counts.
func (r run) words() string {
	began, ended := r.Began.UTC(), r.Ended.UTC()
	processors := plural(r.Machine.CPUs, "processor")
	if r.Machine.Processor != "" {
		processors += " (" + r.Machine.Processor + ")"
	}
	text := fmt.Sprintf("One run of the full comparison: `%s` on %s, from %s to %s UTC, %s, on %s with %s, Go %s. ", r.Command, began.Format(day),
		began.Format(clock), ended.Format(clock), r.Program, r.Machine.System, processors, strings.TrimPrefix(r.Machine.Go, "go"))
	if r.Made == r.Planned {
		text += fmt.Sprintf("%d runs were planned and made. ", r.Made)
	} else {
		text += fmt.Sprintf("It is partial: of %d runs that were planned, %d were made. ", r.Planned, r.Made)
	}
	return text + r.validity() + fmt.Sprintf(" Timers were %.1f ms late in the median valid run and %.1f ms in the latest, by the 99th percentile; above %d ms a run is invalid. %d runs had others beside them, %d at most.\n",
		r.Late, r.Latest, report.MaxLateness, r.Besides, r.Beside)
}

// validity names the runs that do not count.
func (r run) validity() string {
	if len(r.Invalid) == 0 {
		return "All are valid."
	}
	var list []string
	for _, i := range r.Invalid {
		list = append(list, fmt.Sprintf("%s, %s, repeat %d: %s", i.Words(), way(i.Topology), i.Repeat, i.Problem))
	}
	verb := "are"
	if len(list) == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d %s invalid and in no figure (%s).", len(list), verb, strings.Join(list, "; "))
}
