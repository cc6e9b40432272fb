package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// results is all that was seen. The order is that of the measurements.
type results struct {
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Command string    `json:"command"`
	Only    string    `json:"only,omitempty"` // the part that was run
	Machine string    `json:"machine"`
	Lines   []line    `json:"fanout"`
	Card    []line    `json:"card"`
	// NoCard tells why there could be none.
	NoCard string      `json:"noCard,omitempty"`
	Floors []floorLine `json:"floor"`
	Cores  []line      `json:"cores"`
	// CoreFloors are in turns with Cores.
	CoreFloors []floorLine `json:"coresFloor"`
	Joins      []joinLine  `json:"joins"`
	Rates      []joinLine  `json:"rates"`
	Burst      *burst      `json:"burst,omitempty"`
	Memory     []line      `json:"memory"`
}

// save writes all as JSON.
func (r *results) save(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

// brokeAt is the least number of viewers that a server did not hold, 0 when it held all so far.
func brokeAt(lines []line, peer string) (viewers int) {
	for i := range lines {
		l := &lines[i]
		if l.Peer == peer && l.void() == "" && l.breach() != "" && (viewers == 0 || l.Viewers < viewers) {
			viewers = l.Viewers
		}
	}
	return viewers
}

// held is the greatest number of viewers that a server held every time. last is the line that it broke at, nil when it held all.
func held(lines []line, peer string) (viewers int, last *line) {
	broke := brokeAt(lines, peer)
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Peer != peer || l.void() != "":
		case l.breach() != "" && l.Viewers == broke:
			last = l
		case l.breach() == "" && (broke == 0 || l.Viewers < broke):
			viewers = max(viewers, l.Viewers)
		}
	}
	return viewers, last
}

// prices are the µs a packet of a server with so many viewers: of lines that count, and in which everybody got everything. A packet
// that came late was paid for like any other.
func prices(lines []line, peer string, viewers int) (us []float64) {
	for i := range lines {
		if l := &lines[i]; l.Peer == peer && l.Viewers == viewers && l.void() == "" && l.delivers() {
			us = append(us, l.Report.Server.CPUPerPacket)
		}
	}
	return us
}

// baselinePrices are the baseline's: of the lines that it held, where there are any, since a moment in which it is overwhelmed makes it dear.
func baselinePrices(lines []line, viewers int) (us []float64, holds bool) {
	held := slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return l.breach() != "" })
	if us := prices(held, baseline, viewers); us != nil {
		return us, true
	}
	return prices(lines, baseline, viewers), false
}

// floorPrices are those of the floor with so many viewers.
func (r *results) floorPrices(viewers int) []float64 {
	return floorPrices(r.Floors, func(f *floorLine) bool { return f.Viewers == viewers })
}

// floorPrices are the µs a packet of some of the lines: those that count, and whose batch was assumed only where there are no others.
func floorPrices(lines []floorLine, of func(*floorLine) bool) (us []float64) {
	var assumed []float64
	for i := range lines {
		switch f := &lines[i]; {
		case f.void() != "" || !of(f):
		case f.Estimated:
			assumed = append(assumed, f.Total)
		default:
			us = append(us, f.Total)
		}
	}
	if us == nil {
		return assumed
	}
	return us
}

// meanBatchOf is the mean batch of Fanfare with so many viewers, and whether it was measured.
func meanBatchOf(lines []line, viewers int) (mean float64, known bool) {
	var all []float64
	for i := range lines {
		if l := &lines[i]; l.Peer == fanfare && l.Viewers == viewers && l.BatchKnown && l.void() == "" {
			all = append(all, l.Batch)
		}
	}
	if all == nil {
		return batchUnknown, false
	}
	return median(all), true
}

// ratio of two medians; ok is false where one of them was not measured.
func ratio(of, to []float64) (x float64, ok bool) {
	if len(of) == 0 || len(to) == 0 || median(to) == 0 {
		return 0, false
	}
	return median(of) / median(to), true
}
