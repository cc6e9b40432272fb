package sfu

import (
	"cmp"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/layer"
	"github.com/fanfare-relay/fanfare/media/pace"
)

const (
	// encodingBehind is how far an encoding may be behind the newest of its track before it
	// counts as paused: a simulcast sender under pressure stops its largest. Encodings of one
	// source are fed together, so even in hidden tabs, at a frame a second, they are not apart.
	encodingBehind = time.Second
	// chooseInterval is how often the ladder is made anew and every viewer looks at it.
	chooseInterval = 250 * time.Millisecond
)

// rates is what an encoding's layers take, by spatial and temporal id.
type rates [layer.MaxSpatial][layer.MaxTemporal]media.Bitrate

func (r *rates) sum() (all media.Bitrate) {
	for s := range r {
		for _, rate := range r[s] {
			all += rate
		}
	}
	return all
}

// carry tells whether anything comes of a spatial layer.
func (r *rates) carry(spatial int8) bool {
	return spatial >= 0 && r[spatial] != [layer.MaxTemporal]media.Bitrate{}
}

// offers is what a publisher offers now, as the viewers of a shard see it.
type offers struct {
	pub     *publisher
	at      time.Time
	version uint32 // counts looks
	started int    // encodings that had begun at the last one
	audio   *encoding
	video   []*encoding // that are live, from the smallest to the largest
	ladder  []layer.Rung
	scratch []layer.Encoding
	rungs   []layer.Rung // scratch: those of one encoding
}

// refresh looks at the publisher's encodings again: when there is another publisher, when an
// encoding begins, and from time to time.
func (o *offers) refresh(pub *publisher, now time.Time) {
	var list []*encoding
	if pub != nil {
		list = pub.list()
	}
	started := 0
	for _, e := range list {
		if e.ring.Head() > 0 {
			started++
		}
	}
	if pub == o.pub && started == o.started && now.Sub(o.at) < chooseInterval {
		return
	}
	o.pub, o.at, o.started = pub, now, started
	o.version++
	o.audio = nil
	o.video = appendLive(o.video[:0], list, media.KindAudio) // its memory serves both
	if n := len(o.video); n > 0 {
		o.audio = o.video[n-1]
	}
	o.video = appendLive(o.video[:0], list, media.KindVideo)
	o.scratch = o.scratch[:0]
	for _, e := range o.video {
		o.scratch = append(o.scratch, e.describe())
	}
	o.ladder = layer.AppendLadder(o.ladder[:0], o.scratch)
}

// encoding finds an encoding by its name on the ladder.
func (o *offers) encoding(id uint32) *encoding {
	for _, e := range o.video {
		if uint32(e.source) == id {
			return e
		}
	}
	return nil
}

// appendLive appends the encodings of a kind that are being sent, from the smallest to the
// largest. While sizes are unknown, the offer's order counts: uploaders name their best last by
// custom.
func appendLive(dst, list []*encoding, kind media.Kind) []*encoding {
	var newest int64
	for _, e := range list {
		if e.kind == kind {
			newest = max(newest, e.lastArrival.Load())
		}
	}
	start := len(dst)
	for _, e := range list {
		if e.kind == kind && e.ring.Head() > 0 && !e.replaced(list) && newest-e.lastArrival.Load() < int64(encodingBehind) {
			dst = append(dst, e)
		}
	}
	slices.SortStableFunc(dst[start:], func(a, b *encoding) int {
		return cmp.Or(cmp.Compare(a.pixels(), b.pixels()), cmp.Compare(a.rank, b.rank))
	})
	return dst
}

func (e *encoding) pixels() uint32 {
	size := e.size.Load()
	return (size >> 16) * (size & 0xffff)
}

// describe is the encoding as the ladder sees it.
func (e *encoding) describe() layer.Encoding {
	size := e.size.Load()
	d := layer.Encoding{ID: uint32(e.source), Width: int(size >> 16), Height: int(size & 0xffff)}
	if r := e.rates.Load(); r != nil && r.sum() > 0 {
		d.Rates = *r
	} else {
		d.Total = e.bitrate()
	}
	return d
}

// selectVideo chooses the viewer's encoding and layers, when there is a new look at what is
// offered or the viewer's line or wish has changed.
func (w *worker) selectVideo(v *viewer, t *egress, o *offers, now time.Time) {
	if v.chosen == o.version || len(o.ladder) == 0 {
		return
	}
	v.chosen = o.version
	c := v.selector.Choose(o.ladder, v.line(), v.wish, now)
	enc := o.encoding(c.Encoding)
	v.estimator.SetDemand(c.Bitrate+soundRate, withSound(c.Next))
	t.limit = c.Layer
	if enc != t.enc && enc != t.next {
		t.fell = c.Down
		if c.Down && t.enc != nil && v.line() < t.enc.bitrate()*haltPercent/100 {
			t.halted = true
		}
	}
	if v.estimates {
		t.responder.SetBudget(int(max(v.estimator.Target(), v.sending()) / 8 * repeatPercent / 100))
	}
	t.choose(enc, now)
	if t.waitsForLayer() {
		t.enc.requestKey(now)
	}
}

const (
	// soundRate is what sound takes beside the picture, with headers.
	soundRate = media.Bitrate(80_000)
	// haltPercent: a line that carries less than this share of what is being sent is spared the
	// rest of it while the smaller encoding's key frame is on its way.
	haltPercent = 60
	// repeatPercent is the share of the line that repeats may take: enough for what a tenth of
	// loss needs, both ways, and too little to keep a full line full. A line that is taken for
	// less than the lowest quality is sent that all the same, and so its repeats.
	repeatPercent = 40
)

func withSound(rate media.Bitrate) media.Bitrate {
	if rate == 0 {
		return 0
	}
	return rate + soundRate
}

// line is what the viewer's line carries for the picture; 0 while nothing is known of it.
func (v *viewer) line() media.Bitrate {
	if !v.estimates {
		return 0
	}
	return max(v.estimator.Target()-soundRate, 1)
}

const (
	// A large frame is spread over the line of a viewer whose estimate is less than narrowTimes of
	// what it is sent, unless that is all the estimate could show: it leaves at spreadTimes the
	// estimate, but for spreadAtOnce bytes. Wide lines get their key frames at once.
	narrowTimes, spreadTimes = 2, 2.5
	spreadAtOnce             = 15_000
	// spreadLeast times what is sent is the slowest pace: below the lowest quality there is none, and who
	// was sent it more slowly than it comes would be behind for ever.
	spreadLeast = 1.5
)

// spreadPictures follows the estimate with the pace of large frames. round: see setPace.
func (v *viewer) spreadPictures(round time.Duration, now time.Time) {
	target := v.estimator.Target()
	narrow := target < narrowTimes*v.sending() && !v.estimator.Proven()
	switch rate := media.Bitrate(max(spreadTimes*float64(target), spreadLeast*float64(v.sending()))); {
	case narrow && !v.spreads:
		v.spread = pace.NewBucket(rate, spreadAtOnce)
	case narrow:
		setPace(&v.spread, rate, spreadAtOnce, round, now)
	}
	v.spreads = narrow
}
