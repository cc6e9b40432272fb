package main

import (
	"cmp"
	"fmt"
)

// figure is a number, and what is promised of it, "" for nothing. met is false as well where it was not measured, left where the
// value is the reason for that.
type figure struct {
	name, value, limit string
	met, left          bool
}

// unknown is shown for what was not measured or is void.
const unknown = "–"

// missed are the promises that were measured and not kept.
func (r *results) missed() (names []string) {
	for _, f := range r.figures() {
		if f.value != unknown && !f.met && !f.left {
			names = append(names, f.name)
		}
	}
	return names
}

// figures are all that is promised. The baseline's price is that at 200 viewers, about the most that it holds: it falls with their number.
func (r *results) figures() []figure {
	list := []figure{
		toBaseline("server CPU a packet at 200 viewers, to the baseline's at 200", r.Lines, 200),
		toBaseline("server CPU a packet at 400 viewers, to the baseline's at 200", r.Lines, 400),
		atMost("server CPU a packet at 200 viewers, to the floor's", 1.3, prices(r.Lines, fanfare, 200), r.floorPrices(200)),
		atMost("server CPU a packet at 400 viewers, to the floor's", 1.3, prices(r.Lines, fanfare, 400), r.floorPrices(400)),
		toBaseline("the same at 200 viewers, over a card, to the baseline's", r.Card, 200),
		r.plainlyHeld(),
		r.heldFigure(),
		r.coresFigure(),
		r.rateFigure(),
		atMost("server CPU a join, to the baseline's", 0.45, r.joinCosts(fanfare), r.joinCosts(baseline)),
	}
	return append(append(list, r.burstFigures()...), r.memoryFigure())
}

// atMost is a ratio with an upper limit.
func atMost(name string, limit float64, of, to []float64) figure {
	f := figure{name: name, value: unknown, limit: fmt.Sprintf("≤ %.2f", limit)}
	if x, ok := ratio(of, to); ok {
		f.value, f.met = fmt.Sprintf("%.2f", x), x <= limit
	}
	return f
}

// toBaseline compares with the baseline at 200 viewers, and says so where that was overwhelmed, which makes it dear.
func toBaseline(name string, lines []line, viewers int) figure {
	base, holds := baselinePrices(lines, 200)
	f := atMost(name, 0.40, prices(lines, fanfare, viewers), base)
	if f.value != unknown && !holds {
		f.value += "; the baseline did not hold"
	}
	return f
}

// plainlyHeld is what the core holds that does the clients' receiving as well: nothing is promised of it.
func (r *results) plainlyHeld() figure {
	f := heldOf(r.Lines, "viewers that one core holds, the receiving half of loopback included")
	f.limit, f.met = "", true
	if n, ok := r.floorHolds(); ok && f.value != unknown {
		f.value += fmt.Sprintf("; sealing and sending alone would fill this core at about %d", n)
	}
	return f
}

// heldFigure: what a core holds that does the receiving half as well, it holds without that. The moments in which the two are measured differ.
func (r *results) heldFigure() figure {
	f := heldOf(r.Card, "viewers that one core holds, over a card")
	f.limit = "≥ 1200, here or with the receiving half; less where the clients' core is full first"
	if n, _ := held(r.Lines, fanfare); n >= 1200 && !f.met && f.value != unknown {
		f.met = true
		f.value += fmt.Sprintf("; %d with the receiving half", n)
	}
	if r.NoCard != "" {
		f.value, f.left = "not measured: "+r.NoCard, true
	}
	return f
}

func heldOf(lines []line, name string) figure {
	f := figure{name: name, value: unknown}
	n, broke := held(lines, fanfare)
	if n == 0 {
		return f
	}
	f.value, f.met = fmt.Sprint(n), n >= 1200
	switch {
	case broke == nil:
		f.value += ", the most that was tried"
	case broke.clientsLimit():
		f.met = true
		f.value += fmt.Sprintf("; at %d the clients were the limit: their core %.0f %% busy, the server's %.0f %%", broke.Viewers, 100*broke.client(), 100*broke.Report.Server.CPUShare)
	default:
		f.value += fmt.Sprintf("; at %d: %s (the server's core %.0f %% busy, the clients' %.0f %%)", broke.Viewers, broke.breach(),
			100*broke.Report.Server.CPUShare, 100*broke.client())
	}
	return f
}

