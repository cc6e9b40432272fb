package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

const (
	// inboxSize bounds the datagrams of viewers that wait for a worker. A viewer sends about
	// five a second; a full inbox means the worker is seconds behind, and ICE and RTCP repeat.
	inboxSize = 1024
	// setupSize bounds those among them that connect a viewer or keep it connected. They wait apart and are looked at first:
	// who loses a report makes another one, who loses part of a handshake repeats it after pauses that double.
	setupSize = 1024
	// inboxShare bounds those of one viewer: a flood of one leaves room for the others. While the
	// worker is busy for 100 ms, a browser sends ten.
	inboxShare = 128
	// inboxBurst of the datagrams of viewers are looked at between two looks for media, less than 0.5 ms of work, and more
	// for a part of the time that went by since the last ones: with a thousand viewers media alone take tens of
	// milliseconds between two such looks, and lines of which nobody reads the feedback seem to be broken. inboxLongest
	// bounds that after a pause.
	inboxBurst   = 32
	inboxPart    = 4
	inboxLongest = 25 * time.Millisecond
	// viewersAMoment are served with one look at the clock: less than 0.1 ms of work.
	viewersAMoment = 16
	// idleWait is how long a worker without deadlines sleeps.
	idleWait = time.Hour
)

// worker owns a share of the viewers outright: their legs, tracks and keys. One goroutine
// runs it. Others reach it through bounded ways only: the two inboxes of datagrams, and the
// list of commands and shards, which is no longer than there are viewers and streams.
type worker struct {
	sfu   *SFU
	setup chan inbound // STUN and DTLS
	inbox chan inbound // reports
	wakes chan struct{}
	done  chan struct{} // closed when run has ended
	load  atomic.Int64  // viewers, for placing new ones

	mu       sync.Mutex
	commands []command
	dirty    []*shard

	// The rest is owned by the goroutine.
	viewers   map[*viewer]struct{}
	deadlines deadlines
	out       lite.Out
	header    []byte // scratch: RTP header of the packet in work
	payload   []byte // scratch: payload that was changed
	batch     *udp.Batch
	unsent    []time.Time // when packets of the live edge arrived that the batch holds
	message   message     // of the picture in work
	sending   Sending
	rtcp      []byte        // scratch: RTCP in clear text
	number16  [2]byte       // scratch: a transport-wide sequence number
	captured  []byte        // scratch: a time of capture
	own       []ext.Element // scratch: extensions of the packet in work
	seqs      []uint16      // scratch: numbers of a NACK
	looked    time.Time     // when datagrams of viewers were looked at last
	round     time.Duration // how long rounds take of late: the longest, less an eighth for each since
	tally     tally
	counted   *stream // of which tally is; nil: of none
	takenCmds []command
	takenShd  []*shard
	stopped   bool
}

// inbound is a datagram for a viewer, lent by the relay's copies.
type inbound struct {
	viewer *viewer
	datagram
}

func newWorker(s *SFU) *worker {
	w := &worker{
		sfu:     s,
		setup:   make(chan inbound, setupSize),
		inbox:   make(chan inbound, inboxSize),
		wakes:   make(chan struct{}, 1),
		done:    make(chan struct{}),
		viewers: map[*viewer]struct{}{},
		header:  make([]byte, 0, maxDatagram),
		payload: make([]byte, 0, maxDatagram),
		batch:   s.conn.NewBatch(),
		rtcp:    make([]byte, 0, maxDatagram),
		own:     make([]ext.Element, 0, 3),
	}
	w.batch.OnSent(w.observeSent)
	return w
}

// wakeFor puts a shard on the list. It never blocks.
func (w *worker) wakeFor(sh *shard) {
	w.mu.Lock()
	w.dirty = append(w.dirty, sh)
	w.mu.Unlock()
	w.wake()
}

func (w *worker) wake() {
	select {
	case w.wakes <- struct{}{}:
	default:
	}
}

// run is the worker's goroutine; it ends with commandStop. Media goes first: after each wake
// a bounded number of the viewers' own datagrams is looked at, and what all of that made is
// sent at once.
func (w *worker) run() {
	defer close(w.done)
	timer := time.NewTimer(idleWait)
	defer timer.Stop()
	for !w.stopped {
		var began time.Time
		select {
		case <-w.wakes:
			began = time.Now()
			w.serve(began)
		case in := <-w.setup:
			began = time.Now()
			w.receive(in, began)
		case in := <-w.inbox:
			began = time.Now()
			w.receive(in, began)
		case <-timer.C:
			began = time.Now()
		}
		w.looked = w.receiveWaiting()
		now := w.advance(w.looked)
		w.sendAll()
		w.count(nil)
		w.round = max(time.Since(began), w.round-w.round/8)
		timer.Reset(w.wait(now))
	}
}

