package estimate

// Usage is the verdict of the overuse detector (gcc-02 section 5.4).
type Usage uint8

// The verdicts.
const (
	UsageNormal Usage = iota
	UsageOver         // a queue grows
	UsageUnder        // a queue empties
)

var usageNames = [...]string{"normal", "over", "under"}

// String returns the verdict as a metric label.
func (u Usage) String() string { return usageNames[min(int(u), len(usageNames)-1)] }

// The constants of the detector. The trendline replaces the Kalman filter of the draft as it does
// in today's browsers: the slope of the smoothed one-way delay over the last groups.
const (
	burstTime   = 5_000 // packets sent within this time are one group (gcc-02 section 5.2)
	trendWindow = 20    // groups
	smoothing   = 0.9
	trendGain   = 4.0
	trendGroups = 60 // a slope counts in full from so many groups

	thresholdFirst = 12.5 // ms; gcc-02 section 5.4: del_var_th(0)
	thresholdMin   = 6.0  // ms, and so is thresholdMax
	thresholdMax   = 600.0
	thresholdUp    = 0.0087 // K_u
	thresholdDown  = 0.039  // K_d
	thresholdJump  = 15.0   // beyond this the threshold does not follow: a spike
	overuseTime    = 10.0   // ms
)

// group is a run of packets that were sent as one burst.
type group struct {
	first, last int64 // sent
	begin, end  int64 // arrived
}

type point struct{ x, y float64 } // ms

// trend watches the one-way delay: packets become groups, groups become differences of delay, their
// smoothed sum a line, whose slope is held against a threshold that adapts.
type trend struct {
	usage  Usage
	prev   group
	cur    group
	groups int // 0, 1: cur only, 2: both

	points      [trendWindow]point
	count       int // of points, ever
	origin      int64
	accumulated float64
	smoothed    float64

	threshold float64
	updated   int64 // arrival at which the threshold last moved
	overFor   float64
	overCount int
	slope     float64
}

func newTrend() trend { return trend{threshold: thresholdFirst, overFor: -1} }

// add takes one received packet, in the order of sending.
func (t *trend) add(sent, arrival int64) {
	switch {
	case t.groups == 0:
		t.cur, t.groups, t.updated = group{sent, sent, arrival, arrival}, 1, arrival
		if t.count == 0 {
			t.origin = arrival
		}
		return
	case sent < t.cur.first:
		return // told late: its group is closed
	case t.belongs(sent, arrival):
		t.cur.last, t.cur.end = max(t.cur.last, sent), max(t.cur.end, arrival)
		return
	}
	if t.groups == 2 {
		t.compare()
	}
	t.prev, t.cur, t.groups = t.cur, group{sent, sent, arrival, arrival}, 2
}

// skip leaves out what comes now, with the step in delay that it makes: the line stays what it was.
func (t *trend) skip() { t.groups = 0 }

// belongs tells whether a packet is of the current group: sent in the same burst, or caught up
// with it on the way (gcc-02 section 5.2), as happens behind a radio that sends in turns.
func (t *trend) belongs(sent, arrival int64) bool {
	if sent-t.cur.first <= burstTime {
		return true
	}
	waited := arrival - t.cur.end
	return waited-(sent-t.cur.last) < 0 && waited <= burstTime && arrival-t.cur.begin < 100_000
}

// compare takes the difference of delay between the last two whole groups.
func (t *trend) compare() {
	sent, came := t.cur.last-t.prev.last, t.cur.end-t.prev.end
	if came < 0 {
		return // overtaken as a whole
	}
	t.accumulated += float64(came-sent) / 1000
	t.smoothed = smoothing*t.smoothed + (1-smoothing)*t.accumulated
	t.points[t.count%trendWindow] = point{float64(t.cur.end-t.origin) / 1000, t.smoothed}
	t.count++
	slope := t.slope
	if t.count >= trendWindow {
		slope = fit(t.points[:])
	}
	t.detect(slope, float64(sent)/1000)
}

// fit returns the slope of the least-squares line, 0 when there is none.
func fit(points []point) float64 {
	var mx, my float64
	for _, p := range points {
		mx += p.x
		my += p.y
	}
	mx /= float64(len(points))
	my /= float64(len(points))
	var num, den float64
	for _, p := range points {
		num += (p.x - mx) * (p.y - my)
		den += (p.x - mx) * (p.x - mx)
	}
	if den == 0 {
		return 0
	}
	return num / den
}

// detect holds the slope against the threshold. sent is the time in ms between the groups' sendings.
func (t *trend) detect(slope, sent float64) {
	m := float64(min(t.count, trendGroups)) * slope * trendGain
	switch {
	case m > t.threshold:
		if t.overFor < 0 {
			t.overFor = sent / 2 // it began between the two
		} else {
			t.overFor += sent
		}
		t.overCount++
		if t.overFor > overuseTime && t.overCount > 1 && slope >= t.slope {
			t.overFor, t.overCount, t.usage = 0, 0, UsageOver
		}
	case m < -t.threshold:
		t.overFor, t.overCount, t.usage = -1, 0, UsageUnder
	default:
		t.overFor, t.overCount, t.usage = -1, 0, UsageNormal
	}
	t.slope = slope
	t.adapt(m)
}

// adapt moves the threshold towards the slope seen (gcc-02 section 5.4), so that a line with jitter
// or with a greedy neighbour does not always look overused.
func (t *trend) adapt(m float64) {
	elapsed := min(float64(t.cur.end-t.updated)/1000, 100)
	t.updated = t.cur.end
	m = max(m, -m)
	if m > t.threshold+thresholdJump || elapsed <= 0 {
		return
	}
	k := thresholdUp
	if m < t.threshold {
		k = thresholdDown
	}
	t.threshold = min(max(t.threshold+k*(m-t.threshold)*elapsed, thresholdMin), thresholdMax)
}