// streamRate is the packets a second of the stream that is measured with.
const streamRate = 321

// floorHolds is how many viewers a core could serve that did nothing but the floor.
func (r *results) floorHolds() (viewers int, ok bool) {
	price := r.floorPrices(400)
	if len(price) == 0 || median(price) <= 0 {
		return 0, false
	}
	return int(1e6 / (median(price) * streamRate)), true
}

// coresFigure: two cores can do twice the work of one as far as a packet costs no more on them, and all of it comes. That the work lies on both is
// not seen by the price: the sfu's own tests tell that. The floor's figure is for comparison.
func (r *results) coresFigure() figure {
	f := figure{name: "two cores to one, by the price of a packet", value: unknown, limit: "≥ 1.80"}
	var one, two []float64
	broke := ""
	for i := range r.Cores {
		l := &r.Cores[i]
		switch {
		case l.void() != "":
		case l.Cores == 1:
			if l.breach() == "" {
				one = append(one, l.Report.Server.CPUPerPacket)
			}
		default:
			two = append(two, l.Report.Server.CPUPerPacket)
			broke = cmp.Or(broke, l.breach())
		}
	}
	x, ok := ratio(one, two)
	if !ok {
		return f
	}
	f.value = fmt.Sprintf("%.2f", 2*x)
	if floor, ok := r.coresOfFloor(); ok {
		f.value += fmt.Sprintf("; to the floor: %.2f", floor)
	}
	if f.met = 2*x >= 1.8 && broke == ""; broke != "" {
		f.value += "; on two: " + broke
	}
	return f
}

// coresOfFloor is what two cores are worth to those who only seal and send.
func (r *results) coresOfFloor() (x float64, ok bool) {
	on := func(cores int) []float64 {
		return floorPrices(r.CoreFloors, func(f *floorLine) bool { return f.Cores == cores })
	}
	x, ok = ratio(on(1), on(2))
	return 2 * x, ok
}

func (r *results) rateFigure() figure {
	f := figure{name: "joins a second that one core keeps up with", value: unknown}
	if rate := r.sustainedRate(); rate > 0 {
		f.value, f.met = fmt.Sprintf("%.0f", rate), true
		if r.Rates[len(r.Rates)-1].sustained() {
			f.value += ", the most that was tried"
		}
	}
	return f
}

func (r *results) burstFigures() []figure {
	failed := figure{name: "viewers who failed in a burst at twice the sustained rate", value: unknown, limit: "none"}
	lost := figure{name: "loss of those who were there before the burst", value: unknown, limit: "≤ 0.1 %"}
	if b := r.Burst; b != nil && b.Crowd.Quiet.void() == "" {
		n := b.Crowd.Report.Failed + b.Crowd.Report.Gone
		failed.met = n == 0 && b.Failure+b.Crowd.Failure == ""
		failed.value = fmt.Sprintf("%d of %d; told to wait %d times %s%s", n, b.Crowd.Viewers, b.Crowd.Report.BusyWaits, b.Failure, b.Crowd.Failure)
		away := b.Watching.Viewers - b.Watching.Connected + b.Watching.Gone
		lost.met = b.Failure == "" && b.Watching.PacketsSteady > 0 && away == 0 && b.Watching.loss() <= maxLoss
		lost.value = fmt.Sprintf("%.3f %%", 100*b.Watching.loss())
		if away > 0 {
			lost.value += fmt.Sprintf("; %d of %d were not there", away, b.Watching.Viewers)
		}
	}
	return []figure{failed, lost}
}

func (r *results) memoryFigure() figure {
	f := figure{name: "memory a viewer", value: unknown, limit: "≤ 64 KiB"}
	for _, l := range r.Memory {
		if l.Peer == fanfare && l.breach() == "" {
			f.value, f.met = fmt.Sprintf("%.0f KiB with %d viewers after %.0f s", kib(l), l.Viewers, l.Report.Seconds), kib(l) <= 64
		}
	}
	return f
}
