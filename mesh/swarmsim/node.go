package swarmsim

import (
	"math/rand/v2"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// channelHolds is how many leaves are on the way to one receiver before its channel is full.
const channelHolds = 16

// link is one connection between two peers, known by its address; a message on one that has ended
// is lost.
type link struct{ _ byte }

// node is a peer: the real scheduler and a modelled line. Its id is the number by which the
// others' schedulers know it.
type node struct {
	w      *swarm
	id     int
	sched  *schedule.Scheduler
	links  [maxMembers]*link
	banned [maxMembers]bool
	tasted [maxMembers]int // bad leaves
	degree int

	bad, absent, leaver, done bool
	waits                     bool // has not taken yet what is shared

	sending  bool
	sent     int64     // bytes
	downFree time.Time // when the downlink has delivered what is on it
	onWay    [maxMembers]int
	wake     time.Time
	actions  []schedule.Action
}

func newNode(w *swarm, id int) *node {
	cfg := schedule.DefaultConfig(w.shape)
	cfg.UniqueFirst = id == 0 && w.cfg.Policy == UniqueFirst
	if w.cfg.Policy == Sequential {
		cfg.Order = schedule.Sequential
	}
	n := &node{w: w, id: id, sched: schedule.New(cfg, rand.New(rand.NewPCG(w.cfg.Seed, uint64(id)+1)))}
	if id == 0 {
		n.sched.Hold(0, w.shape.Pieces())
	}
	return n
}

func (n *node) up() float64 {
	if n.id == 0 {
		return n.w.cfg.UploaderUp
	}
	return n.w.cfg.uplink(n.id - 1)
}

// pump carries out what the scheduler decides after a fact.
func (n *node) pump() {
	if n.absent || n.waits {
		return
	}
	n.actions = n.sched.AppendNext(n.actions[:0], n.w.clock.now)
	for _, a := range n.actions {
		n.post(a)
	}
	n.transmit()
	if at, ok := n.sched.Deadline(); ok && !at.Equal(n.wake) {
		n.wake = at
		n.w.clock.after(at.Sub(n.w.clock.now), func() {
			if n.wake.Equal(at) {
				n.wake = time.Time{}
				n.pump()
			}
		})
	}
}

// send has arrive called at another peer after the delay, if they are still connected then.
func (n *node) send(to *node, arrive func()) {
	l := n.links[to.id]
	n.w.clock.after(n.w.cfg.Delay, func() {
		if l != nil && to.links[n.id] == l {
			arrive()
			to.pump()
		}
	})
}

// post sends a frame.
func (n *node) post(a schedule.Action) {
	to, me := n.w.nodes[a.Peer], schedule.Peer(n.id)
	n.send(to, func() {
		switch a.Kind {
		case schedule.Have:
			must(to.sched.Shown(me, a.First, a.Count))
		case schedule.Want:
			must(to.sched.Wanted(me, a.Piece, a.First, a.Count))
		case schedule.Cancel:
			must(to.sched.Cancelled(me, a.Piece, a.First, a.Count))
		case schedule.Reject:
			must(to.sched.Rejected(me, a.Piece, a.First, a.Count, a.Reason, to.w.clock.now))
		}
	})
}

// must: good peers ask for nothing that is wrong; if they do, the scheduler is broken.
func must(err error) {
	if err != nil {
		panic("swarmsim: a good peer broke the protocol: " + err.Error())
	}
}

// transmit sends the next leaf when the uplink is free.
func (n *node) transmit() {
	if n.sending || n.absent {
		return
	}
	s, ok := n.sched.NextSend(n.w.clock.now)
	if !ok {
		return
	}
	n.sending = true
	to, l := n.w.nodes[s.Peer], n.links[s.Peer]
	bytes := n.w.shape.LeafBytes(s.Piece, s.Leaf)
	n.onTheWay(to, 1)
	n.w.clock.after(seconds(bytes, n.up()), func() {
		n.sending = false
		n.sent += bytes
		n.sched.Sent(s, n.w.clock.now)
		if n.links[to.id] == l {
			n.send(to, func() { to.queueDown(n, l, s, bytes) })
		}
		if n.id == 0 {
			n.w.goneOut(s)
			if at := n.w.cfg.LeaveAt; at > 0 && float64(n.sent) >= at*float64(n.w.cfg.Size) {
				n.w.leave(n)
			}
		}
		n.pump()
	})
}

// onTheWay counts leaves between here and a receiver with a downlink; too many fill its channel.
func (n *node) onTheWay(to *node, change int) {
	if n.w.cfg.Down > 0 {
		n.onWay[to.id] += change
		n.sched.Full(schedule.Peer(to.id), n.onWay[to.id] >= channelHolds)
	}
}

// queueDown takes a leaf through the downlink.
func (n *node) queueDown(from *node, l *link, s schedule.Send, bytes int64) {
	now := n.w.clock.now
	if n.w.cfg.Down == 0 {
		n.receive(from, s, bytes)
		return
	}
	if n.downFree.Before(now) {
		n.downFree = now
	}
	n.downFree = n.downFree.Add(seconds(bytes, n.w.cfg.Down))
	n.w.clock.after(n.downFree.Sub(now), func() {
		if n.links[from.id] == l {
			n.receive(from, s, bytes)
			from.onTheWay(n, -1)
			from.pump()
			n.pump()
		}
	})
}

// receive takes a leaf, and drops who sends a bad one.
func (n *node) receive(from *node, s schedule.Send, bytes int64) {
	now := n.w.clock.now
	if n.sched.Expects(schedule.Peer(from.id), s.Piece, s.Leaf, now) == schedule.Unasked {
		panic("swarmsim: a leaf that nobody asked for")
	}
	if from.bad && !n.bad {
		n.banned[from.id] = true
		n.tasted[from.id]++
		n.w.result.BadLeaves = max(n.w.result.BadLeaves, n.tasted[from.id])
		n.drop(from)
		return
	}
	if !n.sched.LeafArrived(schedule.Peer(from.id), s.Piece, s.Leaf, now) {
		n.w.extra += bytes
	}
	if n.sched.Missing() == 0 && !n.done {
		n.done = true
		if !n.bad && !n.leaver {
			n.w.result.Finished++
		}
	}
}

// drop ends the connection with another, who learns it after the delay. Both look for others.
func (n *node) drop(other *node) {
	l := n.links[other.id]
	n.lose(other)
	n.w.clock.after(n.w.cfg.Delay, func() {
		if l != nil && other.links[n.id] == l {
			other.lose(n)
			other.pump()
		}
	})
}

// joined makes another known to the scheduler.
func (n *node) joined(other *node) {
	n.sched.PeerJoined(schedule.Peer(other.id), 1, 2*n.w.cfg.Delay)
}

func (n *node) lose(other *node) {
	n.links[other.id] = nil
	n.degree--
	n.onWay[other.id] = 0
	n.sched.PeerLeft(schedule.Peer(other.id))
	n.w.clock.after(tellEvery, func() { n.w.befriend(n) })
}

// tell tells the neighbours what this peer can send, again and again.
func (n *node) tell() {
	if n.absent {
		return
	}
	rate := n.sched.SendRate()
	for id, l := range n.links {
		if to := n.w.nodes; l != nil && rate > 0 {
			n.send(to[id], func() { to[id].sched.Rate(schedule.Peer(n.id), rate) })
		}
	}
	n.w.clock.after(tellEvery, n.tell)
}

func seconds(bytes int64, bitrate float64) time.Duration {
	return time.Duration(float64(bytes) * 8 / bitrate * float64(time.Second))
}