// receiveWaiting looks at datagrams of viewers that wait, as many as there are or for long enough.
func (w *worker) receiveWaiting() (now time.Time) {
	now = time.Now()
	until := now.Add(min(now.Sub(w.looked)/inboxPart, inboxLongest))
	for i := 1; ; i++ {
		in, ok := w.nextWaiting()
		if !ok {
			return now
		}
		w.receive(in, now)
		if i%inboxBurst == 0 {
			w.batch.Flush() // what lay in it would seem to have been on its line
			if now = time.Now(); !now.Before(until) {
				return now
			}
		}
	}
}

// nextWaiting takes a datagram out of an inbox: what connects somebody goes first.
func (w *worker) nextWaiting() (in inbound, ok bool) {
	select {
	case in = <-w.setup:
		return in, true
	default:
	}
	select {
	case in = <-w.inbox:
		return in, true
	default:
		return inbound{}, false
	}
}

// inboxFor is where datagrams of a kind wait.
func (w *worker) inboxFor(kind lite.Kind) chan<- inbound {
	if kind == lite.KindSTUN || kind == lite.KindDTLS {
		return w.setup
	}
	return w.inbox
}

// serve carries out the commands and drains the shards that have something to read.
func (w *worker) serve(now time.Time) {
	w.mu.Lock()
	w.commands, w.takenCmds = w.takenCmds[:0], w.commands
	w.dirty, w.takenShd = w.takenShd[:0], w.dirty
	w.mu.Unlock()
	for i := range w.takenCmds {
		w.obey(&w.takenCmds[i], now)
		w.takenCmds[i] = command{}
	}
	for i, sh := range w.takenShd {
		sh.queued.Store(false)  // before reading: what comes now wakes again
		w.drain(sh, time.Now()) // those of many streams take long together, as many viewers of one do
		w.takenShd[i] = nil
	}
}

// drain sends every viewer of the shard what its tracks have not had yet.
func (w *worker) drain(sh *shard, now time.Time) {
	w.count(sh.stream)
	o := &sh.offers
	o.refresh(sh.stream.pub.Load(), now)
	for i, v := range sh.viewers {
		sh.fetchAhead(i)
		if i%viewersAMoment == viewersAMoment-1 {
			now = time.Now() // the pass of a thousand viewers takes milliseconds
		}
		if !v.connected {
			continue
		}
		for i := range v.tracks {
			t := &v.tracks[i]
			if t.kind == media.KindAudio {
				t.choose(o.audio, now)
			} else {
				w.selectVideo(v, t, o, now)
			}
			w.forward(v, t, now)
		}
	}
}

// fetchAhead asks for the memory of the viewers behind the i-th, in two steps: where the rest of it lies is
// known when the first part is there. Encrypting for one viewer takes longer than both.
func (sh *shard) fetchAhead(i int) {
	if i+2 < len(sh.viewers) {
		sh.viewers[i+2].fetch()
	}
	if i+1 < len(sh.viewers) {
		sh.viewers[i+1].fetchRest()
	}
}

// count makes the tally that of a stream, or of none: what was counted for another is handed over.
func (w *worker) count(st *stream) {
	if w.counted != st {
		if w.counted != nil {
			w.tally.flush(&w.counted.counters, &w.sfu.total)
		}
		w.counted = st
	}
}

func (w *worker) owns(v *viewer) bool {
	_, ok := w.viewers[v]
	return ok
}

func (w *worker) add(v *viewer, now time.Time) {
	w.viewers[v] = struct{}{}
	v.shardAt = len(v.shard.viewers)
	v.shard.viewers = append(v.shard.viewers, v)
	if v.early != "" {
		v.leg.Close(v.early, &w.out)
	}
	w.settle(v, now)
}

// remove forgets a viewer whose leg has ended.
func (w *worker) remove(v *viewer, reason media.CloseReason) {
	if !w.owns(v) {
		return
	}
	delete(w.viewers, v)
	w.deadlines.remove(v)
	if v.handshake != nil {
		v.handshake.Cancel()
	}
	list := v.shard.viewers
	last := list[len(list)-1]
	list[v.shardAt], last.shardAt = last, v.shardAt
	list[len(list)-1] = nil
	v.shard.viewers = list[:len(list)-1]
	w.load.Add(-1)
	w.sfu.routes.forget(v)
	w.sfu.viewerGone(v, reason)
}

