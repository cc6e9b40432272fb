package crowd

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	// sweepEvery is the time from one sweep over the sockets to the next. Shorter means more calls that find nothing, longer a
	// later NACK; times of arrival are the kernel's and know nothing of it.
	sweepEvery = 5 * time.Millisecond
	// sweepChunk is how many viewers are served before others may run.
	sweepChunk = 64
	// wholeSize and headSize are the bytes of a datagram that are kept: all of it, or what is read in clear and any RTCP,
	// STUN or DTLS record that matters.
	wholeSize = 2048
	headSize  = 512
	// runSize is what the longest run of datagrams takes.
	runSize = 1 << 16
)

// reader serves a share of the viewers. mu guards all viewers' legs.
type reader struct {
	mu      sync.Mutex
	viewers []*Viewer
	reads   uint64 // calls that found something
	taken   uint64 // datagrams of those

	whole, head *batch
	out         []datagram
}

// newReader makes a reader of sockets with or without runs.
func newReader(runs bool) *reader {
	if runs {
		b := newBatch(runSize) // the beginning of each datagram is needed, so all of a run has to be there
		return &reader{whole: b, head: b}
	}
	return &reader{whole: newBatch(wholeSize), head: newBatch(headSize)}
}

// run sweeps until ctx ends.
func (r *reader) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		begin := time.Now()
		r.sweep()
		timer.Reset(max(0, sweepEvery-time.Since(begin)))
	}
}

func (r *reader) sweep() {
	for first, more := 0, true; more; first += sweepChunk {
		r.mu.Lock()
		now := time.Now()
		last := min(first+sweepChunk, len(r.viewers))
		for i := min(first, last); i < last; i++ {
			r.serve(r.viewers[i], now)
		}
		more = last < len(r.viewers)
		r.mu.Unlock()
		runtime.Gosched()
	}
}

// serve reads one viewer's socket, and says what the viewer has to say.
func (r *reader) serve(v *Viewer, now time.Time) {
	r.out = r.out[:0]
	for n := batchSize; n == batchSize; {
		b := r.head
		if v.leg.whole() {
			b = r.whole
		}
		n = b.receive(v.fd)
		if n > 0 {
			r.reads++
		}
		for i := range n {
			data, size, each, at := b.at(i, now)
			for more := true; more; more = size > 0 {
				one := min(each, size)
				kept := min(one, len(data))
				v.receive(data[:kept], one, at, now, &r.out)
				r.taken++
				data, size = data[kept:], size-one
			}
		}
	}
	v.leg.tick(now, &r.out)
	for _, d := range r.out {
		send(v.fd, d.b)
	}
	if v.leg.lost(now) {
		v.lost()
	}
}

// add takes a viewer over, with what arrived before its socket was the reader's.
func (r *reader) add(v *Viewer, early []earlier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []datagram
	for _, e := range early {
		v.receive(e.b, len(e.b), e.at, e.at, &out)
	}
	for _, d := range out {
		send(v.fd, d.b)
	}
	r.viewers = append(r.viewers, v)
}

// remove gives a viewer up and closes its socket.
func (r *reader) remove(v *Viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.viewers {
		if r.viewers[i] == v {
			last := len(r.viewers) - 1
			r.viewers[i] = r.viewers[last]
			r.viewers[last] = nil
			r.viewers = r.viewers[:last]
			closeSocket(v.fd)
			return
		}
	}
}

// earlier is a datagram of media that came while the handshake was going on.
type earlier struct {
	b  []byte
	at time.Time
}
