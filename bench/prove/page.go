package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/bench/page"
)

// document is the part of docs/BENCHMARKS.md that this command writes.
type document struct {
	machine string
	started time.Time
	results []result
}

type result struct {
	experiment
	figures []figure
	err     error
}

func (p *document) missed() bool {
	for _, r := range p.results {
		if r.err != nil {
			return true
		}
		for _, f := range r.figures {
			if f.limit != "" && !f.met {
				return true
			}
		}
	}
	return false
}

func (p *document) markdown() string {
	var b strings.Builder
	b.WriteString(page.Measured(p.started, time.Since(p.started)) + p.machine)
	for _, r := range p.results {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n    %s\n\n", r.title, r.why, r.command)
		if r.err != nil {
			fmt.Fprintf(&b, "**Failed:** %v\n\n", r.err)
		}
		b.WriteString(page.Table([]string{"figure", "measured", "promised"}, r.rows()))
	}
	return b.String()
}

func (r result) rows() (rows [][]string) {
	for _, f := range r.figures {
		promise := f.limit
		if promise != "" && !f.met {
			promise = "**missed:** " + promise
		}
		rows = append(rows, []string{f.name, f.value, promise})
	}
	return rows
}