// stop ends every viewer and then the worker.
func (w *worker) stop(now time.Time) {
	w.stopped = true
	for v := range w.viewers {
		w.count(v.shard.stream)
		v.leg.Close(media.CloseShutdown, &w.out)
		w.settle(v, now)
	}
}

// receive gives a viewer's datagram to its leg.
func (w *worker) receive(in inbound, now time.Time) {
	v := in.viewer
	w.count(v.shard.stream)
	v.waiting.Add(-1)
	if w.owns(v) {
		if drop := v.leg.Receive(in.data, lite.Path(in.path), now, &w.out); drop != lite.DropNone {
			w.tally.legDrops[drop]++
			w.tally.dirty = true
		}
		w.settle(v, now)
	}
	w.sfu.copies.takeBack(in.datagram)
}

// settle carries out what a leg has handed back, and finds the viewer's next deadline.
func (w *worker) settle(v *viewer, now time.Time) {
	out := &w.out
	for i := range out.Send {
		w.send(out.Send[i].Data, out.Send[i].Path)
	}
	for i := range out.Handshake {
		w.handshake(v, out.Handshake[i])
	}
	for _, pkt := range out.RTCP {
		w.readRTCP(v, pkt, now)
	}
	for i := range out.Events {
		w.event(v, &out.Events[i], now)
	}
	out.Reset()
	if w.owns(v) {
		w.schedule(v, now)
	}
}

func (w *worker) send(b []byte, path lite.Path) {
	w.batch.Add(append(w.batch.Room(), b...), path)
}

// observeSent counts how long the packets that went out just now were here.
func (w *worker) observeSent() {
	if len(w.unsent) == 0 {
		return
	}
	now := time.Now()
	for _, arrival := range w.unsent {
		w.sending.observe(arrival, now)
	}
	w.unsent = w.unsent[:0]
}

// sendAll sends what the batch holds, and counts.
func (w *worker) sendAll() {
	w.batch.Flush()
	w.sending.BatchStats = w.batch.Take()
	if w.sending.Calls == 0 {
		return
	}
	if n := w.sending.Refused; n > 0 {
		addTo(&w.sfu.total.drops[DropSend], n)
	}
	w.sfu.sending.add(&w.sending)
}

// handshake passes a DTLS datagram on, and begins a handshake with the first one. When the
// handshaker is full the datagram is lost, and the viewer sends it again.
func (w *worker) handshake(v *viewer, d lite.Datagram) {
	if v.handshake == nil && !w.stopped {
		h, err := w.sfu.handshaker.Begin(v.fingerprints, func(r lite.Result) {
			w.post(command{kind: commandHandshake, viewer: v, result: r})
		})
		if err != nil {
			return
		}
		v.handshake = h
	}
	if v.handshake != nil {
		v.handshake.Feed(d.Data, d.Path)
	}
}

func (w *worker) event(v *viewer, e *lite.Event, now time.Time) {
	switch e.Kind {
	case lite.EventAddress:
		v.addPath(e.Path)
		w.sfu.routes.addPath(e.Path, v)
	case lite.EventProbe:
		if !w.sfu.muxConn.known(e.Path.Remote) && w.sfu.routes.claimPath(e.Path, v) {
			v.addPath(e.Path)
		}
	case lite.EventSender:
		v.senders = append(v.senders, e.SSRC)
		w.sfu.routes.addSender(e.SSRC, v)
	case lite.EventAddressGone:
		v.paths = slices.DeleteFunc(v.paths, func(p lite.Path) bool { return p == e.Path })
		w.sfu.routes.removePath(e.Path, v)
	case lite.EventUfragGone:
		w.sfu.routes.removeUfrag(e.Ufrag)
	case lite.EventConnected:
		v.path = e.Path
		w.connect(v, now)
	case lite.EventPath:
		v.path = e.Path
	case lite.EventClosed:
		w.remove(v, e.Close)
	}
}

// connect starts a viewer's tracks: what the stream has is sent at once.
func (w *worker) connect(v *viewer, now time.Time) {
	v.connected = true
	v.remember()
	v.nextReport = now
	w.sfu.viewerConnected(v)
	v.shard.wake()
}
