package sfu

import (
	"context"
	"maps"
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
			v.shard.offers.refresh(v.stream.pub.Load(), now)
			a.count(v)
		}
	}
	return a
}

// count adds a viewer.
func (a *Audience) count(v *viewer) {
	got := v.gets()
	if v.estimates {
		a.Lines[lineBucket(got.Estimate)]++
	}
	a.Heights[got.Height]++
	a.Bounds[got.Bound]++
	if t := v.picture(); t != nil && t.parity != nil && t.parity.encoder != nil {
		a.Parity++
	}
}

// gets is what the viewer was sent last, without choosing anew. It allocates nothing: a look at many viewers holds up
// their media. The shard's offers must be fresh.
func (v *viewer) gets() (l media.ViewerLine) {
	if v.estimates {
		l.Estimate = v.estimator.Target()
	}
	o := &v.shard.offers
	if t := v.picture(); t != nil && t.enc != nil && len(o.ladder) > 0 {
		l.Height = o.rung(t).Height
		l.Bound = v.selector.Bound(o.ladder, v.wish)
	}
	return l
}

func lineBucket(line media.Bitrate) int {
	i := 0
	for i < LineBuckets-1 && line > LineBound(i) {
		i++
	}
	return i
}

// Lines asks what each connected viewer of a stream gets. Workers that do not answer before the context ends
// are left out.
func (s *SFU) Lines(ctx context.Context, name string) map[media.SessionID]media.ViewerLine {
	all := map[media.SessionID]media.ViewerLine{}
	s.mu.Lock()
	var shards []*shard
	if st := s.streams[name]; st != nil {
		if p := st.shards.Load(); p != nil {
			shards = *p
		}
	}
	s.mu.Unlock()
	answers := make(chan map[media.SessionID]media.ViewerLine, len(shards))
	for _, sh := range shards {
		sh.worker.post(command{kind: commandLines, shard: sh, lines: answers})
	}
	for _, sh := range shards {
		select {
		case some := <-answers:
			maps.Copy(all, some)
		case <-sh.worker.done:
		case <-ctx.Done():
			return all
		}
	}
	return all
}

// lines answers commandLines.
func (sh *shard) lines(now time.Time) map[media.SessionID]media.ViewerLine {
	list := make(map[media.SessionID]media.ViewerLine, len(sh.viewers))
	sh.offers.refresh(sh.stream.pub.Load(), now)
	for _, v := range sh.viewers {
		if v.connected {
			list[v.id] = v.gets()
		}
	}
	return list
}
