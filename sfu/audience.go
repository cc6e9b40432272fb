package sfu

import (
	"context"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// LineBuckets is the number of buckets of Audience.Lines. Bucket i counts lines of no more than
// LineBound(i) and of more than the bound before; the last one all others.
const LineBuckets = 8

// LineBound is the upper bound of a bucket: 150 kbit/s, 300, 600 and so on to 9.6 Mbit/s.
func LineBound(i int) media.Bitrate { return 150_000 << i }

// Audience is what the connected viewers get at one moment.
type Audience struct {
	// Lines are viewers by the estimate of what their line carries, of those that tell about it.
	Lines [LineBuckets]int
	// Heights are viewers by the height of the picture that they are sent; 0: not known, or none.
	Heights map[int]int
	// Bounds are viewers by what keeps their picture from being better.
	Bounds map[media.Bound]int
	// Parity are those whose picture is protected by parity packets.
	Parity int
}

// Audience asks all workers. Those that do not answer before the context ends are left out.
func (s *SFU) Audience(ctx context.Context) Audience {
	all := Audience{Heights: map[int]int{}, Bounds: map[media.Bound]int{}}
	answers := make(chan Audience, len(s.workers))
	for _, w := range s.workers {
		w.post(command{kind: commandAudience, audience: answers})
	}
	for _, w := range s.workers {
		select {
		case a := <-answers:
			all.add(a)
		case <-w.done:
		case <-ctx.Done():
			return all
		}
	}
	return all
}

func (a *Audience) add(b Audience) {
	for i, n := range b.Lines {
		a.Lines[i] += n
	}
	a.Parity += b.Parity
	for height, n := range b.Heights {
		a.Heights[height] += n
	}
	for bound, n := range b.Bounds {
		a.Bounds[bound] += n
	}
}

// audience answers commandAudience.
func (w *worker) audience(now time.Time) Audience {
	a := Audience{Heights: map[int]int{}, Bounds: map[media.Bound]int{}}
	for v := range w.viewers {
		if v.connected {
			a.count(v, w.picture(v, now))
		}
	}
	return a
}

func (a *Audience) count(v *viewer, p media.Picture) {
	if p.Estimate > 0 {
		i := 0
		for i < LineBuckets-1 && p.Estimate > LineBound(i) {
			i++
		}
		a.Lines[i]++
	}
	height := 0
	if p.Current != nil {
		height = p.Current.Height
	}
	a.Heights[height]++
	a.Bounds[p.Bound]++
	if t := v.picture(); t != nil && t.parity != nil && t.parity.encoder != nil {
		a.Parity++
	}
}
