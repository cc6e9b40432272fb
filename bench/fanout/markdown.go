package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/bench/page"
)

// markdown is the section of the page.
func (r *results) markdown() string {
	var b strings.Builder
	b.WriteString(page.Measured(r.Started, time.Duration(r.Seconds*float64(time.Second))) + r.Machine)
	b.WriteString("\n    " + r.Command + "\n\n" + method + "\n")
	part := func(title string, head []string, rows [][]string) {
		if len(rows) > 0 {
			b.WriteString("### " + title + "\n\n" + page.Table(head, rows) + "\n")
		}
	}
	part("Promised", []string{"figure", "measured", "promised"}, r.promised())
	part("Fan-out", lineHead, lineRows(r.Lines))
	part("The floor", floorHead, floorRows(r.Floors))
	part("Fan-out over a card", lineHead, lineRows(r.Card))
	part("Two cores", lineHead, lineRows(r.Cores))
	part("The floor on two cores", floorHead, floorRows(r.CoreFloors))
	part("Joins", []string{"server", "joins", "a second", "ms of CPU a join", "connected, median / p95", "note"}, r.joinRows())
	part("Memory", []string{"server", "viewers", "KiB a viewer", "note"}, r.memoryRows())
	return b.String()
}

// method says how it was measured.
const method = `The server has one core, the publisher and all viewers another, on loopback. The stream is 720p30 at 2.4 Mbit/s with sound; a fresh server for each line, in turns with the baseline ([bench/baseline](../bench/baseline)): pion the way its examples use it. µs are processor time of the server, user and system, for each packet that a viewer got; the delay is from sending to arrival by the kernel's clock. The floor ([bench/floor](../bench/floor)) seals and sends as many packets a message as Fanfare did, nothing else. A join is priced while nobody publishes; then the publisher comes, and everybody gets a picture. On loopback the kernel does the receiving half of a message on the sender's core, which behind a network card is the receivers' work. "Over a card" a pair of devices (veth) lies between them, each end in a network namespace of its own: threads of the kernel on the clients' core do it, for both ends, and look for what has come every 0.2 ms, as behind a card that moderates its interrupts; a message of several packets goes over whole, as to a card that cuts it itself, and clients take it whole (UDP_GRO), or cutting it would fill their core. Memory a viewer is what the server has at the end above what it had before the first viewer, when the stream had been there for 15 seconds, and its history full. Two cores serve twice the viewers of one; where the machine has no others, clients run on the server's in both, the publisher on the second. The floor beside them has two senders with their readers on the two cores, at the batch that Fanfare had on one: how much dearer a packet becomes there where nothing is shared but the machine. A line is void when others used more than 3 % of a core meanwhile. Ratios are those of medians.
`

func (r *results) promised() (rows [][]string) {
	for _, f := range r.figures() {
		limit := f.limit
		switch {
		case f.value == unknown && r.Only != "":
			continue
		case f.value != unknown && !f.met && !f.left:
			limit = "**missed:** " + limit
		}
		rows = append(rows, []string{f.name, f.value, limit})
	}
	return rows
}

var lineHead = []string{"server", "viewers", "µs a packet", "user + system", "server's core", "clients' core", "p50 / p99", "lost", "packets a message", "allocations a packet", "note"}

func lineRows(lines []line) (rows [][]string) {
	for i := range lines {
		l := &lines[i]
		s := &l.Report.Server
		row := []string{l.Peer, fmt.Sprint(l.Viewers)}
		if l.Failure == "" {
			row = append(row, fmt.Sprintf("%.2f", s.CPUPerPacket), fmt.Sprintf("%.2f + %.2f", s.CPUUser, s.CPUSystem), percent(s.CPUShare), percent(l.client()),
				l.delay(), fmt.Sprintf("%.3f %%", 100*l.Report.loss()), l.batch(), l.mallocs())
		} else {
			row = append(row, unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown)
		}
		rows = append(rows, append(row, l.note()))
	}
	return rows
}

func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }

func (l *line) batch() string {
	if !l.BatchKnown {
		return unknown
	}
	return fmt.Sprintf("%.1f", l.Batch)
}

func (l *line) mallocs() string {
	if !l.BatchKnown {
		return unknown
	}
	return fmt.Sprintf("%.2f", l.Mallocs)
}

// note is what must be known beside a line's figures.
func (l *line) note() string {
	var notes []string
	if why := l.void(); why != "" {
		notes = append(notes, "**void:** "+why)
	}
	if l.Cores > 1 {
		notes = append(notes, fmt.Sprintf("%d cores", l.Cores))
	}
	switch why := l.breach(); {
	case why == "":
	case l.clientsLimit():
		notes = append(notes, "the clients' limit: "+why)
	default:
		notes = append(notes, "does not hold: "+why)
	}
	return strings.Join(notes, "; ")
}

var floorHead = []string{"viewers", "packets a message", "µs a packet", "user + system", "note"}

func floorRows(lines []floorLine) (rows [][]string) {
	for i := range lines {
		f := &lines[i]
		var notes []string
		if why := f.void(); why != "" {
			notes = append(notes, "**void:** "+why)
		}
		if f.Cores > 1 {
			notes = append(notes, fmt.Sprintf("%d cores", f.Cores))
		}
		if f.Estimated {
			notes = append(notes, "the batch is an estimate")
		}
		note := strings.Join(notes, "; ")
		rows = append(rows, []string{fmt.Sprint(f.Viewers), fmt.Sprintf("%.2f", f.MeanBatch), fmt.Sprintf("%.2f", f.Total), fmt.Sprintf("%.2f + %.2f", f.User, f.System), note})
	}
	return rows
}

func (r *results) joinRows() (rows [][]string) {
	row := func(l *joinLine, cost, note string) {
		took := unknown
		if j := l.Report.Joins; j != nil {
			took = fmt.Sprintf("%.0f / %.0f ms", j.Connected.Median, j.Connected.P95)
		}
		if why := l.Quiet.void(); why != "" {
			note = strings.TrimPrefix(note+"; **void:** "+why, "; ")
		}
		rows = append(rows, []string{l.Peer, fmt.Sprint(l.Viewers), fmt.Sprintf("%.0f", l.Rate), cost, took, note})
	}
	for i := range r.Joins {
		l := &r.Joins[i]
		row(l, fmt.Sprintf("%.2f", l.cost()), l.Failure)
	}
	for i := range r.Rates {
		l := &r.Rates[i]
		note := fmt.Sprintf("sustained; client %.0f %% busy", 100*l.Client)
		if !l.sustained() {
			note = fmt.Sprintf("not sustained: %d failed, told to wait %d times; client %.0f %% busy", l.Report.Failed, l.Report.BusyWaits, 100*l.Client)
			if l.Failure != "" {
				note += ": " + l.Failure
			}
		}
		row(l, unknown, note)
	}
	if b := r.Burst; b != nil {
		note := fmt.Sprintf("burst: %d failed, told to wait %d times, slowest %.0f ms", b.Crowd.Report.Failed, b.Crowd.Report.BusyWaits, slowest(&b.Crowd.Report))
		row(&b.Crowd, unknown, note)
	}
	return rows
}

func slowest(r *loadReport) float64 {
	if r.Joins == nil {
		return 0
	}
	return r.Joins.Connected.Max
}

func (r *results) memoryRows() (rows [][]string) {
	for i := range r.Memory {
		l := &r.Memory[i]
		rows = append(rows, []string{l.Peer, fmt.Sprint(l.Viewers), fmt.Sprintf("%.0f", kib(*l)), l.breach()})
	}
	return rows
}
