package swarmsim

import (
	"math/rand/v2"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/schedule"
)

// Peers tell their upload rate so often (STAT); who has lost a neighbour gets another after as long.
const tellEvery = time.Second

// swarm is all peers; the uploader is the first.
type swarm struct {
	cfg   Config
	clock clock
	start time.Time
	rand  *rand.Rand
	nodes []*node
	shape schedule.Shape

	extra    int64 // bytes of leaves that were not news
	went     []bool
	distinct int
	result   Result
}

// Run lets a swarm run until all good receivers that stay have everything, or nothing moves.
func Run(cfg Config) (Result, error) {
	if err := cfg.validate(); err != nil {
		return Result{}, err
	}
	w := newSwarm(cfg)
	w.plan()
	end := w.start.Add(w.patience())
	for w.result.Finished < w.result.Expected && w.clock.step(end) {
	}
	w.result.Last = w.clock.now.Sub(w.start)
	w.result.Bound = cfg.Bound()
	w.result.Copies = float64(w.nodes[0].sent) / float64(cfg.Size)
	w.result.Extra = float64(w.extra) / float64(cfg.Size) / float64(w.result.Expected)
	return w.result, nil
}

func newSwarm(cfg Config) *swarm {
	start := time.Unix(0, 0).UTC()
	w := &swarm{cfg: cfg, clock: clock{now: start}, start: start, rand: rand.New(rand.NewPCG(cfg.Seed, 0))}
	w.shape = schedule.Shape{Size: cfg.Size, Piece: cfg.Piece, Leaf: cfg.Leaf}
	w.went = make([]bool, int(cfg.Size/cfg.Leaf)+w.shape.Pieces()+1)
	for id := range cfg.Receivers + 1 {
		w.nodes = append(w.nodes, newNode(w, id))
	}
	return w
}

// patience is how long a swarm may take: twice what the uploader alone needs, and ten minutes.
func (w *swarm) patience() time.Duration {
	alone := 8 * float64(w.cfg.Size) * float64(w.cfg.Receivers) / w.cfg.UploaderUp
	return 10*time.Minute + time.Duration(2*alone*float64(time.Second))
}

// plan has everybody come, and some go.
func (w *swarm) plan() {
	order := w.rand.Perm(w.cfg.Receivers)
	for _, i := range order[:w.cfg.Bad] {
		w.nodes[i+1].bad = true
	}
	order = order[w.cfg.Bad:]
	bound := w.cfg.Bound()
	w.result.Expected = len(order) - w.cfg.leavers()
	late := min(w.cfg.leavers(), w.result.Expected)
	for k, i := range order {
		n := w.nodes[i+1]
		switch {
		case k < late:
			n.absent = true
			w.clock.after(w.between(0, bound/2), func() { w.join(n) })
		case k >= w.result.Expected:
			n.leaver = true
			w.clock.after(w.between(bound/4, bound), func() { w.leave(n) })
		}
	}
	if w.cfg.Accept > 0 {
		for _, n := range w.nodes[1:] {
			n.waits = true
			w.clock.after(w.between(0, w.cfg.Accept), func() { w.accept(n) })
		}
	}
	for _, n := range w.nodes {
		w.befriend(n)
	}
	for _, n := range w.nodes {
		n.pump()
		n.tell()
	}
}

func (w *swarm) between(a, b time.Duration) time.Duration {
	return a + time.Duration(w.rand.Int64N(int64(b-a)))
}

func (w *swarm) join(n *node) {
	n.absent = false
	w.befriend(n)
	n.pump()
	n.tell()
}

// accept has a peer take part. To the uploader it says so, as real ones do by STAT.
func (w *swarm) accept(n *node) {
	n.waits = false
	if up := w.nodes[0]; n.links[up.id] != nil {
		n.send(up, func() { up.joined(n) })
	}
	n.pump()
}

func (w *swarm) leave(n *node) {
	if n.absent {
		return
	}
	n.absent = true
	for id, l := range n.links {
		if l != nil {
			n.drop(w.nodes[id])
		}
	}
}

// befriend gives a peer the neighbours that it lacks, as the server's hints do.
func (w *swarm) befriend(n *node) {
	if n.absent {
		return
	}
	limit := w.cfg.Neighbours
	if limit == 0 || len(w.nodes) <= FullMesh || w.cfg.Policy == Copies {
		limit = len(w.nodes)
	}
	// First those that have room; a peer that finds none may still have one more neighbour.
	for _, most := range []int{limit, limit + 2} {
		for _, id := range w.rand.Perm(len(w.nodes)) {
			other := w.nodes[id]
			if n.degree >= limit {
				return
			}
			if other.degree < most && w.mayMeet(n, other) {
				w.connect(n, other)
			}
		}
	}
}

func (w *swarm) mayMeet(a, b *node) bool {
	if a == b || a.absent || b.absent || a.links[b.id] != nil || b.links[a.id] != nil || a.banned[b.id] || b.banned[a.id] {
		return false
	}
	return w.cfg.Policy != Copies || a.id == 0 || b.id == 0
}

func (w *swarm) connect(a, b *node) {
	l := &link{}
	for _, side := range [][2]*node{{a, b}, {b, a}} {
		n, other := side[0], side[1]
		n.links[other.id] = l
		n.degree++
		if n.id != 0 || !other.waits {
			n.joined(other)
		}
	}
	a.pump()
	b.pump()
}

// goneOut counts what the uploader sends: distinct leaves, and repeats before all went out.
func (w *swarm) goneOut(s schedule.Send) {
	leaf := s.Piece*int((w.cfg.Piece+w.cfg.Leaf-1)/w.cfg.Leaf) + s.Leaf
	for leaf >= len(w.went) {
		w.went = append(w.went, false)
	}
	if !w.went[leaf] {
		w.went[leaf] = true
		w.distinct++
	} else if w.distinct < w.leaves() {
		w.result.Repeats++
	}
}

func (w *swarm) leaves() int {
	pieces := w.shape.Pieces()
	return (pieces-1)*w.shape.Leaves(0) + w.shape.Leaves(pieces-1)
}
